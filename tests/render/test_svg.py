"""SVG of pictures built by hand: well-formed XML, nothing of a person's text is markup, letters where they belong."""

from __future__ import annotations

from xml.etree import ElementTree

from derive.render.figures.picture import Label, Line, Mark, Picture, Shape
from derive.render.figures.svg import svg
from derive.solution.layout import Digits, Identifier, Layout, Operator, Words, row

SVG = "{http://www.w3.org/2000/svg}"
W5 = Identifier("w", Digits("5"))


def drawn(*marks: Mark, title: str = "", description: str = "") -> ElementTree.Element:
    return ElementTree.fromstring(svg(Picture(10, 5, marks), title, description, alone=True))


def label(layout: Layout, role: str = "") -> Label:
    return Label(layout, (5.0, 2.0), 2.0, role=role)


def text_of(layout: Layout) -> ElementTree.Element:
    (text,) = drawn(label(layout)).iter(f"{SVG}text")
    return text


def test_a_subscript_is_lower_and_smaller() -> None:
    name, below = text_of(W5).iter(f"{SVG}tspan")
    assert (name.text, name.get("class")) == ("w", "italic")
    assert below.text == "5"
    assert float(below.get("dy", "0")) > 0
    assert float(below.get("font-size", "0")) < 16


def test_what_follows_a_subscript_stands_on_the_line_again() -> None:
    moves = [float(span.get("dy", "0")) for span in text_of(row(W5, Operator("="), Digits("0.40"))).iter(f"{SVG}tspan")]
    assert abs(sum(moves)) < 0.02


def test_a_name_carries_its_key_wherever_it_stands() -> None:
    assert text_of(W5).get("data-q") == "w5"
    keys = [span.get("data-q") for span in text_of(row(W5, Operator("="), Digits("0.40"))).iter(f"{SVG}tspan")]
    assert [key for key in keys if key] == ["w5"]


def test_a_minus_sign_is_one() -> None:
    assert "".join(text_of(Digits("-0.25")).itertext()) == "−0.25"


def test_hostile_text_stays_text() -> None:
    bad = "</text><script>alert(1)</script>\" onload='x' & \u202e"
    root = drawn(label(Words(bad)), title=bad, description=bad)
    assert [each.tag for each in root.iter() if "script" in each.tag] == []
    (text,) = root.iter(f"{SVG}text")
    assert "".join(text.itertext()) == bad.replace("\u202e", "[U+202E]")
    assert text.get("onload") is None


def test_title_and_description_tell_what_is_drawn() -> None:
    root = drawn(Shape((2, 2), 2, 2, True), title="The network", description="2 inputs")
    assert (root.findtext(f"{SVG}title"), root.findtext(f"{SVG}desc"), root.get("role")) == (
        "The network",
        "2 inputs",
        "img",
    )


def test_a_line_ends_before_the_tip_of_its_arrow() -> None:
    root = drawn(Line(((0, 1), (8, 1)), arrow=True))
    line, head = root.iter(f"{SVG}path")
    assert (line.get("class"), head.get("class")) == ("line", "head")
    assert (head.get("d") or "").startswith("M128,16 ")
    assert float((line.get("d") or "").rpartition("L")[2].split(",")[0]) < 128


def test_colours_are_roles_not_colours() -> None:
    (text,) = drawn(label(Digits("1"), "gradient")).iter(f"{SVG}text")
    assert text.get("class") == "gradient"
    assert text.get("fill") is None


def test_a_fixed_style_has_no_custom_properties() -> None:
    assert "var(" not in svg(Picture(10, 5, ()), alone=True, fixed=True)
