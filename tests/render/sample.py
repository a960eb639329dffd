"""Documents that the tests of this folder render: an ordinary page, one to break every rule of width, hostile text."""

from __future__ import annotations

from derive.solution.document import (
    Block,
    Document,
    Equation,
    Heading,
    Line,
    Listing,
    Message,
    Note,
    Paragraph,
    Table,
)
from derive.solution.layout import (
    Digits,
    Fenced,
    Fraction,
    Identifier,
    Layout,
    Matrix,
    Operator,
    Partial,
    Superscript,
    Underbrace,
    Words,
    row,
)

CARRY, EACH_STEP = Message("document_carry"), Message("document_each_step")


def name(base: str, below: str = "", mark: str = "") -> Identifier:
    subscript: Layout | None = Digits(below) if below.isdigit() else Words(below) if below else None
    return Identifier(base, subscript, mark=mark)


def op(sign: str) -> Operator:
    return Operator(sign)


def page(*blocks: Block, title: str = "A page", language: str = "en") -> Document:
    return Document(title, language, blocks)


def said(text: str) -> Message:
    """A message whose words are exactly `text`, through the one macro that passes on what it is given."""
    return Message("join", {"items": (text,)})


NET, E = name("net", "h1"), name("E", "total")
SUM = row(name("w", "1"), name("i", "1"), op("+"), name("w", "2"), name("i", "2"), op("+"), name("b", "1"))
SHOWN = row(Digits("0.15"), op("*"), Digits("0.05"), op("+"), Digits("0.20"), op("*"), Digits("0.10"), op("+"), Digits("0.35"))
LOSS = row(
    Fraction(Digits("1"), Digits("2")),
    Superscript(Fenced(row(name("target", "o1"), op("-"), name("out", "o1"))), Digits("2")),
)
CHAIN = row(
    Underbrace(Partial(E, name("out", "o1")), Digits("0.741365070")),
    op("."),
    Underbrace(Partial(name("out", "o1"), name("net", "o1")), Digits("0.186815602")),
    op("."),
    Underbrace(Partial(name("net", "o1"), name("w", "5")), Digits("0.593269992")),
)


def ordinary(language: str = "en") -> Document:
    """A little of everything, as the composer writes it."""
    return page(
        Heading(2, said("Forward")),
        Paragraph(CARRY),
        Equation(
            (
                Line(NET, "=", SUM),
                Line(None, "=", SHOWN, EACH_STEP if language == "" else said("definition")),
                Line(None, "=", Digits("0.3775")),
            )
        ),
        Note(EACH_STEP),
        Heading(3, said("The chain rule")),
        Equation((Line(Partial(E, name("w", "5")), "=", CHAIN), Line(None, "~=", Digits("0.082167041")))),
        Listing((Message("join", {"items": (E, NET, name("delta", "o1"))}), CARRY)),
        Table(
            ("w", Partial(E, name("w")), said("new")),
            tuple((name("w", str(n)), Digits("-0.0821"), Digits(f"{n}.25")) for n in range(5, 9)),
            frozenset({1, 2}),
        ),
        Equation((Line(name("W"), "=", Matrix(((Digits("0.15"), Digits("0.20")), (Digits("-0.25"), Digits("0.30"))))),)),
        language=language,
    )
