"""What each option of a page does in a network of any layers, so that none is taken and does nothing."""

from __future__ import annotations

import pytest
from checking_pages import read_page
from sweeps import mostly_whole
from test_array_pages import NETWORKS, solved

from derive.api import Solution, gradient_check, solve
from derive.errors import OptionError, ProblemError
from derive.problem.choices import ARRAY_NOTATIONS, DETAILS, LANGUAGES, NOTATIONS
from derive.solution.document import Equation, Heading, Message, Table


def table_of(solution: Solution, header: str) -> Table:
    """The table whose first row has this message."""
    found = [
        block for block in solution.document.blocks if isinstance(block, Table) and Message(header) in block.header
    ]
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize("name", mostly_whole(NETWORKS, ["convolution", "lstm", "batch-normalization", "typed"]))
def test_the_gradient_check_has_every_trained_parameter_by_both_ways(name: str) -> None:
    solution = solved(name, gradient_check=True, significant=9)
    rows = table_of(solution, "relative_error").rows
    trained = [
        id_
        for array in solution.derivation.graph.trainable
        for id_ in solution.derivation.graph.arrays[array].ids.values()
    ]
    assert len(rows) == min(len(trained), 40)
    independent = {one.id: one.numeric for one in gradient_check(NETWORKS[name])}
    for id_, (_, analytic, numeric, _) in zip(trained, rows, strict=False):
        assert float(analytic.text) == pytest.approx(independent[id_], rel=1e-6, abs=1e-8)
        assert float(numeric.text) == pytest.approx(independent[id_], rel=1e-4, abs=1e-8)
    assert not read_page(solution).faults


def test_the_nudge_is_of_a_parameter_that_moves_the_loss() -> None:
    solution = solved("max-pooling", gradient_check=True)
    text = solution.to_text()
    assert "= 0 the smaller" not in text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("option", "heading"), [("glossary", "head_glossary"), ("training_steps", "head_training_steps")]
)
def test_the_glossary_and_the_steps_of_training_stand_where_they_are_asked_for(
    option: str, heading: str, language: str
) -> None:
    def keys(solution: Solution) -> list[str]:
        return [block.message.key for block in solution.document.blocks if isinstance(block, Heading)]

    assert heading not in keys(solved("lstm", language=language))
    assert keys(solved("lstm", language=language, **{option: True})).count(heading) == 1


@pytest.mark.parametrize("detail", DETAILS)
@pytest.mark.parametrize("name", mostly_whole(NETWORKS, ["convolution", "lstm", "typed"]))
def test_every_line_is_true_in_every_detail(name: str, detail: str) -> None:
    reader = read_page(solved(name, detail=detail, rounding="each-step", decimals=5))
    assert not reader.faults, "\n".join(reader.faults)


def worked(solution: Solution) -> set[str]:
    return {block.id for block in solution.document.blocks if isinstance(block, Equation) and block.id}


WORKED = ("convolution", "max-pooling", "rnn", "lstm", "gru", "batch-normalization", "typed")


@pytest.mark.parametrize("name", mostly_whole(WORKED, ["convolution", "lstm", "typed"]))
def test_a_brief_page_works_fewer_entries_and_a_full_one_more(name: str) -> None:
    brief, normal, full = (solved(name, detail=detail) for detail in ("brief", "normal", "full"))
    assert worked(brief) < worked(normal) < worked(full)
    arrays = normal.derivation.graph.arrays
    assert all(
        set(arrays[one].ids.values()) <= worked(full)
        for one in arrays
        if one.startswith("net") and name == "convolution"
    )


def test_a_brief_page_does_not_promise_worked_entries() -> None:
    assert "followed by one entry worked in numbers" in " ".join(solved("convolution").to_text().split())
    assert "followed by the whole array in numbers." in solved("convolution", detail="brief").to_text()


def test_the_introduction_says_how_many_entries_are_worked() -> None:
    sentences = {
        "brief": "Each formula is followed by the whole array in numbers.",
        "normal": "Each formula is followed by one entry worked in numbers, then by the whole array.",
        "full": "Each formula is followed by its entries worked in numbers, then by the whole array. "
        "Of an array of more than 16 entries one is worked.",
    }
    for detail, sentence in sentences.items():
        assert sentence in " ".join(solved("convolution", detail=detail).to_text().split())


def test_a_brief_page_has_no_tables_of_windows() -> None:
    assert table_of(solved("max-pooling"), "winner")
    headers = [
        block.header for block in solved("max-pooling", detail="brief").document.blocks if isinstance(block, Table)
    ]
    assert not [header for header in headers if Message("winner") in header or Message("under_window") in header]


@pytest.mark.parametrize("notation", NOTATIONS)
def test_a_page_of_arrays_refuses_the_notations_that_it_has_not(notation: str) -> None:
    if notation in ARRAY_NOTATIONS:
        assert solved("convolution", notation=notation).to_text()
        return
    message = f"expected net-out, index or matrix, got '{notation}'"
    with pytest.raises(OptionError, match=f"^notation: .*{message}"):
        solved("convolution", notation=notation)
    with pytest.raises(ProblemError, match=f"document.notation: .*{message}"):
        solve({**NETWORKS["convolution"], "document": {"notation": notation}})
