"""Array pages in the notations of letters by place and of matrices: what the textbooks have for each layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from checking_pages import read_page
from sweeps import mostly_whole
from test_array_pages import NETWORKS, SEQUENCE, solved

from derive.api import solve

FORMULAS: Mapping[str, tuple[Mapping[str, Any], tuple[str, ...]]] = {
    "dense": (
        {"inputs": 3, "layers": [{"dense": 20, "activation": "tanh"}, {"dense": 4}], "loss": "softmax-cross-entropy"},
        (
            "z^(1) = W^(1)·x + b^(1)",
            "a^(1) = tanh(z^(1))",
            "∂E/∂z^(2) = a^(2) − y",
            "∂E/∂W^(2) = ∂E/∂z^(2)·(a^(1))ᵀ",
            "∂E/∂b^(2) = ∂E/∂z^(2)",
            "∂E/∂a^(1) = (W^(2))ᵀ·∂E/∂z^(2)",
            "∂E/∂z^(1) = ∂E/∂a^(1) ⊙ (1 − (a^(1))²)",
        ),
    ),
    "dense at every step": (
        {"inputs": SEQUENCE, "layers": [{"dense": 3}], "loss": "squared-error", "targets": [[0, 0, 1]] * 3},
        ("a = x·Wᵀ + 1·bᵀ", "∂E/∂W = (∂E/∂a)ᵀ·x", "∂E/∂b = (∂E/∂a)ᵀ·1"),
    ),
    "lstm": (
        {"inputs": SEQUENCE, "layers": [{"lstm": 2}], "loss": "sum-of-outputs"},
        (
            "z^⟨t⟩_q = W_q·x^⟨t⟩ + U_q·h^⟨t − 1⟩ + b_q",
            "i^⟨t⟩ = σ(z^⟨t⟩_i)",
            "c^⟨t⟩ = f^⟨t⟩ ⊙ c^⟨t − 1⟩ + i^⟨t⟩ ⊙ g^⟨t⟩",
            "h^⟨t⟩ = o^⟨t⟩ ⊙ s^⟨t⟩",
            "∂E/∂z^⟨t⟩_g = ∂E/∂g^⟨t⟩ ⊙ (1 − (g^⟨t⟩)²)",
            "∂E/∂U_q = Σ_t ∂E/∂z^⟨t⟩_q·(h^⟨t − 1⟩)ᵀ",
            "∂E/∂b_q = Σ_t ∂E/∂z^⟨t⟩_q",
        ),
    ),
    "gru": (
        {"inputs": SEQUENCE, "layers": [{"gru": 2, "reset": "before"}], "loss": "sum-of-outputs"},
        (
            "h^⟨t⟩ = (1 − z^⟨t⟩) ⊙ g^⟨t⟩ + z^⟨t⟩ ⊙ h^⟨t − 1⟩",
            "∂E/∂r^⟨t⟩ = (U_gᵀ·∂E/∂net^⟨t⟩_g) ⊙ h^⟨t − 1⟩",
            "∂E/∂U_g = Σ_t ∂E/∂net^⟨t⟩_g·(r^⟨t⟩ ⊙ h^⟨t − 1⟩)ᵀ",
        ),
    ),
    "attention": (
        {"inputs": {"sequence": {"shape": [3, 4]}}, "layers": [{"attention": 2}], "loss": "sum-of-outputs"},
        (
            "q_a = x·(W^Q_a)ᵀ",
            "score_a = (q_a·k_aᵀ)/√2",
            "head_a = weight_a·v_a",
            "∂E/∂weight_a = ∂E/∂head_a·v_aᵀ",
            "∂E/∂v_a = weight_aᵀ·∂E/∂head_a",
            "∂E/∂W^V_a = (∂E/∂v_a)ᵀ·x",
        ),
    ),
    "residual": (
        {"inputs": 2, "layers": [{"dense": 2, "activation": "relu"}, {"add": "inputs"}], "loss": "sum-of-outputs"},
        ("a^(2) = a^(1) + x", "∂E/∂W = ∂E/∂z·xᵀ"),
    ),
}


def with_weights(layers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A bias for each layer that may have one."""
    return [
        {**layer, "bias": "unit"} if "dense" in layer else {**layer, "bias": True} if _gated(layer) else layer
        for layer in layers
    ]


def _gated(layer: Mapping[str, Any]) -> bool:
    return "lstm" in layer or "gru" in layer


@pytest.mark.parametrize("case", FORMULAS)
def test_the_formulas_of_whole_arrays_are_those_of_the_textbooks(case: str) -> None:
    network, formulas = FORMULAS[case]
    problem = {**network, "layers": with_weights(network["layers"])}
    lines = [" ".join(line.split()) for line in solve(problem, notation="matrix").to_text().splitlines()]
    assert [formula for formula in formulas if formula not in lines] == []
    plain = [" ".join(line.split()) for line in solve(problem, notation="index").to_text().splitlines()]
    assert not [formula for formula in formulas if formula in plain]


def test_a_window_has_no_formula_of_whole_arrays_but_its_correlation() -> None:
    text = solved("convolution", notation="matrix").to_text()
    assert "∂E/∂K = x ⋆ ∂E/∂z" in text
    assert "K·x" not in text


@pytest.mark.parametrize("name", mostly_whole(NETWORKS, ["convolution", "lstm", "attention", "typed"]))
@pytest.mark.parametrize("notation", ["index", "matrix"])
def test_every_line_is_true_in_every_notation(name: str, notation: str) -> None:
    assert not read_page(solved(name, notation=notation)).faults


def test_letters_by_place_give_way_to_those_that_are_taken() -> None:
    gru = solve({"inputs": SEQUENCE, "layers": [{"gru": 2}], "loss": "sum-of-outputs"}, notation="index").to_text()
    assert "z^⟨t⟩_j = σ(net^⟨t⟩_{z,j})" in gru
    dense = solved("convolution", notation="index").to_text()
    assert "net" not in dense.replace("network", "")
    assert "out^" not in dense
    assert "E_total" not in dense


WIDE = {
    "inputs": {"x1": [1, 2, 0], "x2": [0.5, -1, 3]},
    "targets": {"o1": [1, 0, 1]},
    "layers": [
        {"dense": 14, "activation": "tanh", "weights": {"random": "xavier"}, "bias": "unit"},
        {"dense": 1, "weights": {"random": "xavier", "seed": 3}, "bias": [0]},
    ],
    "loss": {"half-squared-error": {"reduction": "mean"}},
    "optimizer": {"sgd": {"learning-rate": 0.1}},
}

OF_NOTATION: Mapping[str, tuple[str, ...]] = {
    "net-out": (
        "net^[n]_j = Σ_i W^(1)_{j,i} · x^[n]_i + b^(1)_j",
        "E^[n] = 1/2·(target^[n]_o1 − out^((2)[n])_o1)²",
        "E_total = 1/3·Σ_n E^[n]",
        "= Σ_n ∂E_total/∂net^[n]_j · x^[n]_i",
    ),
    "index": (
        "z^[n]_j = Σ_i W^(1)_{j,i} · x^[n]_i + b^(1)_j",
        "E^[n] = 1/2·(y^[n] − a^((2)[n]))²",
        "E = 1/3·Σ_n E^[n]",
    ),
    "matrix": ("z^[n] = W^(1)·x^[n] + b^(1)", "∂E/∂W^(1) = Σ_n ∂E/∂z^[n]·(x^[n])ᵀ", "∂E/∂b^(1) = Σ_n ∂E/∂z^[n]"),
    "layered": ("E = 1/3·Σ_n E^[n]",),
    "plain": ("E = 1/3·Σ_n E^[n]",),
}


@pytest.mark.parametrize("notation", OF_NOTATION)
def test_a_wide_network_of_named_inputs_is_written_in_the_notation_that_is_asked_for(notation: str) -> None:
    text = solve(WIDE, notation=notation).to_text()
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert [formula for formula in OF_NOTATION[notation] if formula not in lines] == []
    assert "n samples 1, 2, 3" in lines
    assert "W^(1)⁺ = W^(1) − η·∂E" in text


def test_numbers_are_not_multiplied_entry_by_entry() -> None:
    layers = ["layer-normalization", {"rnn": 2, "outputs": "last"}, {"dense": 1}]
    text = solve({"inputs": {"sequence": {"shape": [3, 4]}}, "layers": layers, "targets": ["o1"]}, notation="matrix")
    lines = [" ".join(line.split()) for line in text.to_text().splitlines()]
    assert "x̂^⟨t⟩ = (x^⟨t⟩ − μ^⟨t⟩·1)/√((σ^⟨t⟩)² + ε)" in lines
    assert not [line for line in lines if "_i ⊙" in line or "⊙ (x^⟨t⟩_i" in line]
