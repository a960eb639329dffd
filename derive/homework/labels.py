"""How a quantity of the key stands in a report: as the page writes it."""

from __future__ import annotations

from dataclasses import replace

from derive.homework.key import AnswerKey
from derive.solution.layout import Digits, Fenced, Identifier, Layout, Partial
from derive.solution.notations import NOTATIONS, Names
from derive.solution.typed_names import typed_name


class Labels:
    """Layouts of ids, in the notation of the problem's page."""

    def __init__(self, key: AnswerKey) -> None:
        self.key = key
        self.names = Names(key.derivation.graph, NOTATIONS[key.derivation.graph.problem.document.notation])

    def __call__(self, id_: str) -> Layout:
        """net_h1, dE_total/dw5 as a partial derivative, w5+ marked; `[2]` as a raised number of the sample."""
        plain, bracket, sample = id_.partition("[")
        if plain.startswith("d") and "/d" in plain:
            of, _, by = plain[1:].partition("/d")
            return Partial(self._one(of, sample), self._one(by, sample))
        return self._one(plain, sample if bracket else "")

    def _one(self, id_: str, sample: str) -> Layout:
        graph = self.key.derivation.graph
        plain = id_.removesuffix("+")
        if plain.startswith("delta_") and f"net_{plain[6:]}" in graph.place_of:
            shown: Layout = self.names.delta(f"net_{plain[6:]}")
        elif plain in graph.place_of or id_ == "eta":
            shown = self.names(id_)
        else:
            named = typed_name(plain)
            shown = replace(named, mark="+") if id_.endswith("+") and isinstance(named, Identifier) else named
        number = sample.removesuffix("]")
        if not number or not self.key.neurons.per_sample(plain) or not isinstance(shown, Identifier):
            return shown
        return replace(shown, superscript=shown.superscript or Fenced(Digits(number), "[", "]"))
