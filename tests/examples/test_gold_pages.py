"""The five walkthroughs, and Adam by hand, as files: Markdown and LaTeX, English and Chinese, compared with tests/gold/.

After a change to prose, mathematics or layout, read the difference, then `pytest --update-gold`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import derive

EXAMPLES = Path(__file__).parents[2] / "examples"
WALKTHROUGHS = (
    "w1-mazur",
    "w2-formulas",
    "w3-circuits-and-training",
    "w4-one-neuron-then-many",
    "w5-vectors",
    "adam-by-hand",
)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", WALKTHROUGHS)
def test_a_walkthrough_reads_as_it_was_read(name: str, language: str, gold: Callable[[str, str], None]) -> None:
    solution = derive.solve(EXAMPLES / f"{name}.yaml", language=language)
    gold(f"{name}.{language}.md", solution.to_markdown())
    gold(f"{name}.{language}.tex", solution.to_latex())
