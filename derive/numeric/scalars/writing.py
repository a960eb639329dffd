"""A form at one position as text: every index is made concrete, and what is outside an array is left out.

Each form is turned once into a function of the position (`Env`), and that is called for every element. The same
functions write a line of the program, and the formula in its comment, which has other names and plainer numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import count as counter
from itertools import product as combinations
from operator import itemgetter
from typing import Any

from derive.errors import OptionError
from derive.network.graph import Position
from derive.numeric.scalars.forms import (
    Amount,
    At,
    Call,
    Cases,
    Compare,
    Form,
    Index,
    Number,
    Over,
    Place,
    Power,
    Product,
    Read,
    Same,
    Total,
    Truth,
)
from derive.numeric.scalars.rows import Env, Row, Text, pairs

At_ = Callable[[Env], Text | None]  # None: 0, because nothing is there
CONDITION, SUM, PRODUCT, ATOM = 0, 1, 2, 3
LONG = 60  # terms of a sum that stand side by side

# function -> its text; {0} and {1} are used where they are named, an argument that is used twice is a variable
FUNCTIONS = ("exp", "log", "sqrt", "tanh", "sinh", "cosh", "sin", "cos", "tan", "erf", "pow", "nan")  # of math
TEMPLATES: Mapping[str, str] = {
    **{name: f"{name}({{0}})" for name in FUNCTIONS if name not in ("pow", "nan")},
    "sigmoid": "1.0/(1.0 + exp(-{0})) if {0:=} > -709.0 else exp({0})",  # exp(710) is too large for a float
    "abs": "-{0} if {0:=} < 0.0 else {0}",
    "sign": "1.0 if {0:=} > 0.0 else -1.0 if {0} < 0.0 else {0}",
    "heaviside": "1.0 if {0} > 0.0 else 0.0",
    "max": "{1} if {0:=} < {1:=} else {0}",
    "min": "{1} if {0:=} > {1:=} else {0}",
}
INFINITE: Mapping[str, str] = {"sigmoid": "1.0/(1.0 + exp(-{0}))"}  # where exp(710) is infinite, no error
NOTES: Mapping[str, str] = {"sigmoid": "1/(1 + exp(-{0}))", "log": "ln({0})"}


@dataclass(frozen=True)
class Style:
    """`names`: array -> position -> what the element is called; `whole`: arrays of whole numbers that pick places;
    `raises`: whether functions raise OverflowError (Python's do, numba's do not)."""

    names: Mapping[str, Mapping[Position, str]]
    whole: Mapping[str, Any]
    program: bool = True
    raises: bool = True


class Writer:
    """Turns forms into functions that write them."""

    def __init__(self, style: Style) -> None:
        self._style = style
        self._spare = counter(1)

    def writer(self, form: Form) -> At_:
        """The function that writes `form` at a position."""
        match form:
            case Number(amount):
                text = self._number(amount)
                return lambda env: text
            case Read(array, places):
                return self._read(array, places)
            case Total(terms):
                return _total([self.writer(term) for term in terms])
            case Product(factor, top, bottom):
                return self._product(factor, top, bottom)
            case Power(base, exponent):
                return self._power(base, exponent)
            case Call(function, arguments):
                return self._call(function, arguments)
            case Over(indices, body):
                return _over(indices, self.row(body, indices[-1]))
            case Cases(branches):
                return self._cases(branches)
            case Compare(left, relation, right):
                return self._compare(left, relation, right)
            case At(place):
                here = self.place(place)
                return lambda env: self._number(here(env))
            case Same(left, right):
                one, other = self.place(left), self.place(right)
                return lambda env: self._number(1) if one(env) == other(env) else None
        raise AssertionError(f"no text for {form}")

    def row(self, form: Form, index: Index) -> Row:
        """The function that writes `form` at every value of an index, at a position of the others."""
        found = pairs(form, index, self._style.names, (PRODUCT, SUM))
        if found is not None:
            return found
        write, letter, values = self.writer(form), index.name, range(index.size)
        return lambda env: [write({**env, letter: value}) for value in values]

    def place(self, place: Place) -> Callable[[Env], int | Fraction]:
        """The value of a place at a position."""
        if place.picked is not None:
            if place.picked.array not in self._style.whole:
                raise OptionError(f"backend: {place.picked.array} picks other rows at every step; expected array")
            values = self._style.whole[place.picked.array]
            inner = [self.place(one) for one in place.picked.places]
            return lambda env: int(values[tuple(int(one(env)) for one in inner)])
        steps, start = place.steps, place.start
        if len(steps) == 1 and steps[0][1] == 1:
            letter = steps[0][0].name
            return (lambda env: env[letter] + start) if start else (lambda env: env[letter])
        return lambda env: start + sum(factor * env[index.name] for index, factor in steps)

    def _read(self, array: str, places: tuple[Place, ...]) -> At_:
        name = self._name(array, places)
        return lambda env: None if (text := name(env)) is None else (text, ATOM)

    def _name(self, array: str, places: tuple[Place, ...]) -> Callable[[Env], str | None]:
        """What an element is called; None outside the array, and for an element that is always 0."""
        names = self._style.names[array]
        letters = [place.index.name for place in places if place.index is not None]
        if len(letters) == len(places) > 1:
            at = itemgetter(*letters)
            return lambda env: names.get(at(env))
        if len(places) == 2 and len(letters) == 1 and not places[0].steps and places[0].picked is None:
            first, (letter,) = int(places[0].start), letters
            return lambda env: names.get((first, env[letter]))
        values: list[Callable[[Env], Any]] = [self.place(place) for place in places]
        return lambda env: names.get(tuple([value(env) for value in values]))

    def _number(self, value: Amount) -> Text:
        if self._style.program:
            text = repr(float(value))
        else:
            text = f"{value:.12g}" if isinstance(value, float) else str(value)
        return text, SUM if text.startswith("-") else PRODUCT if "/" in text else ATOM

    def _product(self, factor: Amount, top: tuple[Form, ...], bottom: tuple[Form, ...]) -> At_:
        sign = "-" if factor < 0 else ""
        size = -factor if factor < 0 else factor
        shown = [] if size == 1 and top else [_bound(self._number(size), PRODUCT)]
        if not bottom and len(top) == 2 and not shown and isinstance(top[0], Read) and isinstance(top[1], Read):
            return self._pair(sign, top[0], top[1])
        above, below = [self.writer(part) for part in top], [self.writer(part) for part in bottom]

        def write(env: Env) -> Text | None:
            parts = shown.copy()
            for part in above:
                text = part(env)
                if text is None:
                    return None
                parts.append(text[0] if text[1] >= PRODUCT else f"({text[0]})")
            code = "*".join(parts)
            if below:
                under = [part(env) or self._number(0) for part in below]
                if len(under) == 1:
                    code += "/" + _bound(under[0], ATOM)
                else:
                    code += "/(" + "*".join(_bound(text, PRODUCT) for text in under) + ")"
            return sign + code, SUM if sign else PRODUCT

        return write

    def _pair(self, sign: str, left: Read, right: Read) -> At_:
        """Most of what a program says: a product of two elements."""
        one, other = self._name(left.array, left.places), self._name(right.array, right.places)
        level = SUM if sign else PRODUCT

        def write(env: Env) -> Text | None:
            first, second = one(env), other(env)
            return None if first is None or second is None else (f"{sign}{first}*{second}", level)

        return write

    def _power(self, base: Form, exponent: Form) -> At_:
        inner = self.writer(base)
        if isinstance(exponent, Number) and exponent.value in (2, 3) and self._style.program:
            spare, times = self._variable(), int(exponent.value)

            def power(env: Env) -> Text | None:
                text = inner(env)
                if text is None:
                    return None
                first = text[0] if text[0].isidentifier() else f"({spare} := {text[0]})"
                rest = text[0] if text[0].isidentifier() else spare
                return "*".join([first, *[rest] * (times - 1)]), PRODUCT

            return power
        above = self.writer(exponent)
        positive = isinstance(exponent, Number) and exponent.value > 0

        def general(env: Env) -> Text | None:
            text, other = inner(env), above(env) or self._number(0)
            if text is None and positive:
                return None
            text = text or self._number(0)
            if self._style.program:
                return f"pow({text[0]}, {other[0]})", ATOM
            return f"{_bound(text, ATOM)}^{_bound(other, ATOM)}", PRODUCT

        return general

    def _call(self, function: str, arguments: tuple[Form, ...]) -> At_:
        inner = [self.writer(argument) for argument in arguments]
        if not self._style.program:
            template = NOTES.get(function, f"{function}({', '.join(f'{{{at}}}' for at in range(len(inner)))})")
            level = PRODUCT if "/" in template else ATOM

            def note(env: Env) -> Text | None:
                parts = [part(env) or self._number(0) for part in inner]
                return template.format(
                    *(_bound(part, ATOM) if "-{0}" in template else part[0] for part in parts)
                ), level

            return note
        template = TEMPLATES[function] if self._style.raises else INFINITE.get(function, TEMPLATES[function])
        level = CONDITION if " if " in template else PRODUCT if "/" in template else ATOM
        spare = [self._variable() if template.count(f"{{{at}") > 1 else "" for at in range(len(inner))]

        def call(env: Env) -> Text | None:
            parts = [part(env) or self._number(0) for part in inner]
            return _filled(template, parts, spare), level

        return call

    def _cases(self, branches: tuple[tuple[Form, Form], ...]) -> At_:
        inner = [(self.writer_of_condition(condition), self.writer(value)) for condition, value in branches]

        def write(env: Env) -> Text | None:
            code = ""
            last: Text | None = ("nan", ATOM)
            for condition, value in inner:
                decided = condition(env)
                if decided is False:
                    continue
                last = value(env)
                if decided is True:
                    break
                code += f"{_bound(last or self._number(0), SUM)} if {decided} else "
                last = ("nan", ATOM)
            return (code + _bound(last or self._number(0), SUM), CONDITION) if code else last

        return write

    def writer_of_condition(self, form: Form) -> Callable[[Env], bool | str]:
        """The function that decides a condition at a position, or writes it where it depends on values."""
        if isinstance(form, Truth):
            return lambda env: form.holds
        assert isinstance(form, Compare), f"not a condition: {form}"
        if form.relation in ("and", "or"):
            return self._joined(form)
        if isinstance(form.right, Truth):
            inner = self.writer_of_condition(form.left)
            wanted = form.right.holds
            return lambda env: _equal(inner(env), wanted)
        if isinstance(form.left, At | Number) and isinstance(form.right, At | Number):
            left, right = self._amount(form.left), self._amount(form.right)
            compare = _RELATIONS[form.relation]
            return lambda env: compare(left(env), right(env))
        one, other = self.writer(form.left), self.writer(form.right)

        def write(env: Env) -> str:
            left, right = one(env) or self._number(0), other(env) or self._number(0)
            return f"{_bound(left, SUM)} {form.relation} {_bound(right, SUM)}"

        return write

    def _joined(self, form: Compare) -> Callable[[Env], bool | str]:
        left, right = self.writer_of_condition(form.left), self.writer_of_condition(form.right)
        settles = form.relation == "or"  # what decides the whole by itself

        def write(env: Env) -> bool | str:
            both = (left(env), right(env))
            if settles in both:
                return settles
            open_ = [text for text in both if isinstance(text, str)]
            return f" {form.relation} ".join(f"({text})" for text in open_) if open_ else not settles

        return write

    def _amount(self, form: At | Number) -> Callable[[Env], Amount]:
        if isinstance(form, At):
            return self.place(form.place)
        value = form.value
        return lambda env: value

    def _compare(self, left: Form, relation: str, right: Form) -> At_:
        decide = self.writer_of_condition(Compare(left, relation, right))

        def write(env: Env) -> Text:
            decided = decide(env)
            return (str(decided), ATOM) if isinstance(decided, bool) else (decided, CONDITION)

        return write

    def _variable(self) -> str:
        return f"_{next(self._spare)}"


_RELATIONS: Mapping[str, Callable[[Amount, Amount], bool]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def _bound(text: Text, level: int) -> str:
    return text[0] if text[1] >= level else f"({text[0]})"


def _equal(decided: bool | str, wanted: bool) -> bool | str:
    if isinstance(decided, bool):
        return decided is wanted
    return decided if wanted else f"not ({decided})"


def _total(terms: list[At_]) -> At_:
    def write(env: Env) -> Text | None:
        return _added([text for term in terms if (text := term(env)) is not None])

    return write


def _over(indices: tuple[Index, ...], row: Row) -> At_:
    """A sum; `row` writes its terms at every value of the last index."""
    places = list(combinations(*(range(index.size) for index in indices[:-1])))
    letters = [index.name for index in indices[:-1]]

    def write(env: Env) -> Text | None:
        inner = env.copy()
        found = []
        for at in places:
            inner.update(zip(letters, at, strict=True))
            found += [text for text in row(inner) if text is not None]
        return _added(found)

    return write


def _added(texts: list[Text]) -> Text | None:
    """The sum of texts; a long one in pieces, since the compiler descends into every term of a sum."""
    if len(texts) < 2:
        return texts[0] if texts else None
    if len(texts) > LONG:
        pieces = [_added(texts[at : at + LONG]) for at in range(0, len(texts), LONG)]
        return _added([(f"({piece[0]})", ATOM) for piece in pieces if piece is not None])
    parts = [_bound(texts[0], SUM)]
    for text, level in texts[1:]:
        if level == CONDITION:
            parts.append(f" + ({text})")
        else:
            parts.append(f" - {text[1:]}" if text.startswith("-") else f" + {text}")
    return "".join(parts), SUM


def _filled(template: str, parts: list[Text], spare: list[str]) -> str:
    """The template with its arguments; one that is used twice and is no plain name is kept in a spare variable."""
    code = template
    for at, (text, level) in enumerate(parts):
        plain = text.isidentifier() or not spare[at]
        shown = text if plain else spare[at]
        first = text if plain and level > SUM else f"({text})" if plain else f"({spare[at]} := {text})"
        code = code.replace(f"{{{at}:=}}", first)
        code = code.replace(f"({{{at}}})", f"({shown})").replace(
            f"{{{at}}}", shown if level > SUM or not plain else f"({shown})"
        )
    return code
