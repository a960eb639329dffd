"""derive writes the worked solution of a neural network: every value, every partial derivative, every update.

    >>> import derive
    >>> solution = derive.solve("values: {x: -2, y: 5, z: -4}\ncircuit: {q: x + y, f: q * z}")
    >>> solution.values["df/dx"]
    -4.0

Names load when they are first used: `import derive` alone loads neither SymPy nor NumPy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from derive.api import check, solve, train
    from derive.errors import (
        DataError,
        DeriveError,
        FormulaError,
        NumericError,
        OptionError,
        ProblemError,
        UntrueLineError,
    )
    from derive.marks import Marks
    from derive.runs import TrainingResult
    from derive.solved import Solution, SolutionSet

__version__ = "0.1.0"

__all__ = [
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


def __getattr__(name: str) -> object:
    if name == "Marks":
        from derive import marks as home
    elif name in ("solve", "train", "check", "Solution", "SolutionSet", "TrainingResult"):
        from derive import api as home  # type: ignore[no-redef]
    elif name in __all__:
        from derive import errors as home  # type: ignore[no-redef]
    else:
        raise AttributeError(f"module 'derive' has no attribute '{name}'")
    return getattr(home, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
