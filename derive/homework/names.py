"""How a student may write each quantity of a problem: its public id, and the way the page writes it.

net_h1: net_{h1}     out_o1: o_1 where nothing else has that name     a^{(2)}_1 and w^{(1)}_{11} in that notation
"""

from __future__ import annotations

from collections.abc import Iterator

from derive.formula.answer_tokens import Names, normal
from derive.homework.key import AnswerKey
from derive.solution.layout import Digits, Fenced, Identifier, Layout, Operator, Row, Words
from derive.solution.notations import NOTATIONS
from derive.solution.notations import Names as PageNames

_SHORT = {"target_": ("t_", "y_"), "out_": ("",), "delta_": ("d_",)}
_RATE = ("eta", "alpha", "lr")


def names_of(key: AnswerKey) -> Names:
    """The table of written forms for formulas of this problem."""
    sure = list(_sure(key))
    taken = {normal(form) for form, _ in sure}
    short = [(form, id_) for form, id_ in _short(key) if normal(form) not in taken]
    return Names.of([*sure, *short])


def _ids(key: AnswerKey) -> Iterator[str]:
    yield from key.given
    yield from key.quantities


def _sure(key: AnswerKey) -> Iterator[tuple[str, str]]:
    """Forms that are certain: ids, other names of the same, what the page shows."""
    for id_ in _ids(key):
        yield from _marked(id_, id_)
    for alias, id_ in key.aliases.items():
        yield from _marked(alias, id_)
    notation = NOTATIONS[key.derivation.graph.problem.document.notation]
    shown = PageNames(key.derivation.graph, notation)
    for id_ in _ids(key):
        plain, bracket, sample = id_.partition("[")
        if "/" not in plain and plain.removesuffix("+") in key.derivation.graph.place_of:
            form = written(shown(plain))
            if form:
                yield from _marked(f"{form}{bracket}{sample}", id_)


def _marked(form: str, id_: str) -> Iterator[tuple[str, str]]:
    """`w5+` is also w_5^+, `net_h1[2]` also net_{h1}^{[2]}."""
    plain, bracket, sample = form.partition("[")
    new = plain.endswith("+")
    bare = plain.removesuffix("+")
    above = ("+" if new else "") + (f"[{sample}" if bracket else "")
    yield (f"{bare}^{above}" if above else bare), id_
    if "/d" in bare and bare.startswith("d"):
        of, _, by = bare[1:].partition("/d")
        yield f"d{of}/d{by}" + (f"^{above}" if above else ""), id_


def _short(key: AnswerKey) -> Iterator[tuple[str, str]]:
    """What students write where nothing else has that name: t_1 or t_{o1} for target_o1, o_1 for out_o1."""
    outputs = 0
    for id_ in _ids(key):
        plain = id_.partition("[")[0]
        for prefix, others in _SHORT.items():
            if plain.startswith(prefix):
                unit = plain.removeprefix(prefix)
                yield from ((other + unit, id_) for other in others)
                if prefix == "target_":
                    outputs += 1
                    yield from ((f"{letter}{outputs}", id_) for letter in ("t", "y", "target"))
                    if unit[:1] == "o":
                        yield f"t_{unit[1:]}", id_
    if "eta" in key.given:
        yield from ((form, "eta") for form in _RATE)


def written(layout: Layout) -> str:
    """A name as the page shows it, on one line: a_1^(2); empty for what is no plain name."""
    match layout:
        case Identifier(base, below, above, mark):
            under = f"_{{{_inside(below)}}}" if below is not None else ""
            return base + under + (f"^({_inside(above)})" if above is not None else "") + (f"^{mark}" if mark else "")
    return ""


def _inside(layout: Layout | None) -> str:
    match layout:
        case Digits(text) | Words(text):
            return text
        case Identifier():
            return written(layout)
        case Row(items):
            return "".join(map(_inside, items))
        case Fenced(body):
            return _inside(body)
        case Operator(sign):
            return sign
    return ""
