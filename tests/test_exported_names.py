"""What `import derive` offers: these names and no others, each from its home."""

from __future__ import annotations

import inspect

import pytest

import derive
from derive import errors


def test_exported_names() -> None:
    assert derive.__all__ == sorted(
        [
            "DataError",
            "DeriveError",
            "FormulaError",
            "Marks",
            "NumericError",
            "OptionError",
            "ProblemError",
            "Solution",
            "SolutionSet",
            "TrainingResult",
            "UntrueLineError",
            "__version__",
            "check",
            "solve",
            "train",
        ]
    )
    assert set(derive.__all__) <= set(dir(derive))
    assert all(getattr(derive, name) is not None for name in derive.__all__)


def test_every_error_is_exported_and_derives_from_one() -> None:
    raised = {name for name, value in vars(errors).items() if inspect.isclass(value) and issubclass(value, Exception)}
    assert raised == {name for name in derive.__all__ if name.endswith("Error")}
    assert all(issubclass(getattr(derive, name), derive.DeriveError) for name in raised)


def test_a_name_that_does_not_exist() -> None:
    with pytest.raises(AttributeError, match="module 'derive' has no attribute 'slove'"):
        derive.slove  # type: ignore[attr-defined] # noqa: B018


def test_every_public_object_has_a_docstring() -> None:
    from derive import Marks, Solution, SolutionSet, TrainingResult, check, solve, train

    members = [
        member
        for owner in (Marks, Solution, SolutionSet, TrainingResult)
        for name, member in inspect.getmembers(owner)
        if not name.startswith("_") and (callable(member) or isinstance(member, property))
    ]
    assert [
        thing
        for thing in (check, solve, train, Marks, Solution, SolutionSet, TrainingResult, *members)
        if not inspect.getdoc(thing)
    ] == []
