"""Decks: what stands on which slide, when it appears, and that no slide is too full."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from sample import CHAIN, LOSS, NET, SUM, E, hostile, long_sum, name, op, ordinary, page, said, stress
from sweeps import mostly_whole

import derive
from derive.errors import OptionError
from derive.render import FORMATS, render, tex
from derive.render.document import viewer_of
from derive.render.heights import extent
from derive.render.prose import Fragment
from derive.render.slides import Slide, deck
from derive.render.views import EquationView, FigureView, ListingView, TableView, TextView
from derive.solution.document import Document, Equation, Heading, Line, Listing, Note, Paragraph, Table
from derive.solution.layout import (
    BigSum,
    CasesOf,
    DerivativeOf,
    Digits,
    Fenced,
    Fraction,
    Function,
    Identifier,
    Layout,
    Matrix,
    Partial,
    Root,
    Superscript,
    Words,
    row,
)

EXAMPLES = Path(__file__).parents[2] / "examples"
ENGINES = {"en": "pdflatex", "zh": "xelatex"}
DECKS = ("beamer", "slides")
each_deck = pytest.mark.parametrize("format", DECKS)


def slides_of(document: Document, format: str) -> tuple[Slide, ...]:
    dialect = FORMATS[format].dialect(document.language, "")
    _, viewer = viewer_of(document, dialect, None)
    return deck(Fragment("A deck"), [viewer(block) for block in document.blocks], dialect)


def numbers(*values: int, relation: str = "=") -> Equation:
    """a = 1 = 2 = 3, a row each."""
    lines = tuple(Line(name("a") if at == 0 else None, relation, Digits(str(n))) for at, n in enumerate(values))
    return Equation(lines)


def rows_of(slides: tuple[Slide, ...]) -> list[str]:
    """The digits of every row, in the order of the deck."""
    views = [piece.view for slide in slides for piece in slide.pieces]
    rows = [row for view in views if isinstance(view, EquationView) for row in view.rows]
    return [re.sub(r"<[^>]*>", "", row.right) for row in rows]


@each_deck
def test_a_long_derivation_goes_on_on_the_next_slides_and_loses_no_row(format: str) -> None:
    slides = slides_of(page(Heading(2, said("Long")), numbers(*range(10, 60))), format)
    assert rows_of(slides) == [str(n) for n in range(10, 60)]
    assert [(slide.title, slide.number, slide.count) for slide in slides[1:]] == [
        ("Long", number, len(slides) - 1) for number in range(1, len(slides))
    ]
    counts = [len(piece.view.rows) for slide in slides for piece in slide.pieces]  # type: ignore[union-attr]
    assert 3 < len(counts) < 10
    assert max(counts) - min(counts) <= 2  # none is full while the next one is empty


@each_deck
def test_a_slide_that_goes_on_says_again_what_is_worked_out(format: str) -> None:
    slides = slides_of(page(numbers(*range(10, 60))), format)
    for slide in slides[1:]:
        view = slide.pieces[0].view
        assert isinstance(view, EquationView)
        assert re.sub(r"<[^>]*>", "", view.rows[0].left) == "a"
        assert [row.left for row in view.rows[1:]] == [""] * (len(view.rows) - 1)


@each_deck
def test_what_was_rounded_once_stays_about_equal_on_the_next_slide(format: str) -> None:
    """a = 10 ≈ 11 = 12: that a is 12 would be wrong."""
    lines = [Line(name("a"), "=", Digits("10")), Line(None, "~=", Digits("11"))]
    lines += [Line(None, "=", Digits(str(n))) for n in range(12, 60)]
    about = FORMATS[format].dialect("en", "").relation("~=")
    later = slides_of(page(Equation(tuple(lines))), format)[2:]
    assert len(later) >= 2
    for slide in later:
        view = slide.pieces[0].view
        assert isinstance(view, EquationView)
        assert view.rows[0].relation == about


@each_deck
def test_a_sentence_stays_with_the_equation_that_it_leads_to(format: str) -> None:
    blocks = [block for n in range(3, 15) for block in (Paragraph(said(f"Step {n}:")), numbers(*range(100, 100 + n)))]
    table = Table(("a", "b"), tuple((Digits(str(n)), Digits("1")) for n in range(40)))
    listing = Listing(tuple(said(f"item {n}") for n in range(30)))
    blocks += [Paragraph(said("A table:")), table, Paragraph(said("A list:")), listing]
    slides = slides_of(page(*blocks), format)
    assert len(slides) > 12
    for slide in slides[1:]:
        assert not isinstance(slide.pieces[-1].view, TextView)


@each_deck
def test_a_sentence_stays_with_a_matrix_as_high_as_a_slide(format: str) -> None:
    matrix = Matrix(tuple((Digits("1"),) for _ in range(60)))
    slides = slides_of(page(Paragraph(said("All of them:")), Equation((Line(name("W"), "=", matrix),))), format)
    (slide,) = slides[1:]
    assert [piece.view.kind for piece in slide.pieces] == ["paragraph", "equation"]
    assert slide.excess == 1


@each_deck
def test_every_row_of_a_table_stands_on_one_slide_below_its_header(format: str) -> None:
    rows = tuple((Digits(str(n)), Digits("1")) for n in range(100, 160))
    slides = slides_of(page(Table(("left", "right"), rows)), format)
    views = [piece.view for slide in slides for piece in slide.pieces]
    parts = [part for view in views if isinstance(view, TableView) for part in view.parts]
    assert len(parts) > 2
    assert {part.header for part in parts} == {("left", "right")}
    found = [re.search(r"1\d\d", row[0]) for part in parts for row in part.rows]
    assert [number[0] for number in found if number] == [str(n) for n in range(100, 160)]


@each_deck
def test_a_numbered_list_that_goes_on_counts_on(format: str) -> None:
    slides = slides_of(page(Listing(tuple(said(f"item {n}") for n in range(40)), ordered=True)), format)
    pieces = [piece for slide in slides for piece in slide.pieces]
    counted = 0
    for piece in pieces:
        assert piece.start == counted
        assert isinstance(piece.view, ListingView)
        counted += len(piece.view.items)
    assert (counted, len(pieces) > 1) == (40, True)


@each_deck
def test_rows_appear_one_by_one_and_words_with_the_row_that_they_lead_to(format: str) -> None:
    document = page(Paragraph(said("So:")), numbers(1, 2, 3), Paragraph(said("And:")), numbers(4), Note(said("Done.")))
    (slide,) = slides_of(document, format)[1:]
    assert [(piece.step, piece.row_steps) for piece in slide.pieces] == [
        (0, ()),
        (0, (0, 1, 2)),
        (3, ()),
        (3, (3,)),
        (4, ()),
    ]
    assert slide.steps == 4


@each_deck
def test_headings_name_the_slides_and_the_trail_above_them(format: str) -> None:
    document = page(
        Paragraph(said("First words.")),
        Heading(2, said("Forward")),
        Heading(3, said("Hidden")),
        numbers(1),
        Heading(2, said("Backward")),
        numbers(2),
        Heading(2, said("Nothing below")),
    )
    found = [(slide.title, slide.trail, slide.opening, len(slide.pieces)) for slide in slides_of(document, format)]
    assert found == [
        ("A deck", (), True, 1),
        ("Hidden", ("Forward",), False, 1),
        ("Backward", (), False, 1),
        ("Nothing below", (), False, 0),
    ]


@cache
def example(stem: str, language: str) -> Document:
    return derive.solve(EXAMPLES / f"{stem}.yaml", language=language).document


@each_deck
def test_a_figure_has_a_slide_of_its_own(format: str) -> None:
    slides = slides_of(example("w1-mazur", "en"), format)
    with_figures = [slide for slide in slides if any(isinstance(piece.view, FigureView) for piece in slide.pieces)]
    assert with_figures
    for slide in with_figures:
        assert [piece.view.kind for piece in slide.pieces][-1] == "figure"
        assert {piece.view.kind for piece in slide.pieces[:-1]} <= {"paragraph"}


W = Identifier("w", Digits("5"), mark="+")
BOTH = Identifier("net", Digits("1"), Fenced(Digits("2")))
MEASURED: list[Layout] = [
    SUM,
    LOSS,
    CHAIN,
    E,
    W,
    BOTH,
    long_sum(2),
    Partial(E, BOTH),
    Matrix(((Digits("0.15"),) * 3,) * 5),
    Matrix(tuple((Partial(E, name("w", str(n))),) for n in range(6))),
    Function("tanh", (SUM,)),
    BigSum(name("i"), row(name("w", "5"), name("delta"))),
    BigSum(row(name("n"), op("="), Digits("1")), LOSS, Digits("4")),
    Fenced(LOSS),
    Fraction(Digits("1"), row(Digits("1"), op("+"), Superscript(Identifier("e"), row(op("neg"), NET)))),
    Fraction(DerivativeOf(Superscript(Identifier("e"), name("z")), name("z")), Superscript(Fenced(SUM), Digits("2"))),
    Root(row(name("v"), op("+"), name("epsilon"))),
    CasesOf(((Digits("1"), row(NET, op(">"), Digits("0"))), (Digits("0"), None))),
    Superscript(Digits("10"), Digits("-4")),
    Words("the average of all samples"),
]


def log_of(source: str, engine: str, folder: Path) -> str:
    """What LaTeX says of one run, which must make a PDF without an error."""
    if shutil.which(engine) is None:
        pytest.skip(f"{engine} is not installed")
    (folder / "page.tex").write_text(source, encoding="utf-8")
    command = [engine, "-no-shell-escape", "-interaction=nonstopmode", "page.tex"]
    environment = {**os.environ, "max_print_line": "1000"}
    subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=170, check=False)
    log = (folder / "page.log").read_text(encoding="utf-8", errors="replace")
    assert re.findall(r"^! .*", log, re.MULTILINE) == []
    assert (folder / "page.pdf").exists()
    return log


def test_heights_are_estimated_within_half_a_line_or_a_quarter_and_never_too_small(tmp_path: Path) -> None:
    boxes = [rf"\setbox0\hbox{{$\displaystyle {tex(layout)}$}}\message{{<\the\ht0,\the\dp0>}}" for layout in MEASURED]
    preamble = r"\documentclass[11pt]{article}\usepackage{amsmath,xcolor}\begin{document}x"
    log = log_of("\n".join([preamble, *boxes, r"\end{document}"]), "pdflatex", tmp_path)
    found = re.findall(r"<([\d.]+)pt,([\d.]+)pt>", log)
    true = [(float(above) / 10.95 + float(below) / 10.95) for above, below in found]
    wrong = [
        f"{tex(layout)}: {extent(layout).height:.2f} for {em:.2f} em"
        for layout, em in zip(MEASURED, true, strict=True)
        if not em - 0.1 <= extent(layout).height <= max(em + 0.62, 1.25 * em)
    ]
    assert wrong == []


@pytest.mark.parametrize("language", mostly_whole(ENGINES, ["en"]))
def test_decks_compile_and_no_slide_is_too_full_or_too_wide(language: str, tmp_path: Path) -> None:
    """Several decks in one run; overlays change no line, so those without them tell it too. All examples are compiled in
    tests/examples/test_compiled_pages.py.
    """
    documents = [example("w1-mazur", language), ordinary(language), stress(language), hostile(language)]
    decks = [render(document, "beamer", flavor="handout").partition("\\begin{document}\n") for document in documents]
    bodies = [body.replace("\\end{document}", "") for _, _, body in decks]
    source = decks[0][0] + "\\begin{document}\n" + "".join(bodies) + "\\end{document}\n"
    log = log_of(re.sub(r"(slidetotal\}\{)\d+", r"\g<1>2000", source), ENGINES[language], tmp_path)
    over = re.findall(r"Overfull \\[hv]box \(([\d.]+)pt.*", log)
    assert [points for points in over if float(points) > 5] == []
    assert re.findall(r"Missing character.*", log) == []


FOOT = 0.92  # of a page's height: below it stand the number of the page and how far the talk is


def pages_of(pdf: Path) -> list[bytes]:
    """The shades of each page's dots above the foot, two dots to a point: 0 is black, 255 white."""
    if shutil.which("pdftoppm") is None:
        pytest.skip("pdftoppm (Debian: poppler-utils) is not installed")
    command = ["pdftoppm", "-r", "144", "-gray", str(pdf), str(pdf.with_suffix(""))]
    subprocess.run(command, capture_output=True, check=True, timeout=120)
    pages = []
    for path in sorted(pdf.parent.glob("*.pgm")):
        header = re.match(rb"P5\s(\d+)\s(\d+)\s255\s", content := path.read_bytes())
        assert header
        wide, high = map(int, header.groups())
        pages.append(content[header.end() :][: wide * round(high * FOOT)])
    return pages


def dots(page: bytes, low: int, high: int) -> int:
    """The dots of a shade from `low` to below `high`, a byte each."""
    return int.from_bytes(page.translate(bytes(255 * (low <= shade < high) for shade in range(256))), "big")


def lost(before: bytes, after: bytes) -> int:
    """How many dots were dark and are white: a letter that moves by what nobody sees has none."""
    return (dots(before, 0, 100) & dots(after, 230, 256)).bit_count() // 8


def test_overlays_reveal_row_by_row_and_no_line_jumps(tmp_path: Path) -> None:
    if shutil.which("pdflatex") is None:
        pytest.skip("pdflatex is not installed")
    solution = derive.solve(EXAMPLES / "w3-circuit.yaml")
    solution.write(tmp_path / "talk.pdf", "beamer")
    pages = pages_of(tmp_path / "talk.pdf")
    slides = slides_of(solution.document, "beamer")
    assert len(pages) == sum(slide.steps + 1 for slide in slides)
    at = 0
    for slide in slides:
        shown = pages[at : at + slide.steps + 1]
        at += slide.steps + 1
        for before, after in pairwise(shown):
            assert lost(before, after) == 0
            assert lost(after, before) > 0  # something more can be seen
        moved = (b"\xff" * 3 + shown[0])[: len(shown[0])]
        assert lost(shown[0], moved) > 0  # a jump by a point and a half is found


def test_a_deck_without_overlays_shows_everything_at_once() -> None:
    document = example("w3-circuit", "en")
    assert r"\uncover<" in render(document, "beamer")
    handout = render(document, "beamer", flavor="handout")
    assert not re.search(r"<\d+->", handout)


@pytest.mark.parametrize("format", FORMATS)
def test_only_beamer_has_a_handout(format: str) -> None:
    if format == "beamer":
        assert ",handout]" in render(ordinary(), format, flavor="handout")
    elif FORMATS[format].flavors:
        with pytest.raises(OptionError, match="flavor: unknown 'handout'"):
            render(ordinary(), format, flavor="handout")
