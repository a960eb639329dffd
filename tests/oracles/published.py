"""Where derive keeps each number of the published walkthroughs (`*.json`, read as they are; README of the oracles: the
digits as printed are in `published`, the same example recomputed elsewhere in `recomputed`, misprints in `errata`).

A place is an id (`net_h1`, `dE_total/dw5`, `w5+`), with `@1` for the second sample and `softmax-by-hand:` before it where
another example than the oracle's first one holds it (`adam-first-update:1:` its second part). A derivative that has no id of its own, such as `dnet_h1/dw1`, is
evaluated from `Solution.formula`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from derive.api import Solution, SolutionSet, solve

HERE = Path(__file__).parent
EXAMPLES = HERE.parent.parent / "examples"


@dataclass(frozen=True)
class Oracle:
    """`example` holds the numbers; `published`: label -> place; `names`: a recomputed name -> place, where it differs.

    `loss` is what gradients are of. `off_page`: labels that the example's page has no line for, with the reason.
    `variant` changes the example's data for the recomputed numbers (biases that are trained there).
    """

    name: str
    example: str
    loss: str
    published: Mapping[str, str]
    names: Mapping[str, str] = field(default_factory=dict)
    off_page: Mapping[str, str] = field(default_factory=dict)
    variant: Callable[[dict[str, Any]], None] | None = None
    recomputed: tuple[str, ...] = ("forward", "grad", "updated")
    absent: Mapping[str, str] = field(default_factory=dict)  # recomputed keys that derive has no number for, and why
    source: Callable[[], Any] | None = None  # instead of an example: a problem that is built here


@cache
def read(name: str) -> dict[str, Any]:
    """The oracle's file."""
    return json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))


@cache
def example(name: str, options: tuple[tuple[str, Any], ...] = ()) -> Solution | SolutionSet:
    """A solved example."""
    return solve(EXAMPLES / f"{name}.yaml", **dict(options))


@cache
def page(name: str, options: tuple[tuple[str, Any], ...] = ()) -> str:
    """An example's page as text."""
    return example(name, options).to_text()


def number_at(place: str, default: str) -> float:
    """The number at a place, at full precision."""
    if place.startswith("root: "):
        return math.sqrt(number_at(place.removeprefix("root: "), default))
    if place.startswith("difference: "):
        above, below = place.removeprefix("difference: ").split()
        return number_at(above, default) - number_at(below, default)
    file, _, id_ = place.rpartition(":")
    return number(solution_of(file or default), id_)


def solution_of(file: str) -> Solution:
    """An example, or one of its parts: `adam-first-update:1`."""
    name, _, part = file.partition(":")
    solved = example(name)
    return solved.parts[int(part)] if isinstance(solved, SolutionSet) else solved


def number(solution: Solution, place: str) -> float:
    """A value by id and sample; a derivative without an id is evaluated from its formula at one sample."""
    id_, _, sample = place.partition("@")
    values = solution.values
    if id_ in values:
        found = values[id_]
        return found[int(sample or 0)] if isinstance(found, list) else found
    formula = solution.formula(id_)
    at = {}
    for symbol in formula.free_symbols:
        value = values[str(symbol)]
        at[symbol] = value[int(sample or 0)] if isinstance(value, list) else value
    return float(formula.evalf(17, subs=at))


def _bias_too(data: dict[str, Any]) -> None:
    for layer in data["layers"]:
        layer.pop("trainable")


def _same(*ids: str) -> dict[str, str]:
    return {id_: id_ for id_ in ids}


def _grid(name: str, rows: int, columns: int, written: str) -> dict[str, str]:
    return {f"{name}[{r},{c}]": f"{written}{r + 1}{c + 1}" for r in range(rows) for c in range(columns)}


def _list(name: str, count: int, written: str, start: int = 1) -> dict[str, str]:
    return {f"{name}[{at}]": f"{written}{at + start}" for at in range(count)}


DX_AND_DW = (("x", 0), ("x", 1), ("w", 0), ("w", 1), ("w", 2))
ONE_SAMPLE = "the page works its lines for one sample"
ONE_LINE = "the step and what it is taken from stand in one line"
ADAM = {"m": "m", "v": "v", "mhat": "m_hat", "vhat": "v_hat"}
ADAM_SHORT = {"m": "m", "v": "v", "mh": "m_hat", "vh": "v_hat"}
NOT_TRAINED_FOR = "the page trains for 10,000 steps, this is the number after 9,999"

ORACLES = (
    Oracle(
        "mazur_2_2_2",
        "w1-mazur",
        "E_total",
        {
            **_same("net_h1", "out_h1", "out_h2", "net_o1", "out_o1", "out_o2", "E_o1", "E_o2", "E_total"),
            "out_o1 (Chinese summary line, seed 001 and rst)": "out_o1",
            "dE/dout_o1": "dE_total/dout_o1",
            **_same("dout_o1/dnet_o1", "dnet_o1/dw5", "dE_o1/dnet_o1", "dE_o1/dout_h1", "dE_o2/dout_h1"),
            "dnet_o1/dw5 as typed inside the product (rst)": "dnet_o1/dw5",
            "dE/dw5": "dE_total/dw5",
            **_same(*(f"w{at}+" for at in range(1, 9))),
            "dE/dout_h1": "dE_total/dout_h1",
            **_same("dout_h1/dnet_h1", "dnet_h1/dw1"),
            "dE/dw1": "dE_total/dw1",
            "E_total after 1 update": "E_total+",
            "E_total after 10,000 (current Mazur page)": "steps 9999: E_total",
            "E_total after 10,000 (seed 001/rst)": "steps 10000: E_total",
            "out_o1 after 10,000": "steps 10000: out_o1",
            "out_o2 after 10,000": "steps 10000: out_o2",
        },
        names={"t1": "target_o1", "t2": "target_o2"},
        off_page={"E_total after 10,000 (current Mazur page)": NOT_TRAINED_FOR},
        variant=_bias_too,
    ),
    Oracle(
        "fiqlab_2_2_1",
        "sigmoid-step-by-step",
        "E",
        {
            **_same("net_h1", "out_h1", "net_h2", "out_h2", "net_o1", "out_o1"),
            "e^(-0.3775)": "e_h1",
            "1+e": "s_h1",
            "e^(-0.3925)": "e_h2",
            "1+e (h2)": "s_h2",
            "w5*out_h1": "p5",
            "w6*out_h2": "p6",
            "e^(-1.10591)": "e_o1",
            "1+e (o1)": "s_o1",
        },
    ),
    Oracle(
        "fiqlab_2_2_1",
        "mlp-2-2-1",
        "E_total",
        _same("net_h1", "out_h1", "net_h2", "out_h2", "net_o1", "out_o1"),
        names={"t1": "target_o1", "E": "E_total"},
    ),
    Oracle(
        "kircerta_2_2_1_relu",
        "relu-2-2-1",
        "E_total",
        {
            "z1[0]": "net_h1",
            "z1[1]": "net_h2",
            "h[0]": "out_h1",
            "h[1]": "out_h2",
            "yhat": "out_y",
            "L": "E_total",
            "dL/dyhat": "dE_total/dout_y",
            "dL/dW2[0]": "dE_total/dw5",
            "dL/dW2[1]": "dE_total/dw6",
        },
        names={
            "z1[0]": "net_h1",
            "z1[1]": "net_h2",
            "h[0]": "out_h1",
            "h[1]": "out_h2",
            "yhat": "out_y",
            "x[0]": "x1",
            "x[1]": "x2",
            "L": "E_total",
            "y": "target_y",
            "b1[0]": "b1",
            "b1[1]": "b2",
            "b2": "b3",
            "W1[0,0]": "w1",
            "W1[0,1]": "w2",
            "W1[1,0]": "w3",
            "W1[1,1]": "w4",
            "W2[0]": "w5",
            "W2[1]": "w6",
        },
    ),
    Oracle(
        "cs231n_f_xyz",
        "w3-circuit",
        "f",
        {
            **_same("q", "f", "df/dz", "df/dq", "df/dx", "df/dy", "df/df"),
            "forward-diff df/dx h=1e-4": "df/dx",
            "forward-diff df/dz": "df/dz",
        },
    ),
    Oracle(
        "cs231n_gradient_flow",
        "gradient-flow",
        "out",
        {
            "x*y": "xy",
            "max": "larger",
            "sum": "total",
            "out": "out",
            "grad out": "dout/dout",
            "grad sum": "dout/dtotal",
            "grad xy": "dout/dxy",
            "grad max": "dout/dlarger",
            **{f"grad {name}": f"dout/d{name}" for name in "xyzw"},
        },
        names={"max": "larger", "sum": "total"},
    ),
    Oracle(
        "cs231n_linear_scores",
        "linear-scores",
        "E_total",
        {"cat": "out_cat", "dog": "out_dog", "ship": "out_ship"},
        names={
            "f[0]": "out_cat",
            "f[1]": "out_dog",
            "f[2]": "out_ship",
            "L": "E_total",
            **{f"W[{r},{c}]": f"w{4 * r + c + 1}" for r in range(3) for c in range(4)},
            **_list("x", 4, "x"),
            **_list("b", 3, "b"),
        },
    ),
    Oracle(
        "cs231n_sigmoid_neuron",
        "sigmoid-neuron",
        "f",
        {
            "w0*x0": "p0",
            "w1*x1": "p1",
            "sum1": "sum1",
            "dot": "dot",
            "neg": "neg",
            "exp": "ex",
            "plus1": "plus1",
            "f": "f",
            "grad w0*x0": "df/dp0",
            "grad w1*x1": "df/dp1",
            "grad exp": "df/dex",
            **{f"grad {name}": f"df/d{name}" for name in ("plus1", "neg", "dot", "sum1", "w0", "x0", "w1", "x1", "w2")},
            "local grad (1-.73)*.73": "df/ddot",
            # the full digits are those of the program that differentiates through the output
            **{f"d{name}[{at}]": f"sigmoid-neuron-through-its-output:dE_total/d{name}{at}" for name, at in DX_AND_DW},
        },
        names={"w0*x0": "p0", "w1*x1": "p1", "exp": "ex"},
    ),
    Oracle(
        "guylewy_ce_exam",
        "cross-entropy-exam",
        "E_total",
        {
            **{f"dCE/dz{at}": f"softmax-minus-target:dCE/dz{at}" for at in range(3)},
            "mean CE": "E_total",
        },
        names={
            "mean_ce": "E_total",
            **{f"l{sample + 1}[{at}]": f"{'ab'[at]}@{sample}" for sample in range(3) for at in range(2)},
        },
    ),
    Oracle("micrograd_readme", "micrograd", "g", _same("g", "dg/da", "dg/db")),
    Oracle(
        "numeric_gradient_checks",
        "numeric-derivative",
        "y",
        {
            "autograd tanh'(1)": "dy/dx",
            "(tanh(1.0001)-tanh(0.9999))/0.0002": "slope",
            "numerical_diff f at 5": "numeric-derivative-of-a-parabola:slope",
        },
        names={"tanh": "y"},
    ),
    Oracle(
        "saito_buy_apple_orange",
        "apples-and-oranges",
        "price",
        {
            "price": "price",
            "dApple": "dprice/dapple",
            "dApple_num": "dprice/dapple_num",
            "dOrange": "dprice/dorange",
            "dOrange_num": "dprice/dorange_num",
            "dTax": "dprice/dtax",
        },
    ),
    Oracle(
        "softmax_tables",
        "softmax-sharpness",
        "E_total",
        {
            "e^1": "exp_cat@0",
            "e^-2": "exp_dog@0",
            "e^0": "exp_ship@0",
            "p": "out_cat@0",
            "p (2)": "out_dog@0",
            "p (3)": "out_ship@0",
            "e^.5": "exp_cat@1",
            "e^-1": "exp_dog@1",
            "p half": "out_cat@1",
            "p half (2)": "out_dog@1",
            "p half (3)": "out_ship@1",
            "p [12.5,.6,-23] cat": "out_cat@2",
            "dog": "out_dog@2",
            "ship": "out_ship@2",
            "e^-1 (2)": "softmax-by-hand:e1",
            "e^3": "softmax-by-hand:e3",
            "e^5": "softmax-by-hand:e4",
            "sum": "softmax-by-hand:S",
            **{f"p ({at + 4})": f"softmax-by-hand:p{at + 1}" for at in range(4)},
            "p full": "softmax-by-hand:p1",
            **{f"p full ({at})": f"softmax-by-hand:p{at}" for at in (2, 3, 4)},
            "e^2": "softmax-two-classes:exp_cat",
            "dog (2)": "softmax-two-classes:out_dog",
            "cat": "softmax-two-classes:out_cat",
        },
        off_page={"e^.5": ONE_SAMPLE, "e^-1": ONE_SAMPLE},
        names={
            **{
                f"{ours}_{letter}[{at}]": f"{theirs}_{unit}@{sample}"
                for sample, letter in enumerate("fhk")
                for at, unit in enumerate(("cat", "dog", "ship"))
                for ours, theirs in (("e", "exp"), ("p", "out"))
            },
            **{f"{ours}_v[{at}]": f"softmax-by-hand:{ours}{at + 1}" for ours in "ep" for at in range(4)},
            **{
                f"{ours}_u[{at}]": f"softmax-two-classes:{theirs}_{unit}"
                for at, unit in enumerate(("dog", "cat"))
                for ours, theirs in (("e", "exp"), ("p", "out"))
            },
        },
    ),
    Oracle(
        "d2l_corr2d_pool",
        "cross-correlation",
        "total",
        {**_grid("Y", 2, 2, "y"), **{f"pool[{r},{c}]": f"max-pooling:y{r + 1}{c + 1}" for r in (0, 1) for c in (0, 1)}},
        names={
            **_grid("Y", 2, 2, "y"),
            **{f"pool[{r},{c}]": f"max-pooling:y{r + 1}{c + 1}" for r in (0, 1) for c in (0, 1)},
            **_grid("x", 3, 3, "x"),
            **_grid("k", 2, 2, "k"),
            "Lsum": "total",
        },
        absent={f"dL/dpool[{r},{c}]": "the loss does not depend on it" for r in (0, 1) for c in (0, 1)},
    ),
    Oracle(
        "gatech_conv_backward",
        "convolution-backward",
        "L",
        {
            **{f"dw[{r},{c}]": f"dL/dw{r + 1}{c + 1}" for r in (0, 1) for c in (0, 1)},
            "db": "dL/db",
            **{f"dx[{r},{c}]": f"dL/dx{r + 1}{c + 1}" for r in range(3) for c in range(3)},
        },
        names={**_grid("out", 2, 2, "o"), **_grid("x", 3, 3, "x"), **_grid("w", 2, 2, "w")},
    ),
    Oracle(
        "batchnorm_bh_pravin",
        "batch-normalisation",
        "L",
        {"mean": "mu", "variance": "var", **_list("xhat", 8, "n"), **_list("y", 8, "y")},
        names={**_list("xhat", 8, "n"), **_list("y", 8, "y"), **_list("x", 8, "x")},
    ),
    Oracle(
        "adam_gbasran_3_steps",
        "adam-by-hand",
        "f",
        {
            **{f"g{t}": f"df/dtheta#{t}" for t in (1, 2, 3)},
            **{f"{ours}{t}": f"{theirs}_theta#{t}" for t in (1, 2, 3) for ours, theirs in ADAM.items()},
            **{f"theta{t}": f"theta#{t}" for t in (1, 2, 3)},
            "sqrt(vhat2)": "root: v_hat_theta#2",
            "step2": "difference: theta#1 theta#2",
            "step3": "difference: theta#2 theta#3",
            **{f"EMA m{t}": f"adam-running-mean:m{t}" for t in range(1, 6)},
            **{f"EMA mhat{t}": f"adam-running-mean:h{t}" for t in range(1, 6)},
            "1.75/0.41": "adam-first-update:3:h",
            "param1 v2": "adam-first-update:1:v2",
            "param1 vhat2": "adam-first-update:1:h",
            "eff alpha t2": "adam-first-update:1:rate",
            "param2 v1": "adam-first-update:2:v",
            "q4quant m1": "adam-first-update:0:m_theta+",
            "q4quant v1": "adam-first-update:0:v_theta+",
            "q4quant step": "difference: adam-first-update:0:theta+ adam-first-update:0:theta",
        },
        names={
            **{f"g_{t}": f"df/dtheta#{t}" for t in (1, 2, 3)},
            **{f"{ours}_{t}": f"{theirs}_theta#{t}" for t in (1, 2, 3) for ours, theirs in ADAM_SHORT.items()},
            **{f"theta_{t}": f"theta#{t}" for t in (1, 2, 3)},
            **{f"ema_m_{t}": f"adam-running-mean:m{t}" for t in range(1, 6)},
            **{f"ema_mhat_{t}": f"adam-running-mean:h{t}" for t in range(1, 6)},
        },
        off_page={"step2": ONE_LINE, "step3": ONE_LINE, "q4quant step": ONE_LINE},
        recomputed=("extra",),
        absent={f"step_{t}": ONE_LINE for t in (1, 2, 3)},
    ),
    Oracle(
        "qml_attention_weights",
        "attention-one-query",
        "p1",
        {f"P[0,{at}]": f"p{at + 1}" for at in range(3)},
        recomputed=(),
    ),
)
