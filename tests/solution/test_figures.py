"""What the figures show, against numbers from elsewhere: the lecture notes of CS231n, and Mazur's network."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import derive
from derive.cli.figure import KINDS as KINDS_OF_THE_COMMAND
from derive.errors import OptionError
from derive.figure import Figure
from derive.render.figures.layout import layout
from derive.render.plain import plain
from derive.solution.diagram import Curve, Diagram, Edge
from derive.solution.figures.kinds import KINDS

LEAST_LETTERS = 39.5 * 0.85 * 11 / 7  # em: on lines of 39.5 em and 11 pt, labels of 0.85 em have 7 pt
EXAMPLES = Path(__file__).parents[2] / "examples"


def solved(name: str, **options: object) -> derive.Solution:
    solution = derive.solve(EXAMPLES / f"{name}.yaml", **options)
    assert isinstance(solution, derive.Solution)
    return solution


def diagram(figure: Figure) -> Diagram:
    assert isinstance(figure.block.drawing, Diagram)
    return figure.block.drawing


def shown(edge: Edge) -> tuple[str, str]:
    return tuple("" if part is None else plain(part) for part in (edge.forward, edge.gradient))  # type: ignore[return-value]


def test_the_circuit_of_the_lecture_notes() -> None:
    """f = (x + y) z at -2, 5, -4: cs231n.github.io/optimization-2"""
    wires = {(edge.start, shown(edge)) for edge in diagram(solved("w3-circuit").figure()).edges}
    assert wires == {
        ("x", ("−2", "−4")),
        ("y", ("5", "−4")),
        ("q", ("3", "−4")),
        ("z", ("−4", "3")),
        ("f", ("−12", "1")),
    }


def test_a_formula_is_split_into_operations() -> None:
    """1/(1 + exp(-x)) at 1: the chain of the same notes, -1, 0.37, 1.37, 0.73 and -0.53, -0.53, -0.20, 0.20."""
    solution = derive.solve({"values": {"x": 1.0}, "circuit": {"f": "1/(1 + exp(-x))"}, "document": {"decimals": 2}})
    picture = diagram(solution.figure("circuit"))
    signs = [
        plain(node.label).replace(" ", "")
        for node in picture.nodes
        if node.kind == "operation" and node.label is not None
    ]
    assert signs == ["×−1", "exp", "+1", "1/x"]
    values = [shown(edge) for edge in picture.edges]
    assert [gradient for _, gradient in values][1:] == ["−0.20", "−0.53", "−0.53", "1"]
    assert [value for value, _ in values][1:] == ["−1", "0.37", "1.37", "0.73"]


def test_the_command_line_knows_every_kind() -> None:
    assert tuple(KINDS) == KINDS_OF_THE_COMMAND


def test_both_paths_of_mazurs_w1_are_marked() -> None:
    """mattmazur.com/2015/03/17: E_total, E_o1 and E_o2, out_o1 and out_o2, ..., out_h1, net_h1, w1."""
    marked = {(edge.start, edge.end) for edge in diagram(solved("w1-mazur").figure("path", "w1")).edges if edge.marked}
    assert marked == {
        ("w1", "net_h1"),
        ("net_h1", "out_h1"),
        ("out_h1", "net_o1"),
        ("out_h1", "net_o2"),
        ("net_o1", "out_o1"),
        ("net_o2", "out_o2"),
        ("out_o1", "E_o1"),
        ("out_o2", "E_o2"),
        ("E_o1", "E_total"),
        ("E_o2", "E_total"),
    }


def test_figures_have_fewer_digits_than_the_page() -> None:
    """As there: 0.241300709, 0.186815602, 0.74136507, and for o2 0.175510053, -0.217071535; 0.40 and 0.50 typed."""
    figure = solved("w1-mazur").figure("path", "w1")
    shown = {plain(edge.label) for edge in diagram(figure).edges if edge.label is not None}
    assert shown == {"0.05", "0.2413", "0.40", "0.50", "0.1868", "0.1755", "0.7414", "−0.2171", "1"}
    assert figure.caption.endswith("(numbers to 4 significant digits)")
    assert layout(figure.block.drawing).width < LEAST_LETTERS


def test_a_caption_says_nothing_of_digits_where_they_are_the_pages() -> None:
    assert "digits" not in solved("w3-circuit").figure().caption


@pytest.mark.parametrize(("language", "words"), [("en", ("number of steps", "loss")), ("zh", ("步数", "损失"))])
def test_the_axes_of_the_loss_have_words(language: str, words: tuple[str, ...]) -> None:
    drawn = solved("w1-mazur", language=language).figure("loss").to_svg()
    texts = re.findall(r"<text[^>]*>(.*?)</text>", drawn)
    assert all(any(word in text for text in texts) for word in words)


def test_the_network_has_every_unit_and_weight() -> None:
    picture = diagram(solved("w1-mazur").figure("network"))
    assert [node.id for node in picture.nodes] == [
        "i1",
        "i2",
        "bias_1",
        "out_h1",
        "out_h2",
        "bias_2",
        "out_o1",
        "out_o2",
    ]
    weights = {plain(edge.label).split(" ")[0] for edge in picture.edges if edge.label is not None}
    assert weights == {f"w{at}" for at in range(1, 9)}


def test_a_wide_layer_is_shortened_by_dots() -> None:
    inputs = {f"x{at}": None for at in range(1, 31)}
    picture = diagram(derive.solve({"inputs": inputs, "layers": [{"dense": 13}, {"dense": 12}]}).figure())
    by_column = [[node for node in picture.nodes if node.column == at and node.kind != "bias"] for at in range(3)]
    assert [len(column) for column in by_column] == [6, 6, 12]
    assert [sum(node.kind == "dots" for node in column) for column in by_column] == [1, 1, 0]


def test_the_loss_curve_ends_where_training_does() -> None:
    solution = solved("w1-mazur")
    curve = solution.figure("loss").block.drawing
    assert isinstance(curve, Curve)
    assert solution.training is not None
    assert curve.points[0] == (0.0, solution.training.losses[0][1])
    assert curve.points[-1] == (10000.0, solution.training.losses[-1][1])


@pytest.mark.parametrize(
    ("name", "kind", "of", "message"),
    [
        ("w1-mazur", "cirquit", "", "did you mean 'circuit'"),
        ("w1-mazur", "path", "w99", "unknown quantity 'w99'"),
        ("w1-mazur", "network", "w1", "path takes a quantity"),
        ("w3-circuit", "network", "", "expected circuit"),
        ("w3-circuit", "loss", "", "needs a `training:`"),
        ("lstm", "circuit", "", "expected network"),
    ],
)
def test_what_cannot_be_drawn_is_said(name: str, kind: str, of: str, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        solved(name).figure(kind, of)


def test_a_page_without_figures_has_none(tmp_path: Path) -> None:
    solved("w3-circuit", figures=False).write(tmp_path / "page.md")
    assert [path.name for path in tmp_path.iterdir()] == ["page.md"]
    solved("w3-circuit").write(tmp_path / "page.md")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["page-circuit.svg", "page.md"]
    assert "](page-circuit.svg)" in (tmp_path / "page.md").read_text(encoding="utf-8")


def test_a_figure_displays_itself() -> None:
    bundle = solved("w3-circuit", language="zh").figure()._repr_mimebundle_()
    assert set(bundle) == {"image/svg+xml", "text/plain"}
    assert bundle["text/plain"].startswith("由 2 个运算构成的计算图")


@pytest.mark.parametrize(
    ("ending", "begins"), [(".svg", b"<svg"), (".tex", b"%"), (".pdf", b"%PDF"), (".png", b"\x89PNG")]
)
def test_every_kind_of_file(ending: str, begins: bytes, tmp_path: Path) -> None:
    solved("w3-circuit").figure().write(tmp_path / f"figure{ending}")
    assert (tmp_path / f"figure{ending}").read_bytes().startswith(begins)


def test_another_ending_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"expected a file name ending in one of \.svg, \.tex, \.pdf, \.png"):
        solved("w3-circuit").figure().write(tmp_path / "figure.gif")


def test_figures_of_several_parts_do_not_replace_each_other(tmp_path: Path) -> None:
    derive.solve(EXAMPLES / "w3-circuits-and-training.yaml").write(tmp_path / "page.md")
    page = (tmp_path / "page.md").read_text(encoding="utf-8")
    drawn = sorted(path.name for path in tmp_path.glob("*.svg"))
    assert len(drawn) == page.count("](page-") > 3
