"""Documents that the tests of this folder render: an ordinary page and one to break every rule of width."""

from __future__ import annotations

from hostile_page import HOSTILE as HOSTILE
from hostile_page import hostile as hostile
from hostile_page import said as said

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


NET, E = name("net", "h1"), name("E", "total")
SUM = row(name("w", "1"), name("i", "1"), op("+"), name("w", "2"), name("i", "2"), op("+"), name("b", "1"))
SHOWN = row(
    Digits("0.15"),
    op("*"),
    Digits("0.05"),
    op("+"),
    Digits("0.20"),
    op("*"),
    Digits("0.10"),
    op("+"),
    Digits("0.35"),
)
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
        Equation(
            (
                Line(
                    name("W"),
                    "=",
                    Matrix(((Digits("0.15"), Digits("0.20")), (Digits("-0.25"), Digits("0.30")))),
                ),
            )
        ),
        language=language,
    )


def long_sum(terms: int) -> Layout:
    products = [row(op("+"), Digits("0.123456789"), op("*"), Fenced(Digits("-0.987654321"))) for _ in range(terms)]
    return row(*row(*products).items[1:])


def stress(language: str = "en") -> Document:
    """Everything that could run off the page."""
    reason = said(
        "因为每一项都乘以学习率" if language == "zh" else "the rule for a sum, term by term, then the power rule"
    )
    wide = Partial(row(E, op("+"), E, op("+"), E, op("+"), E), Fenced(long_sum(2)))
    big = Matrix(tuple(tuple(Digits("-0.123456789") for _ in range(9)) for _ in range(3)))
    many = Matrix(tuple(tuple(Digits("-0.12") for _ in range(12)) for _ in range(3)))
    factor = Underbrace(Partial(name("out", "o1"), name("net", "o1")), Digits("-0.186815602"))
    product = row(*[part for _ in range(9) for part in (op("."), factor)][1:])
    half = Fraction(Digits("1"), Digits("24"))
    layers = row(*[part for _ in range(16) for part in (op("*"), Digits("0.123456789"))][1:])
    sums = (
        Line(NET, "=", long_sum(9), reason),
        Line(None, "=", SHOWN, reason),
        Line(None, "=", row(half, Fenced(long_sum(8))), reason),
        Line(None, "=", row(half, Fenced(row(half, op("+"), long_sum(8)))), CARRY),
        Line(wide, "~=", row(layers, op("+"), layers)),
        Line(None, "~=", product, reason),
        Line(NET, "=", row(*[name("w", str(n)) for n in range(90)])),
    )
    cells = tuple(Digits("-0.123456789") for _ in range(9))
    return page(
        *(Equation((line,)) for line in sums),
        Equation(sums),
        Equation((Line(name("W"), "=", big), Line(None, "=", many))),
        Table(("name", *(name("w", str(n)) for n in range(9))), tuple((E, *cells) for _ in range(60))),
        Table(("term", "meaning"), (("loss", CARRY), ("weight", said("a number " * 30)))),
        Paragraph(Message("join", {"items": (E, long_sum(3), said("so"), wide, E, E)})),
        title="A title " * 30 + "x" * 150,
        language=language,
    )
