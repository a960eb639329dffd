"""Programs that may lay out their arrays, definition by definition: what looks like W x + b and is not, products with
the rate that something else reads, and arrays that are read after they are replaced. Expected is NumPy by hand."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from programs import stepped
from sympy import Expr, Idx, IndexedBase, Max, Sum, Symbol, sin

from derive.network.graph import Definition
from derive.numeric.emit import Free, array_program

ETA = Symbol("eta")
W, V, U, P, b, c, x, G, H, d, y = map(IndexedBase, ("W", "V", "U", "P", "b", "c", "x", "G", "H", "d", "y"))


def index(letter: str, size: int) -> Idx:
    return Idx(Symbol(letter, integer=True), (0, size - 1))


i, j, k, n, u = index("i", 4), index("j", 3), index("k", 3), index("n", 5), index("u", 2)

GIVEN: Mapping[str, Any] = {
    name: np.random.default_rng(at).normal(size=shape)
    for at, (name, shape) in enumerate(
        {"W": (3, 4), "V": (3, 4), "U": (3, 2), "P": (3, 4), "G": (3, 4), "H": (4, 2), "A": (3, 5), "C": (5, 4)}.items()
    )
} | {"b": np.array([0.3, -0.7, 1.1]), "c": np.array([1.5, 0.2, -0.4]), "x": np.linspace(-1.0, 1.0, 20).reshape(5, 4)}


def after(
    definitions: Sequence[Definition],
    results: Sequence[str],
    swaps: Collection[str] = (),
    owned: Collection[str] = ("W", "b", "V", "c"),
    data: Collection[str] = ("x",),
    **more: Any,
) -> dict[str, Any]:
    """`results`, and the arrays of `swaps` after a step with the rate 1/4."""
    arrays = {**GIVEN, **more}
    in_place = {f"{name}+": name for name in swaps}
    shapes = {name: array.shape for name, array in arrays.items()} | {"eta": ()}
    free = Free(frozenset(owned), frozenset(data))
    program = array_program(definitions, shapes, [*in_place, *results], in_place=in_place, arguments=["eta"], free=free)
    return stepped(program, arrays, list(swaps))


def affine(letter: Idx) -> Expr:
    return Sum(W[j, i] * x[letter, i], i)


def same(found: Any, expected: Any) -> None:
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_a_bias_along_the_other_axis_is_not_a_column_of_the_weights() -> None:
    few = GIVEN["x"][:3]  # as many columns as rows
    found = after([Definition("y", (j, k), affine(k) + b[k])], ["y"], x=few)["y"]
    same(found, GIVEN["W"] @ few.T + GIVEN["b"][None, :])


def test_a_product_that_is_a_result_itself_is_computed_without_its_bias_too() -> None:
    found = after([Definition("d", (j, n), affine(n)), Definition("y", (j, n), d[j, n] + b[j])], ["d", "y"])
    same(found["d"], GIVEN["W"] @ GIVEN["x"].T)
    same(found["y"], GIVEN["W"] @ GIVEN["x"].T + GIVEN["b"][:, None])


def test_a_row_of_numbers_that_is_no_sample_gets_no_column_of_ones() -> None:
    one = GIVEN["x"][0]
    found = after([Definition("y", (j,), Sum(W[j, i] * x[i], i) + b[j])], ["y"], x=one)["y"]
    same(found, GIVEN["W"] @ one + GIVEN["b"])


def test_weights_and_biases_that_are_changed_in_other_ways_are_not_changed_as_one() -> None:
    """max(sin V, V) for the weights, max(sin c, e) for the biases: V stands beside c in one place, beside e in another."""
    definitions = [
        Definition("y", (j, n), affine(n) + b[j]),
        Definition("W+", (j, i), W[j, i] - Max(sin(V[j, i]), V[j, i])),
        Definition("b+", (j,), b[j] - Max(sin(c[j]), IndexedBase("e")[j])),
        Definition("z", (j, n), sin(y[j, n])),
    ]
    e = np.array([0.1, 2.0, -0.3])
    found = after(definitions, ["z"], ["W", "b"], owned=("W", "b", "V", "c", "e"), e=e)
    same(found["W"], GIVEN["W"] - np.maximum(np.sin(GIVEN["V"]), GIVEN["V"]))
    same(found["b"], GIVEN["b"] - np.maximum(np.sin(GIVEN["c"]), e))


SIGNAL = Definition("d", (j, i), Sum(IndexedBase("A")[j, n] * IndexedBase("C")[n, i], n))
D = GIVEN["A"] @ GIVEN["C"]


def test_a_scaled_signal_that_is_multiplied_further_is_not_the_signal() -> None:
    definitions = [
        SIGNAL,
        Definition("W+", (j, i), W[j, i] - ETA * d[j, i] * G[j, i]),
        Definition("V+", (j, i), V[j, i] - ETA * d[j, i]),
        Definition("P+", (j, i), P[j, i] - ETA * d[j, i] * W[j, i]),
    ]
    found = after(definitions, [], ["W", "V", "P"])
    same(found["W"], GIVEN["W"] - 0.25 * D * GIVEN["G"])
    same(found["V"], GIVEN["V"] - 0.25 * D)
    same(found["P"], GIVEN["P"] - 0.25 * D * GIVEN["W"])


def test_a_scaled_signal_that_is_a_result_is_computed() -> None:
    definitions = [
        SIGNAL,
        Definition("P+", (j, i), ETA * d[j, i]),
        Definition("W+", (j, i), W[j, i] - ETA * d[j, i]),
        Definition("y", (j, u), Sum(d[j, i] * H[i, u], i)),
        Definition("U+", (j, u), U[j, u] - ETA * y[j, u]),
    ]
    found = after(definitions, [], ["P", "W", "U"])
    same(found["P"], 0.25 * D)
    same(found["W"], GIVEN["W"] - 0.25 * D)
    same(found["U"], GIVEN["U"] - 0.25 * D @ GIVEN["H"])


@pytest.mark.parametrize("kept", ["P+", "z"])
def test_an_array_that_is_a_result_is_what_it_was_before_it_was_replaced(kept: str) -> None:
    definitions = [Definition("W+", (j, i), W[j, i] - ETA * G[j, i]), Definition(kept, (j, i), W[j, i])]
    found = after(definitions, [] if kept == "P+" else ["z"], ["W", "P"] if kept == "P+" else ["W"])
    same(found["W"], GIVEN["W"] - 0.25 * GIVEN["G"])
    same(found[kept.removesuffix("+")], GIVEN["W"])


def test_two_arrays_change_places() -> None:
    found = after([Definition("W+", (j, i), P[j, i]), Definition("P+", (j, i), W[j, i])], [], ["W", "P"])
    same(found["W"], GIVEN["P"])
    same(found["P"], GIVEN["W"])
