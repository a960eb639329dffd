"""Every derivative that a table states, proved by SymPy against the derivative of its formula."""

from __future__ import annotations

import pytest
import sympy

from derive.api import solve
from derive.formula.parse import parse
from derive.formula.symbolic import to_sympy
from derive.problem.activations import ACTIVATIONS, Activation
from derive.problem.losses import LOSSES

z = sympy.Symbol("z", real=True)
ELEMENTWISE = [name for name, entry in ACTIVATIONS.items() if entry.formula and entry.derivative]


def expression(text: str, **values: sympy.Expr) -> sympy.Expr:
    return to_sympy(parse(text), lambda leaf: values[leaf.id])


def options(entry: Activation) -> dict[str, sympy.Expr]:
    return {name: sympy.Symbol(name, positive=True) for name in entry.options}


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_the_stated_derivative_is_that_of_the_formula(name: str) -> None:
    entry = ACTIVATIONS[name]
    a = expression(entry.formula, z=z, **options(entry))
    stated = expression(entry.derivative, z=z, a=a, **options(entry))
    difference = sympy.diff(a, z) - stated
    for side in (z > 0, z < 0):  # a kink at 0 has no derivative
        sign = sympy.Symbol("p", positive=True) if side == (z > 0) else -sympy.Symbol("p", positive=True)
        there = sympy.piecewise_fold(difference.subs(z, sign)).rewrite(sympy.exp)
        assert sympy.simplify(there.doit()) == 0, f"{name}: {sympy.diff(a, z)} is not {stated}"


@pytest.mark.parametrize("name", ELEMENTWISE)
@pytest.mark.parametrize("at", [-2.5, -0.3, 0.4, 1.7])
def test_the_stated_derivative_is_the_slope(name: str, at: float) -> None:
    entry = ACTIVATIONS[name]
    numbers = {option: sympy.Float(default) for option, default in entry.options.items()}

    def f(x: float) -> float:
        return float(expression(entry.formula, z=sympy.Float(x, 30), **numbers))

    stated = float(expression(entry.derivative, z=sympy.Float(at), a=sympy.Float(f(at)), **numbers))
    assert stated == pytest.approx((f(at + 1e-5) - f(at - 1e-5)) / 2e-5, rel=1e-7, abs=1e-9)


def test_the_jacobian_of_softmax_is_the_derivative_of_its_formula() -> None:
    """dp_k/dz_l = p_k (delta_kl - p_l), as the graph states it, against SymPy on e^z_k / sum e^z_l."""
    layer = {"dense": 3, "name": "o", "activation": "softmax", "weights": [[1], [2], [3]]}
    solution = solve({"inputs": {"x": 1}, "targets": "o1", "layers": [layer], "loss": "cross-entropy"})
    logits = sympy.symbols("net_o1:4")
    p = [sympy.exp(one) / sum(map(sympy.exp, logits)) for one in logits]
    for k in range(3):
        for j in range(3):
            stated = solution.formula(f"dout_o{k + 1}/dnet_o{j + 1}").subs({f"out_o{i + 1}": p[i] for i in range(3)})
            assert sympy.simplify(sympy.diff(p[k], logits[j]) - stated) == 0, (k, j, stated)


def test_softmax_with_cross_entropy_collapses_to_p_minus_y() -> None:
    layer = {"dense": 3, "name": "o", "activation": "softmax", "weights": [[1], [2], [3]]}
    solution = solve({"inputs": {"x": 1}, "targets": "o1", "layers": [layer], "loss": "cross-entropy"})
    for k in (1, 2, 3):
        formula = solution.formula(f"dE_total/dnet_o{k}")
        t = sympy.symbols("target_o1:4")
        total = sympy.expand(sympy.simplify(formula)).subs(t[0], 1 - t[1] - t[2])  # targets are shares of 1
        wanted = (sympy.Symbol(f"out_o{k}") - t[k - 1]).subs(t[0], 1 - t[1] - t[2])
        assert sympy.simplify(total - wanted) == 0


def test_maxout_passes_the_gradient_to_its_largest_piece_only() -> None:
    layer = {"dense": 1, "name": "o", "activation": {"maxout": {"pieces": 3}}, "weights": [[1], [4], [2]]}
    values = solve({"inputs": {"x": 1}, "targets": {"o1": 0}, "layers": [layer]}).values
    assert values["out_o1"] == 4
    assert [values[f"dE_total/dnet_o1_{piece}"] for piece in (1, 2, 3)] == [0, 4, 0]


def test_of_equal_pieces_the_first_wins() -> None:
    layer = {"dense": 1, "name": "o", "activation": {"maxout": {"pieces": 3}}, "weights": [[1], [2], [2]]}
    values = solve({"inputs": {"x": 1}, "targets": {"o1": 0}, "layers": [layer]}).values
    assert [values[f"dE_total/dnet_o1_{piece}"] for piece in (1, 2, 3)] == [0, 2, 0]


@pytest.mark.parametrize("name", [name for name, entry in LOSSES.items() if entry.part and name != "sum-of-outputs"])
def test_a_losss_slope_is_that_of_its_part(name: str) -> None:
    data = {
        "inputs": {"x": 0.3},
        "targets": {"o1": 1.0, "o2": 0.0},
        "layers": [{"dense": 2, "name": "o", "activation": "sigmoid", "weights": [[1], [-2]]}],
        "loss": name,
    }
    if name == "softmax-cross-entropy":
        data["layers"][0]["activation"] = "identity"
    solution = solve(data)
    t, y = sympy.symbols("t y", real=True)
    entry = LOSSES[name]
    slope = sympy.diff(expression(entry.part, t=t, y=y), y) / (2 if entry.average_outputs else 1)
    for unit in ("o1", "o2"):
        at = {t: solution.values[f"target_{unit}"], y: solution.values[f"out_{unit}"]}
        assert solution.values[f"dE_total/dout_{unit}"] == pytest.approx(float(slope.subs(at)), rel=1e-12)
