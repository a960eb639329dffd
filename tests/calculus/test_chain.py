"""The chain rule over definitions: which quantities get a gradient, in which order, and that several paths add up."""

from __future__ import annotations

import pytest

from derive.api import solve


def test_a_value_that_the_output_reads_after_something_unrelated_did_has_its_gradient() -> None:
    """`aside` reads z first and does not reach the output; z's gradient must not wait for it."""
    solution = solve({"values": {"y": 0.5, "z": 1.5}, "circuit": {"aside": "y - z", "out": "0.1*z"}})
    assert solution.values["dout/dz"] == pytest.approx(0.1)
    assert "dout/daside" not in solution.values


def test_the_derivative_of_an_absolute_value_is_its_sign() -> None:
    solution = solve({"values": {"a": -2.5}, "circuit": {"f": "abs(a)*3", "g": "f/(1 + abs(a))"}})
    assert solution.values["dg/da"] == pytest.approx(-3 / 3.5**2)


def test_a_value_read_twice_adds_both_paths() -> None:
    solution = solve({"values": {"a": 3}, "circuit": {"f": "a^2", "g": "a*f"}})
    assert solution.values["dg/da"] == pytest.approx(27)


def test_a_gradient_is_finished_before_it_is_passed_on() -> None:
    """A diamond: b and c read a, d reads both, and a again."""
    solution = solve({"values": {"a": 2}, "circuit": {"b": "a^2", "c": "3*a", "d": "b*c + a"}})
    assert solution.values["dd/da"] == pytest.approx(9 * 4 + 1)


def test_a_quantity_that_cancels_can_still_be_written_out() -> None:
    """v0 - v0 is 0 to SymPy, but a reader sees v0 in it: its own derivative is shown as what it is."""
    circuit = {"v0": "ln(1 + y^2)", "v1": "(v0 - v0)^2"}
    for rounding in ("carry", "each-step"):
        solution = solve({"values": {"y": 1.5}, "circuit": circuit}, decimals=2, rounding=rounding)
        assert solution.to_text()
