"""Hypothesis strategies: trees of the shape that the parser makes."""

from __future__ import annotations

from hypothesis import strategies as st

from derive.formula.tree import (
    BigSum,
    Both,
    Call,
    Cases,
    Compare,
    Element,
    Name,
    Negative,
    Number,
    Power,
    Product,
    Quotient,
    Sum,
    Tree,
)

LETTERS = ("w1", "x", "net_h1", "η", "权重")
numbers = st.sampled_from(["0", "1", "2", "3", "0.10", "0.5", "1e-5", "12.50"]).map(Number)
names = st.sampled_from(LETTERS).map(Name)
elements = st.tuples(st.sampled_from(["W", "a"]), st.lists(st.sampled_from("ij").map(Name), min_size=1, max_size=2))
ONE_ARGUMENT = (
    "exp",
    "ln",
    "sqrt",
    "abs",
    "sign",
    "sin",
    "cos",
    "tanh",
    "erf",
    "sigmoid",
    "relu",
    "softplus",
)


def several(inner: st.SearchStrategy[Tree]) -> st.SearchStrategy[tuple[Tree, ...]]:
    return st.lists(inner, min_size=2, max_size=3).map(tuple)


def numeric(inner: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    """One more level of what has a value from the values of its names."""
    relations = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
    comparisons = st.builds(Compare, relations, inner, inner)
    conditions = comparisons | several(comparisons).map(Both)
    return st.one_of(
        inner.map(Negative),
        several(inner).map(Sum),
        several(inner).map(Product),
        st.builds(Quotient, inner, inner),
        st.builds(Power, inner, st.sampled_from(["2", "3", "0.5"]).map(Number) | inner),
        st.builds(Call, st.sampled_from(ONE_ARGUMENT), st.tuples(inner)),
        st.builds(Call, st.sampled_from(["max", "min"]), several(inner)),
        st.builds(one_case, conditions, inner, inner),
    )


def one_case(condition: Tree, value: Tree, otherwise: Tree) -> Tree:
    """As the parser does, an `if` in the last place is one more branch."""
    if isinstance(otherwise, Cases):
        return Cases(((condition, value), *otherwise.branches), otherwise.otherwise)
    return Cases(((condition, value),), otherwise)


valued_trees = st.recursive(numbers | names, numeric, max_leaves=8)
array_elements = elements.map(lambda pair: Element(pair[0], tuple(pair[1])))
typed_trees = st.recursive(
    numbers | names | array_elements | st.just(Call("pi", ())),
    lambda inner: numeric(inner) | st.builds(BigSum, inner, st.sampled_from([("i",), ("i", "j")])),
    max_leaves=8,
)
