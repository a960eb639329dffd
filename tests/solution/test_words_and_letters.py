"""What a page says before it uses it, and what it does not claim: letters, conventions, one point of evaluation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest

import derive
from derive.render.dialect import columns
from derive.solution.layout import CasesOf

EXAMPLES = Path(__file__).parents[2] / "examples"
HINGE: dict[str, Any] = {
    "title": "t",
    "inputs": {"x1": 1, "x2": -2},
    "targets": "c2",
    "layers": [{"dense": 2, "name": "c", "weights": [[0.2, -0.5], [1.5, 1.3]]}],
    "loss": {"multiclass-hinge": {"margin": 2}},
    "regularization": {"l1": 0.1},
    "optimizer": {"sgd": {"learning-rate": 0.1}},
}


def text(data: Any, **options: Any) -> str:
    """The page as text, line ends as spaces."""
    return re.sub(r"\s+", " ", derive.solve(data, **options).to_text())


def test_a_page_without_numbers_lists_its_letters_before_the_forward_pass() -> None:
    before = text(EXAMPLES / "w2-formulas.yaml").split("Forward pass")[0]
    for said in ("weights of layer 1: w1, w2, w3, and w4", "bias of layer 2: b2", "learning rate: η", "w1⁺ is w1"):
        assert said in before


def test_a_page_with_numbers_has_no_such_list() -> None:
    assert "letters of this page" not in text(EXAMPLES / "w1-mazur.yaml")


def test_weights_counted_from_the_inputs_are_introduced() -> None:
    page = text(EXAMPLES / "w5-vectors.yaml")
    assert "w1, w2, and w3 leave x1; w4, w5, and w6 leave x2." in page
    assert "such as b1 beside w1" in page
    assert "x = [[x1], [x2]]" in page


def test_the_score_of_the_right_class_is_introduced_with_the_margin() -> None:
    page = text(HINGE)
    assert page.index("s_y is the score of the right class") < page.index("s_y = ")
    assert "lower by at least 2" in page


def test_what_the_sign_of_zero_is_taken_for_is_said_where_there_is_an_absolute_value() -> None:
    assert "|v| is sign(v)" in text(HINGE)
    assert "sign(v)" not in text(EXAMPLES / "softmax-classifier.yaml")


def test_gradients_at_two_points_form_no_vector() -> None:
    source = (EXAMPLES / "w1-mazur.yaml").read_text(encoding="utf-8")
    page = text(source.replace("order: simultaneous", "order: sequential"))
    assert "∇" not in page
    assert "do not form one gradient vector" in page
    assert "∇" in text(source)


@pytest.mark.parametrize(
    ("notation", "order"), [("layered", "w^(L)_jk·σ′(z^(L)_j)"), ("index", "σ′(z^(2)_j)·w^(2)_jk")]
)
def test_several_paths_are_written_as_a_sum_over_the_next_layer_once(notation: str, order: str) -> None:
    page = text(EXAMPLES / "w1-mazur.yaml", notation=notation, detail="full", worked=None)
    assert page.count("In general, for unit k") == 1
    assert order in page


def test_the_part_that_alone_depends_on_a_unit_is_named() -> None:
    page = text(EXAMPLES / "w1-mazur.yaml")
    assert "∂E_o1/∂net_o1 = ∂E_total/∂net_o1 (of all parts only E_o1 depends on net_o1)" in page


def test_the_gradient_vector_is_exact_where_its_numbers_are() -> None:
    data = {
        "title": "t",
        "inputs": {"x1": 1, "x2": 2},
        "targets": {"y": 1},
        "layers": [{"dense": 1, "name": "y", "names": {"units": ["y"]}, "weights": [[0.5, -0.3]]}],
        "loss": "half-squared-error",
        "optimizer": {"sgd": {"learning-rate": 0.1}},
    }
    assert "= [[−1.1], [−2.2]]" in text(data)  # y = -0.1, dE/dw = (y - 1) x


def inside(node: Any) -> Iterator[Any]:
    """Every dataclass within a document, itself first."""
    if isinstance(node, tuple):
        for part in node:
            yield from inside(part)
    elif is_dataclass(node):
        yield node
        for field in fields(node):
            yield from inside(getattr(node, field.name))


def one_unit(activation: Any) -> dict[str, Any]:
    layer = {"dense": 1, "name": "y", "names": {"units": ["y"]}, "activation": activation}
    return {"title": "t", "inputs": ["x"], "targets": ["y"], "layers": [layer], "loss": "squared-error"}


@pytest.mark.parametrize("activation", ["relu", "leaky-relu", "elu"])
def test_no_cases_stand_within_cases(activation: str) -> None:
    page = derive.solve(one_unit(activation))
    for node in inside(page.document.blocks):
        if isinstance(node, CasesOf):
            assert not any(isinstance(part, CasesOf) for part in inside(node.branches))


def test_what_a_kink_is_taken_for_is_a_number() -> None:
    assert "this page takes 0.5." in text(one_unit({"elu": {"alpha": 0.5}}))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_long_gradient_vector_stays_within_the_width_of_a_text_page(language: str) -> None:
    page = derive.solve(EXAMPLES / "w1-mazur.yaml", language=language).to_text()
    start = page.index("∇")
    assert page[start:].split("\n\n")[0].count("\n") >= 3
    assert max(columns(line) for line in page.splitlines()) <= 100
