"""Names that every emitter knows: Greek letters, functions with a name of their own, and where each stands in
Unicode.

Nothing here is markup of one format, except the TeX names of letters, which are the English ones.
"""

from __future__ import annotations

from functools import lru_cache

GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "zeta": "ζ", "eta": "η",
    "theta": "θ", "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π",
    "rho": "ρ", "sigma": "σ", "tau": "τ", "upsilon": "υ", "phi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω",
    "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π", "Sigma": "Σ",
    "Upsilon": "Υ", "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω",
}  # fmt: skip

_NAMES = {letter: name for name, letter in GREEK.items()}

FUNCTIONS = frozenset(
    {
        "ln", "log", "exp", "sin", "cos", "tan", "cot", "sec", "csc", "arcsin", "arccos", "arctan", "sinh",
        "cosh", "tanh", "coth", "max", "min", "sup", "inf", "det", "gcd", "arg",
    }
)  # fmt: skip
"""The functions that TeX itself names with a command of the same name."""


def greek_name(name: str) -> str | None:
    """`delta` for `delta` and for `δ`; None for what is no Greek letter."""
    return name if name in GREEK else _NAMES.get(name)


def greek_letter(name: str) -> str | None:
    """`δ` for `delta` and for `δ`; None for what is no Greek letter."""
    known = greek_name(name)
    return GREEK[known] if known else None


@lru_cache(4096)
def is_wide(char: str) -> bool:
    """Is this a character of East Asian writing, twice as wide as a Latin one?"""
    code = ord(char)
    return code >= 0x1100 and any(first <= code <= last for first, last in _WIDE)


_WIDE = (
    (0x1100, 0x115F), (0x2E80, 0x303E), (0x3041, 0x33FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xA000,
    0xA4CF), (0xAC00, 0xD7A3), (0xF900, 0xFAFF), (0xFE30, 0xFE4F), (0xFF00, 0xFF60), (0xFFE0, 0xFFE6),
    (0x1F300, 0x1FAFF), (0x20000, 0x3FFFD),
)  # fmt: skip
