"""The words that a problem file may choose from, where each is a plain word without a formula.

Activations and losses carry formulas and have tables of their own. A new language or notation is one entry
here.
"""

from __future__ import annotations

from collections.abc import Mapping

LANGUAGES: Mapping[str, str] = {"en": "English", "zh": "Chinese"}

NOTATIONS: Mapping[str, str] = {
    "net-out": "net_h1, out_h1, delta_o1",
    "layered": "a^(L), z^(L), w^(L)",
    "index": "w^(l)_jk, delta^(l)_j",
    "matrix": "each layer as one equation of matrices",
    "plain": "h = sigma(...)",
}

# A page of arrays is in index notation and matrices; what is called net and out there is so in the first of these.
ARRAY_NOTATIONS = ("net-out", "index", "matrix")

ROUNDINGS: Mapping[str, str] = {
    "carry": "full precision is carried, shown rounded",
    "each-step": "the rounded value is what the next step uses",
}

DETAILS: Mapping[str, str] = {
    "brief": "the steps without their derivations",
    "normal": "one parameter per layer in full, the rest as a table",
    "full": "every parameter in full",
}

NUMBERINGS: Mapping[str, str] = {
    "unit-major": "w1, w2, ... enter the first unit",
    "input-major": "w1, w2, ... leave the first input",
}

BIAS_LAYOUTS: Mapping[str, str] = {
    "shared": "one for the layer",
    "unit": "one per unit",
    "connection": "one per connection",
}

RANDOM_KINDS: Mapping[str, str] = {
    "uniform": "evenly between low and high",
    "normal": "normally distributed by mean and deviation",
    "xavier": "Xavier (Glorot) initialisation",
    "he": "He initialisation",
}

ORDERS: Mapping[str, str] = {
    "simultaneous": "all gradients at the old weights",
    "sequential": "gradients of earlier layers at the already updated weights",
}

REDUCTIONS: Mapping[str, str] = {"sum": "over the samples", "mean": "over the samples"}

BACKENDS: Mapping[str, str] = {
    "auto": "scalar for few parameters and one sample, else array",
    "scalar": "straight-line Python",
    "array": "NumPy",
    "numba": "the scalar program, compiled; needs the extra `numba`",
}

DTYPES: Mapping[str, str] = {"float64": "double precision", "float32": "single precision, for array programs"}
