"""The table of all known mistakes, the likeliest first within each part of a calculation."""

from __future__ import annotations

from derive.homework.mistakes import backward, forward, update
from derive.homework.mistakes.place import Mistake

MISTAKES: dict[str, Mistake] = {
    mistake.id: mistake for mistake in (*forward.MISTAKES, *backward.MISTAKES, *update.MISTAKES)
}
