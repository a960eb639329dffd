"""One derivative, rule by rule: the steps that a page shows. The steps are data; saying them is elsewhere.

A derivative not yet worked out is `Call("derivative", (body, x))`. `expand` works one of them out by one rule, `steps`
goes on until none is left, `by_rules` does it in one line. What these end in must equal what the engine derives
(`chain.py`); a test holds it to that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from derive.formula.tree import (
    Call,
    Cases,
    Compare,
    Name,
    Negative,
    Number,
    Power,
    Product,
    Quotient,
    Sum,
    Tree,
    children,
    map_children,
    names,
)

ZERO, ONE, TWO = Number("0"), Number("1"), Number("2")


@dataclass(frozen=True)
class Step:
    """A row of a derivation: the expression so far, and the rules that led to it from the row above."""

    tree: Tree
    rules: tuple[str, ...]


def pending(body: Tree, x: str) -> Tree:
    """d body / dx, not yet worked out."""
    return Call("derivative", (body, Name(x)))


def steps(body: Tree, x: str) -> tuple[Step, ...]:
    """From d body / dx to the derivative; each row works out every pending derivative by one rule and tidies up."""
    rows = [Step(pending(body, x), ())]
    while _is_pending(rows[-1].tree):
        used: list[str] = []
        raw = _at_once(_one_level(rows[-1].tree, used))
        rows.append(Step(tidy(raw), tuple(rule for rule in dict.fromkeys(used) if rule not in AT_ONCE)))
    return tuple(rows)


AT_ONCE = ("constant", "variable")  # no one writes a row for these


def _at_once(tree: Tree) -> Tree:
    """The derivatives of constants and of x itself, wherever they are pending."""
    if isinstance(tree, Call) and tree.function == "derivative":
        body, by = tree.arguments
        assert isinstance(by, Name)
        return expand(body, by.id)[0] if isinstance(body, Name) or not depends(body, by.id) else tree
    return map_children(tree, _at_once) if _is_pending(tree) else tree


def by_rules(body: Tree, x: str) -> Step:
    """The derivative as the rules give it, before anything is simplified: `1/2 * 2 * (t - y)^(2-1) * (0 - 1)`."""
    used: list[str] = []
    tree = pending(body, x)
    while _is_pending(tree):
        tree = _one_level(tree, used)
    return Step(_terms_as_given(tree), tuple(dict.fromkeys(used)))


def _one_level(tree: Tree, used: list[str]) -> Tree:
    if isinstance(tree, Call) and tree.function == "derivative":
        body, by = tree.arguments
        assert isinstance(by, Name)
        result, rule = expand(body, by.id)
        used.append(rule)
        return result
    return map_children(tree, lambda child: _one_level(child, used)) if _is_pending(tree) else tree


def _is_pending(tree: Tree) -> bool:
    if isinstance(tree, Call) and tree.function == "derivative":
        return True
    return any(_is_pending(child) for child in children(tree))


def expand(body: Tree, x: str) -> tuple[Tree, str]:
    """d body / dx by one rule: the result, which may hold pending derivatives, and the rule's key."""
    if not depends(body, x):
        return ZERO, "constant"
    if isinstance(body, Name):
        return ONE, "variable"
    return _EXPANSIONS[type(body)](body, x)


def depends(tree: Tree, x: str) -> bool:
    """Whether a name occurs in the tree."""
    return x in names(tree)


def _sum(body: Sum, x: str) -> tuple[Tree, str]:
    """(f + g)' = f' + g'"""
    return Sum(
        tuple(_negated(term.body, x) if isinstance(term, Negative) else pending(term, x) for term in body.terms)
    ), "sum"


def _negated(body: Tree, x: str) -> Tree:
    return Negative(pending(body, x))


def _negative(body: Negative, x: str) -> tuple[Tree, str]:
    """(-f)' = -f'"""
    return Negative(pending(body.body, x)), "constant-multiple"


def _product(body: Product, x: str) -> tuple[Tree, str]:
    """(c f)' = c f';  (f g)' = f' g + f g'"""
    fixed = [factor for factor in body.factors if not depends(factor, x)]
    moving = [factor for factor in body.factors if depends(factor, x)]
    if len(moving) == 1:
        return Product((*fixed, pending(moving[0], x))), "constant-multiple"
    first, rest = moving[0], _times(moving[1:])
    whole = Sum((Product((pending(first, x), rest)), Product((first, pending(rest, x)))))
    return (Product((*fixed, whole)) if fixed else whole), "product"


def _times(factors: list[Tree]) -> Tree:
    return factors[0] if len(factors) == 1 else Product(tuple(factors))


def _quotient(body: Quotient, x: str) -> tuple[Tree, str]:
    """(f/c)' = f'/c;  (c/g)' = -c g'/g^2;  (f/g)' = (f' g - f g')/g^2"""
    top, bottom = body.top, body.bottom
    if not depends(bottom, x):
        return Quotient(pending(top, x), bottom), "constant-multiple"
    square = Power(bottom, TWO)
    if not depends(top, x):
        slope = pending(bottom, x)
        return Negative(Quotient(slope if top == ONE else Product((top, slope)), square)), "reciprocal"
    return Quotient(
        Sum((Product((pending(top, x), bottom)), Negative(Product((top, pending(bottom, x)))))), square
    ), "quotient"


def _power(body: Power, x: str) -> tuple[Tree, str]:
    """(f^n)' = n f^(n-1) f';  (c^f)' = c^f ln(c) f'"""
    if depends(body.exponent, x):
        return Product((body, Call("ln", (body.base,)), pending(body.exponent, x))), "exponential"
    lowered = Power(body.base, Sum((body.exponent, Negative(ONE))))
    inner = () if body.base == Name(x) else (pending(body.base, x),)
    return Product((body.exponent, lowered, *inner)), "power" if not inner else "power-chain"


def _call(body: Call, x: str) -> tuple[Tree, str]:
    """f(g)' = f'(g) g', with f' from the table"""
    if body.function in ("max", "min"):
        return pending(_as_cases(body, x), x), "cases"
    (inner,) = body.arguments
    slope, rule = _SLOPES[body.function](inner)
    if inner == Name(x):
        return slope, rule
    return Product((slope, pending(inner, x))), f"{rule}-chain"


def _as_cases(body: Call, x: str) -> Tree:
    """max(a, b) is a where a > b, else b; nested for more. What does not change with x comes last."""
    relation = ">" if body.function == "max" else "<"
    *first, last = sorted(body.arguments, key=lambda argument: not depends(argument, x))
    result: Tree = last
    for argument in reversed(first):
        result = Cases(((Compare(relation, argument, result), argument),), result)
    return result


def _cases(body: Cases, x: str) -> tuple[Tree, str]:
    """Branch by branch."""
    branches = tuple((condition, pending(value, x)) for condition, value in body.branches)
    return Cases(branches, pending(body.otherwise, x)), "cases"


_EXPANSIONS: dict[type, Callable[..., tuple[Tree, str]]] = {
    Sum: _sum,
    Negative: _negative,
    Product: _product,
    Quotient: _quotient,
    Power: _power,
    Call: _call,
    Cases: _cases,
}


def _one_minus_square(of: str) -> Callable[[Tree], tuple[Tree, str]]:
    return lambda u: (Sum((ONE, Negative(Power(Call(of, (u,)), TWO)))), of)


# f'(u), and the key of the rule; the chain rule's factor u' is added by `_call`
_SLOPES: dict[str, Callable[[Tree], tuple[Tree, str]]] = {
    "exp": lambda u: (Call("exp", (u,)), "exponential"),
    "ln": lambda u: (Quotient(ONE, u), "logarithm"),
    "log": lambda u: (Quotient(ONE, u), "logarithm"),
    "sqrt": lambda u: (Quotient(ONE, Product((TWO, Call("sqrt", (u,))))), "root"),
    "tanh": _one_minus_square("tanh"),
    "sinh": lambda u: (Call("cosh", (u,)), "sinh"),
    "cosh": lambda u: (Call("sinh", (u,)), "cosh"),
    "sin": lambda u: (Call("cos", (u,)), "sin"),
    "cos": lambda u: (Negative(Call("sin", (u,))), "cos"),
    "tan": lambda u: (Sum((ONE, Power(Call("tan", (u,)), TWO))), "tan"),
    "abs": lambda u: (Call("sign", (u,)), "abs"),
    "sign": lambda u: (ZERO, "constant"),
    "sigmoid": lambda u: (
        Product((Call("sigmoid", (u,)), Sum((ONE, Negative(Call("sigmoid", (u,))))))),
        "sigmoid",
    ),
    "softplus": lambda u: (Call("sigmoid", (u,)), "softplus"),
    "relu": lambda u: (Cases(((Compare(">", u, ZERO), ONE),), ZERO), "cases"),
    "erf": lambda u: (
        Product((Quotient(TWO, Call("sqrt", (Call("pi", ()),))), Call("exp", (Negative(Power(u, TWO)),)))),
        "erf",
    ),
}


def _as_given(tree: Tree) -> Tree:
    """Products within products opened and inner constants added up, nothing else: what the rules gave, readable."""
    if isinstance(tree, Product):
        flat: list[Tree] = []
        for factor in map(_as_given, tree.factors):
            flat.extend(factor.factors if isinstance(factor, Product) else (factor,))
        return ZERO if ZERO in flat else Product(tuple(flat))
    if isinstance(tree, Sum):
        constant = tidy(tree)
        return constant if _plain(constant) is not None else map_children(tree, _as_given)
    if isinstance(tree, Power):
        return Power(_as_given(tree.base), tree.exponent)
    return map_children(tree, _as_given) if not isinstance(tree, Number | Name) else tree


def _terms_as_given(tree: Tree) -> Tree:
    """A sum keeps the zeros of its constant terms: the reader sees where they went."""
    return Sum(tuple(_as_given(term) for term in tree.terms)) if isinstance(tree, Sum) else _as_given(tree)


def tidy(tree: Tree) -> Tree:
    """Zeros, ones, double minus signs and number exponents put in order; nothing else is rearranged."""
    tree = map_children(tree, tidy) if not isinstance(tree, Number | Name) else tree
    rule = _TIDY.get(type(tree))
    return rule(tree) if rule else tree


def _tidy_sum(tree: Sum) -> Tree:
    terms = [term for term in tree.terms if term != ZERO and term != Negative(ZERO)]
    flat: list[Tree] = []
    for term in terms:
        if isinstance(term, Negative) and isinstance(term.body, Negative):
            term = term.body.body
        flat.extend(term.terms if isinstance(term, Sum) else (term,))
    if len(flat) == 2 and all(isinstance(_plain(term), int) for term in flat):
        return Number(str(sum(int(_plain(term) or 0) for term in flat)))
    return ZERO if not flat else flat[0] if len(flat) == 1 else Sum(tuple(flat))


def _plain(tree: Tree) -> int | None:
    """The integer that a tree is, if it is one."""
    if isinstance(tree, Number) and tree.text.lstrip("-").isdigit():
        return int(tree.text)
    if isinstance(tree, Negative):
        inner = _plain(tree.body)
        return None if inner is None else -inner
    return None


def _tidy_product(tree: Product) -> Tree:
    return _product_of(tree.factors, keep_ones=False)


def _product_of(factors: tuple[Tree, ...], keep_ones: bool) -> Tree:
    if ZERO in factors:
        return ZERO
    flat: list[Tree] = []
    negative = False
    for factor in factors:
        if isinstance(factor, Negative) and not keep_ones:
            negative = not negative
            factor = factor.body
        flat.extend(factor.factors if isinstance(factor, Product) else (factor,))
    if not keep_ones:
        flat = [factor for factor in flat if factor != ONE] or [ONE]
        flat = _half_of_two(flat)
    result = flat[0] if len(flat) == 1 else Product(tuple(flat))
    return Negative(result) if negative else result


def _half_of_two(factors: list[Tree]) -> list[Tree]:
    """1/2 * 2 is 1."""
    half = Quotient(ONE, TWO)
    if half in factors and TWO in factors:
        left = list(factors)
        left.remove(half)
        left.remove(TWO)
        return left or [ONE]
    return factors


def _tidy_negative(tree: Negative) -> Tree:
    if tree.body == ZERO:
        return ZERO
    if isinstance(tree.body, Negative):
        return tree.body.body
    if isinstance(tree.body, Quotient) and isinstance(tree.body.top, Negative):
        return Quotient(tree.body.top.body, tree.body.bottom)
    return tree


def _tidy_power(tree: Power) -> Tree:
    if tree.exponent == ONE:
        return tree.base
    return ONE if tree.exponent == ZERO else tree


def _tidy_quotient(tree: Quotient) -> Tree:
    if tree.top == ZERO:
        return ZERO
    return tree.top if tree.bottom == ONE else tree


def _tidy_cases(tree: Cases) -> Tree:
    values = {value for _, value in tree.branches} | {tree.otherwise}
    return values.pop() if len(values) == 1 else tree


_TIDY: dict[type, Callable[..., Tree]] = {
    Sum: _tidy_sum,
    Product: _tidy_product,
    Negative: _tidy_negative,
    Power: _tidy_power,
    Quotient: _tidy_quotient,
    Cases: _tidy_cases,
}
