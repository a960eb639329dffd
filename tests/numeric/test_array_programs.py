"""Whole-array programs against the slow interpreter: layers of every kind, and definitions that no layer has."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from interpreter import interpreted
from networks import drawn
from numpy.typing import NDArray
from programs import stepped
from stacks import Case, alone, case, stacks
from sympy import Eq, Expr, Idx, IndexedBase, Max, Piecewise, Rational, Sum, Symbol, exp, tanh

from derive.calculus.chain import gradient_of
from derive.network.graph import Definition, Loop, Scatter
from derive.numeric.emit import ArrayProgram, Free, array_program
from derive.numeric.safe_forms import LARGEST
from derive.problem.layer_types import LAYER_TYPES

SEEDS = st.integers(0, 10**6)
Arrays = dict[str, NDArray[Any]]


def program_of(
    definitions: list[Definition] | tuple[Definition, ...], arrays: Arrays, names: list[str], **more: Any
) -> ArrayProgram:
    return array_program(definitions, {name: array.shape for name, array in arrays.items()}, names, **more)


def results(definitions: Any, arrays: Arrays, names: list[str], **more: Any) -> Arrays:
    """The results of a second step: what the first has left in the buffers must not matter."""
    floats = {name: np.array(array, dtype=more.get("dtype", "float64")) for name, array in arrays.items()}
    program = program_of(definitions, floats, names, **more)
    step = program.bind({name: floats[name] for name in program.inputs})
    with np.errstate(all="ignore"):
        step()
        return {name: np.array(value) for name, value in zip(program.outputs, step(), strict=True)}


def assert_close(found: Arrays, expected: Arrays, loose: float = 1e-10) -> None:
    for name, value in found.items():
        scale = max(1.0, float(np.abs(expected[name]).max(initial=0)))
        np.testing.assert_allclose(value, expected[name], rtol=loose, atol=loose * scale, err_msg=name)


# layers


def agree(it: Case) -> None:
    """Gradients alone, everything at once, and an update in place."""
    definitions = (*it.graph.definitions, *it.derivation.gradients.values())
    arrays = {name: np.asarray(value) for name, value in it.given.items()}
    expected = interpreted(definitions, arrays)
    gradients = [gradient_of(name) for name in it.differentiated]
    assert_close(results(definitions, arrays, gradients), expected, 1e-9)
    everything = [definition.array for definition in definitions]
    assert_close(results(definitions, arrays, everything, exact=True), expected, 1e-9)
    moved = {name: f"{name}+" for name in it.graph.trainable if gradient_of(name) in gradients}
    updates = [
        Definition(new, it.graph.arrays[name].indices, _read(it, name) - Symbol("eta") * _read(it, name, "d_"))
        for name, new in moved.items()
    ]
    bound = {name: np.array(value, dtype=float) for name, value in arrays.items()}
    swaps = {new: name for name, new in moved.items()}
    shapes = {name: array.shape for name, array in bound.items()} | {"eta": ()}
    program = array_program((*definitions, *updates), shapes, list(swaps), in_place=swaps, arguments=["eta"])
    with np.errstate(all="ignore"):
        program.bind({name: bound[name] for name in program.inputs})(0.25)
    wanted = {name: arrays[name] - 0.25 * expected[gradient_of(name)] for name in moved}
    assert_close({name: bound[name] for name in moved}, wanted, 1e-9)
    free = array_program(
        (*definitions, *updates), shapes, list(swaps), in_place=swaps, arguments=["eta"], free=_free(it, arrays)
    )
    assert_close(stepped(free, arrays, list(moved)), wanted, 1e-9)


def _free(it: Case, arrays: Arrays) -> Free:
    """Parameters may be stored together, what samples fill may get a column of ones, and shares of 1 are known."""
    data = {name for name in arrays if it.graph.arrays[name].per_sample}
    shares = {name for name in data if arrays[name].ndim > 1 and np.all(arrays[name].sum(axis=-1) == 1)}
    return Free(frozenset(arrays) - data, frozenset(data), frozenset(shares))


def _read(it: Case, name: str, prefix: str = "") -> Expr:
    indices = it.graph.arrays[name].indices
    return IndexedBase(prefix + name)[indices] if indices else Symbol(prefix + name)


@pytest.mark.parametrize("name", LAYER_TYPES)
def test_every_type_of_layer_is_as_the_interpreter_says(name: str) -> None:
    @drawn(2)
    @given(alone(name), st.integers(1, 3), SEEDS)
    def property_(data: dict[str, Any], samples: int, seed: int) -> None:
        agree(case(data, samples, seed))

    property_()


@drawn(8)
@given(stacks(), st.integers(1, 3), SEEDS)
def test_any_stack_is_as_the_interpreter_says(data: dict[str, Any], samples: int, seed: int) -> None:
    agree(case(data, samples, seed))


# definitions that no layer has


def index(letter: str, size: int) -> Idx:
    return Idx(letter, size)


@st.composite
def places(draw: st.DrawFn, axes: list[Idx]) -> Expr:
    """An affine place: shifted, turned round, strided, at one number, or not always whole."""
    steps = [draw(st.sampled_from((0, 1, 1, 1, 2, -1))) for _ in axes]
    place = sum((step * axis for step, axis in zip(steps, axes, strict=True)), Rational(draw(st.integers(-2, 3))))
    return place / draw(st.sampled_from((1, 1, 1, 2, 3)))


@st.composite
def any_definition(draw: st.DrawFn) -> tuple[Definition, Arrays]:
    """y[i,j] = f(sum(x[...]*w[...] + ..., k)) with reads at any places."""
    i, j, k = (index(letter, draw(st.integers(1, 4))) for letter in "ijk")
    axes = [i, j, k]
    arrays: Arrays = {}
    generator = np.random.default_rng(draw(SEEDS))

    def element() -> Expr:
        name = draw(st.sampled_from("xwv"))
        if name not in arrays:
            arrays[name] = generator.normal(size=tuple(draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))))
        shape = arrays[name].shape
        plain = [axis for axis in axes if draw(st.booleans())]
        chosen = [draw(places(plain)) if plain else Rational(draw(st.integers(0, 3))) for _ in shape]
        return IndexedBase(name)[tuple(chosen)]

    product = element()
    for _ in range(draw(st.integers(0, 3))):
        product = product * element() ** draw(st.sampled_from((1, 1, 1, 2)))
    if draw(st.booleans()):
        product = product + draw(st.sampled_from((2, -1))) * element()
    if draw(st.booleans()):
        product = Piecewise((product, i + k <= j), (element(), True))
    total: Expr = Sum(product, (k, 0, k.upper))
    wrapped = draw(
        st.sampled_from((total, tanh(total), Max(total, 0), total / 2 + element().xreplace({k: i}), exp(-(total**2))))
    )
    return Definition("y", (i, j), wrapped), arrays


@drawn(30)
@given(any_definition())
def test_any_definition_is_as_the_interpreter_says(drawn_: tuple[Definition, Arrays]) -> None:
    definition, arrays = drawn_
    expected = interpreted([definition], arrays)
    assert_close(results([definition], arrays, ["y"]), expected)


@st.composite
def any_scatter(draw: st.DrawFn) -> tuple[Definition, Arrays]:
    """y[...] += x[i,j,k] at shifted places, one or several terms; `expression` is not used."""
    i, j, k = (index(letter, draw(st.integers(1, 3))) for letter in "ijk")
    target = tuple(index(letter, draw(st.integers(1, 5))) for letter in draw(st.sampled_from(("p", "pq"))))
    generator = np.random.default_rng(draw(SEEDS))
    arrays: Arrays = {name: generator.normal(size=(i.upper + 1, j.upper + 1, k.upper + 1)) for name in "xw"}
    parts = []
    for _ in range(draw(st.integers(1, 3))):
        steps = st.sampled_from((0, 1, 1, 2, -1))
        at = tuple(sum((draw(steps) * axis for axis in (i, j, k)), Rational(draw(st.integers(-1, 2)))) for _ in target)
        body = IndexedBase(draw(st.sampled_from("xw")))[i, j, k]
        parts.append(Scatter(at, (i, j, k), draw(st.sampled_from((body, 2 * body, body**2)))))
    return Definition("y", target, Rational(0), scatter=tuple(parts)), arrays


@drawn(30)
@given(any_scatter())
def test_any_scatter_is_as_the_interpreter_says(drawn_: tuple[Definition, Arrays]) -> None:
    definition, arrays = drawn_
    expected = interpreted([definition], arrays, scattered=True)
    assert_close(results([definition], arrays, ["y"]), expected)


@pytest.mark.parametrize("descending", [False, True])
def test_a_recurrence_runs_along_its_loop_and_what_follows_reads_all_of_it(descending: bool) -> None:
    n, t, j, k = index("n", 3), index("t", 5), index("j", 2), index("k", 2)
    x, u, h, z = (IndexedBase(name) for name in ("x", "U", "h", "z"))
    loop = Loop(t, descending=descending)
    before = t + 1 if descending else t - 1
    definitions = [
        Definition("z", (n, t, j), x[n, t, j] + Sum(u[j, k] * h[n, before, k], (k, 0, 1)), loop=loop),
        Definition("h", (n, t, j), tanh(z[n, t, j]), loop=loop),
        Definition("y", (n, j), Sum(h[n, t, j] * h[n, before, j], (t, 0, 4)) + h[n, 2, j]),
        Definition("g", (j, k), Sum(z[n, t, j] * h[n, before, k], (n, 0, 2), (t, 0, 4))),
    ]
    generator = np.random.default_rng(1)
    arrays: Arrays = {"x": generator.normal(size=(3, 5, 2)), "U": generator.normal(size=(2, 2))}
    expected = interpreted(definitions, arrays)
    for names in (["h"], ["y"], ["g"], ["y", "g", "z", "h"]):
        assert_close(results(definitions, arrays, names), expected)


def test_the_first_step_may_read_a_given_state() -> None:
    n, t, k = index("n", 2), index("t", 3), index("k", 2)
    h, start, u = IndexedBase("h"), IndexedBase("h0"), Symbol("u")
    formula = tanh(Piecewise((u * start[k], Eq(t, 0)), (u * h[n, t - 1, k], True)))
    definitions = [Definition("h", (n, t, k), formula, loop=Loop(t))]
    arrays: Arrays = {"h0": np.array([0.3, -0.7]), "u": np.array(1.5)}
    assert_close(results(definitions, arrays, ["h"]), interpreted(definitions, arrays))


@pytest.mark.parametrize("factor", [2, Rational(1, 2), -3])
def test_the_largest_of_numbers_with_a_factor_is_the_largest_of_their_products(factor: Any) -> None:
    n, k = index("n", 2), index("k", 3)
    x = IndexedBase("x")
    arrays: Arrays = {"x": np.array([[1.0, 5.0, -2.0], [-4.0, -7.0, -3.0]])}
    found = results([Definition("top", (n,), LARGEST(factor * x[n, k], k))], arrays, ["top"])["top"]
    assert found.tolist() == (float(factor) * arrays["x"]).max(axis=1).tolist()


def test_a_row_is_picked_by_twice_a_number() -> None:
    n, row, table = index("n", 3), IndexedBase("row"), IndexedBase("table")
    arrays: Arrays = {"row": np.array([0, 2, 1]), "table": np.array([10.0, 11.0, 12.0, 13.0, 14.0])}
    found = results([Definition("y", (n,), table[2 * row[n]] + table[row[n]])], arrays, ["y"])["y"]
    assert found.tolist() == [10.0 + 10.0, 14.0 + 12.0, 12.0 + 11.0]


def test_equal_tokens_add_up_at_one_row() -> None:
    n, t, j, v = index("n", 2), index("t", 3), index("j", 2), index("v", 4)
    token, d = IndexedBase("token"), IndexedBase("d")
    scatter = Scatter((token[n, t], j), (n, t, j), d[n, t, j])
    arrays: Arrays = {"token": np.array([[0, 1, 1], [3, 1, 0]]), "d": np.arange(12.0).reshape(2, 3, 2)}
    found = results([Definition("E", (v, j), Rational(0), scatter=(scatter,))], arrays, ["E"])["E"]
    # row 0: d[0,0] + d[1,2]; row 1: d[0,1] + d[0,2] + d[1,1]; row 3: d[1,0]
    assert found.tolist() == [[0.0 + 10.0, 1.0 + 11.0], [2.0 + 4.0 + 8.0, 3.0 + 5.0 + 9.0], [0.0, 0.0], [6.0, 7.0]]


# in place


def test_two_arrays_that_read_each_other_are_replaced_at_once() -> None:
    i = index("i", 3)
    a, b = IndexedBase("a"), IndexedBase("b")
    definitions = [Definition("a+", (i,), a[i] + b[i]), Definition("b+", (i,), a[i] - b[i])]
    arrays = {"a": np.array([1.0, 2.0, 3.0]), "b": np.array([10.0, 20.0, 30.0])}
    program = program_of(definitions, arrays, ["a+", "b+"], in_place={"a+": "a", "b+": "b"})
    program.bind(arrays)()
    assert arrays["a"].tolist() == [11.0, 22.0, 33.0]
    assert arrays["b"].tolist() == [-9.0, -18.0, -27.0]


def test_an_array_that_is_turned_over_is_not_overwritten_while_it_is_read() -> None:
    i, j = index("i", 3), index("j", 3)
    a = IndexedBase("a")
    arrays = {"a": np.arange(9.0).reshape(3, 3)}
    program = program_of([Definition("a+", (i, j), a[j, i] + a[i, j])], arrays, ["a+"], in_place={"a+": "a"})
    program.bind(arrays)()
    assert arrays["a"].tolist() == [[0.0, 4.0, 8.0], [4.0, 8.0, 12.0], [8.0, 12.0, 16.0]]


def test_data_may_be_refilled_between_steps() -> None:
    i = index("i", 2)
    w, x = IndexedBase("w"), IndexedBase("x")
    definitions = [Definition("w+", (i,), w[i] - Symbol("eta") * x[i] / Symbol("step"))]
    arrays = {"w": np.array([1.0, 2.0]), "x": np.array([1.0, 1.0])}
    shapes = {"w": (2,), "x": (2,), "eta": (), "step": ()}
    program = array_program(definitions, shapes, ["w+"], in_place={"w+": "w"}, arguments=["eta", "step"])
    step = program.bind(arrays)
    step(0.5, 1.0)
    arrays["x"][...] = [2.0, 4.0]
    step(0.5, 2.0)
    assert arrays["w"].tolist() == [1.0 - 0.5 - 0.5, 2.0 - 0.5 - 1.0]


def test_nothing_that_a_result_does_not_need_is_computed() -> None:
    i = index("i", 3)
    x = IndexedBase("x")
    definitions = [Definition("y", (i,), exp(x[i])), Definition("z", (i,), tanh(x[i]))]
    source = program_of(definitions, {"x": np.zeros(3)}, ["z"]).source
    assert "tanh(" in source
    assert "exp(" not in source


def test_float32_on_request() -> None:
    n, j, i = index("n", 4), index("j", 3), index("i", 5)
    w, x = IndexedBase("w"), IndexedBase("x")
    definitions = [Definition("y", (n, j), tanh(Sum(w[j, i] * x[n, i], (i, 0, 4)) / 3))]
    generator = np.random.default_rng(0)
    arrays = {"w": generator.normal(size=(3, 5)), "x": generator.normal(size=(4, 5))}
    found = results(definitions, arrays, ["y"], dtype="float32")["y"]
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, np.tanh(arrays["x"] @ arrays["w"].T / 3), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((2, 3)), r"x: expected float64 of shape \(3, 2\)"),
        (np.zeros((3, 2), np.float32), "got float32"),
        (np.zeros((2, 3)).T, "contiguous"),
    ],
)
def test_an_array_that_does_not_fit_is_refused(array: NDArray[Any], words: str) -> None:
    i, j = index("i", 3), index("j", 2)
    program = array_program([Definition("y", (i, j), tanh(IndexedBase("x")[i, j]))], {"x": (3, 2)}, ["y"])
    with pytest.raises(ValueError, match=words):
        program.bind({"x": array})


def test_no_typed_name_reaches_the_source() -> None:
    i = index("i", 3)
    wicked = "x; import os #"
    definitions = [
        Definition("lambda", (i,), tanh(IndexedBase(wicked)[i])),
        Definition("np", (i,), exp(IndexedBase("lambda")[i])),
    ]
    program = array_program(definitions, {wicked: (3,)}, ["np"])
    code = [line.split("#")[0] for line in program.source.splitlines()]
    assert not any("import" in line and "x_import_os" not in line for line in code)
    assert all(re.fullmatch(r"[A-Za-z_0-9]*", name) for line in code for name in re.findall(r"^\s+(\S+) =", line))
    (found,) = program.bind({wicked: np.zeros(3)})()
    assert found.tolist() == [1.0, 1.0, 1.0]
