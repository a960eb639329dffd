"""The array compiler: definitions in index notation to in-place NumPy.

    definitions ──read──> values ──simplify──> values ──lower──> instructions ──join──> instructions ──write──> source

`program.py` names the stages in order.
"""

from derive.numeric.emit.program import ArrayProgram, Free, array_program

__all__ = ["ArrayProgram", "Free", "array_program"]
