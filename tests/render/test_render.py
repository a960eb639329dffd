"""Documents in Markdown and text: blocks, escapes, options, and a user's own templates."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from sample import CARRY, HOSTILE, NET, SHOWN, SUM, E, hostile, name, op, ordinary, page, said

from derive.errors import OptionError
from derive.render import FORMATS, languages, plain, render, signatures
from derive.solution.document import Equation, Heading, Line, Listing, Message, Paragraph, Table
from derive.solution.layout import Fenced, Words, row


def test_an_equation_in_markdown_is_a_math_fence_aligned_at_its_relations() -> None:
    lines = (Line(NET, "=", SUM), Line(None, "~=", SHOWN, said("(by the rule)")))
    assert render(page(Equation(lines), title=""), "markdown") == (
        "```math\n\\begin{aligned}\n"
        "\\mathit{net}_{h1} &= w_{1} i_{1} + w_{2} i_{2} + b_{1} \\\\\n"
        " &\\approx 0.15 \\times 0.05 + 0.20 \\times 0.10 + 0.35 &&\\quad \\text{(by the rule)}\n"
        "\\end{aligned}\n```\n"
    )


def test_the_dollar_flavor_uses_dollars_alone() -> None:
    text = render(ordinary(), "markdown", flavor="dollars")
    assert "$$\n\\begin{aligned}" in text
    assert "`" not in text


def test_an_equation_in_text_is_aligned_with_its_reason_beside() -> None:
    lines = (Line(NET, "=", SUM), Line(None, "=", SHOWN, said("(by the rule)")))
    assert render(page(Equation(lines), title=""), "text") == (
        "  net_h1 = w1·i1 + w2·i2 + b1\n         = 0.15 × 0.05 + 0.20 × 0.10 + 0.35   (by the rule)\n"
    )


def test_a_table_in_text_counts_han_as_two_columns() -> None:
    table = Table(("名称", "value"), (("权重", "0.5"), ("b", "10.25")), frozenset({1}))
    lines = render(page(table, title=""), "text").splitlines()
    assert lines == ["  名称  value", "  ----  -----", "  权重    0.5", "  b     10.25"]


def test_a_wide_table_goes_on_below_with_the_columns_that_say_what_a_row_is_about() -> None:
    letters = tuple(letter * 25 for letter in "abcd")
    table = Table(("t", "j", *letters), (("1", "2", "3", "4", "5", "6"),), keys=2)
    shown = render(page(table), "text")
    headers = [line.split() for line in shown.splitlines() if line.lstrip().startswith("t ")]
    assert headers == [["t", "j", *letters[:3]], ["t", "j", letters[3]]]
    assert [line.split() for line in shown.splitlines() if line.lstrip().startswith("1 ")][-1] == ["1", "2", "6"]


def test_a_markdown_table_keeps_its_columns_whatever_its_cells_hold() -> None:
    rows = [line for line in render(hostile(), "markdown").splitlines() if line.startswith("| ")]
    assert len(rows) == len(HOSTILE) + 2
    assert {line.replace(r"\|", "").count("|") for line in rows} == {4}


@pytest.mark.parametrize("format", FORMATS)
def test_no_control_or_direction_mark_reaches_a_page(format: str) -> None:
    assert not {"\u202e", "\x00", "\x1b"} & set(render(hostile(), format))


def test_markdown_disarms_html_and_dollars() -> None:
    text = render(hostile(), "markdown")
    assert "<script" not in text
    assert r"\$x\$" in text
    assert "1\\. item" in text


def test_mathematics_beside_han_is_set_apart_for_github() -> None:
    message = Message("join", {"items": (E, said("误差"), NET)})
    text = render(page(Paragraph(message), title="", language="zh"), "markdown")
    assert text == "$`E_{\\text{total}}`$、误差和 $`\\mathit{net}_{h1}`$\n"


def test_a_list_is_joined_as_each_language_does() -> None:
    items = Message("join", {"items": ("a", "b", "c")})
    assert render(page(Paragraph(items), title=""), "text") == "a, b, and c\n"
    assert render(page(Paragraph(items), title="", language="zh"), "text") == "a、b和c\n"


def test_languages_say_the_same_messages_with_the_same_arguments() -> None:
    first, *others = (signatures(language) for language in languages())
    assert others
    for other in others:
        assert other == first


@pytest.mark.parametrize(("options", "words"), [
    ({"format": "markdwn"}, "did you mean 'markdown'"),
    ({"format": "markdown", "flavor": "dolars"}, "did you mean 'dollars'"),
    ({"format": "text", "template_dir": "/nowhere/at/all"}, "no such folder"),
])  # fmt: skip
def test_an_unknown_option_is_an_error_that_helps(options: dict[str, str], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        render(ordinary(), **options)  # type: ignore[arg-type]


def test_an_unknown_language_is_an_error() -> None:
    with pytest.raises(OptionError, match="unknown 'eo'; expected one of en, zh"):
        render(ordinary("eo"), "text")


def test_a_user_may_replace_one_block_one_message_or_add_a_language(tmp_path: Path) -> None:
    (tmp_path / "text").mkdir()
    (tmp_path / "prose").mkdir()
    block = "{% extends 'shipped/text/document.j2' %}{% block heading %}<{{ block.text }}>{% endblock %}"
    (tmp_path / "text/document.j2").write_text(block)
    (tmp_path / "prose/en.j2").write_text("{% macro document_carry() %}As {{ strong('you') }} like.{% endmacro %}")
    (tmp_path / "prose/eo.j2").write_text("{% macro document_carry() %}Saluton.{% endmacro %}")
    english = page(Heading(2, CARRY), Listing((said("kept"),)))
    text = render(english, "text", template_dir=tmp_path)
    assert "<As you like.>" in text
    assert "kept" in text
    assert "Saluton." in render(page(Paragraph(CARRY), language="eo"), "text", template_dir=tmp_path)
    assert languages(tmp_path) == ("en", "eo", "zh")


def test_the_words_of_a_prose_file_are_escaped_for_each_format(tmp_path: Path) -> None:
    (tmp_path / "prose").mkdir()
    one = "{% macro m(x) %}\n  50% of a_b & #1: {{ strong(x) }}{{ n(x) }}\n{% endmacro %}"
    words = one + "{% macro n(x) %} <{{ x }}>{% endmacro %}"
    (tmp_path / "prose/en.j2").write_text(words)
    document = page(Paragraph(Message("m", {"x": "c_d"})), title="")
    latex = render(document, "latex", template_dir=tmp_path)
    assert r"50\% of a\_b \& \#1: \textbf{c\_d} <c\_d>" in latex
    markdown = render(document, "markdown", template_dir=tmp_path)
    assert markdown == "50% of a\\_b & #1: **c\\_d** &lt;c\\_d&gt;\n"


def test_a_template_that_fails_is_reported_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "prose").mkdir()
    (tmp_path / "prose/en.j2").write_text("\n{% macro %}")
    with pytest.raises(OptionError, match=r"prose/en\.j2:2"):
        render(page(Paragraph(CARRY)), "text", template_dir=tmp_path)


def test_a_long_line_breaks_at_plus_and_inside_parentheses() -> None:
    term = [part for n in range(40) for part in (op("+"), name("w", str(n)))][1:]
    text = render(page(Equation((Line(E, "=", row(name("eta"), Fenced(row(*term)))),)), title=""), "text")
    assert max(map(len, text.splitlines())) <= 96
    assert [line.strip()[0] for line in text.splitlines()[1:]] == ["+"] * (len(text.splitlines()) - 1)


def test_rendering_needs_neither_sympy_nor_numpy() -> None:
    code = "import sys, derive.render; sys.exit(bool({'sympy', 'numpy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_words_in_a_formula_stand_apart() -> None:
    assert plain(row(E, Words("if"), NET)) == "E_total if net_h1"
