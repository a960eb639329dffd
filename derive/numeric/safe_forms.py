"""Forms that neither overflow nor lose all digits, for programs only: the page keeps the textbook form."""

from __future__ import annotations

import sympy


class LARGEST(sympy.Function):  # type: ignore[misc]
    """LARGEST(z[n,k], k): the largest of z[n,k] over k."""
