"""The array compiler: definitions in index notation to in-place NumPy.

    definitions ──read──> values ──simplify──> values ──lower──> instructions ──write──> source ──bind──> step

`program.py` names the stages in order.
"""

from derive.numeric.emit.program import ArrayProgram, array_program

__all__ = ["ArrayProgram", "array_program"]
