"""What notebooks display: the page in four kinds of text, each fit to stand among other things."""

from __future__ import annotations

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import derive
from derive.render.display import KINDS
from derive.render.filters import scoped

EXAMPLES = Path(__file__).parents[2] / "examples"


class Reader(HTMLParser):
    """What opens without being closed, and every tag and attribute."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)
        self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module", params=["en", "zh"])
def shown(request: pytest.FixtureRequest) -> dict[str, str]:
    return dict(derive.solve(EXAMPLES / "w1-mazur.yaml", language=request.param)._repr_mimebundle_())


def test_a_solution_displays_itself_in_four_kinds(shown: dict[str, str]) -> None:
    assert list(shown) == ["text/html", "text/latex", "text/markdown", "text/plain"]
    for text in shown.values():
        assert "0.593269992" in text


def test_html_is_one_whole_element_without_script_or_names(shown: dict[str, str]) -> None:
    html = shown["text/html"]
    assert html.startswith('<div class="derive-solution mathjax_ignore tex2jax_ignore"')
    reader = Reader(html)
    assert reader.open == []
    assert not {"script", "html", "head", "body", "link", "meta", "button", "iframe"} & reader.tags
    assert {"math", "svg", "table", "style"} <= reader.tags
    assert not {"id", "onload", "onerror", "onclick"} & reader.attributes
    assert "http://" not in re.sub(r'xmlns="[^"]*"', "", html)
    assert "https://" not in html


def test_every_rule_of_the_style_holds_within_the_fragment_alone(shown: dict[str, str]) -> None:
    style = re.search(r"<style>(.*?)</style>", shown["text/html"], re.DOTALL)
    assert style is not None
    selectors = re.findall(r"(?:^|[{}])\s*([^{}@;]+)(?=\{)", style[1])
    assert len(selectors) > 40
    for group in selectors:
        for one in re.split(r",\s*(?![^(]*\))", group.strip()):
            assert ".derive-solution" in one, one


def test_a_style_is_scoped_selector_by_selector() -> None:
    code = "a, b:not(c, d) { x: 1; }\n& { y: 2 }\n@media print { a { z: 3; } e { } }"
    assert re.sub(r"\s+", " ", scoped(code, ".r")).strip() == (
        ".r a, .r b:not(c, d) { x: 1; } .r { y: 2 } @media print { .r a { z: 3; } .r e { } }"
    )


def test_a_front_end_may_ask_for_some_kinds() -> None:
    solution = derive.solve(EXAMPLES / "micrograd.yaml")
    assert list(solution._repr_mimebundle_(include={"text/plain"})) == ["text/plain"]
    assert list(solution._repr_mimebundle_(exclude={"text/html", "text/latex"})) == ["text/markdown", "text/plain"]
    assert set(KINDS) == {"text/html", "text/latex", "text/markdown", "text/plain"}


def test_a_file_of_parts_displays_itself() -> None:
    solution = derive.solve(EXAMPLES / "w3-circuits-and-training.yaml")
    assert Reader(solution._repr_mimebundle_(include={"text/html"})["text/html"]).open == []


def trained(language: str = "en", **options: Any) -> dict[str, str]:
    source = {
        "title": "Two points",
        "inputs": {"x": [0, 1]},
        "targets": {"o1": [0, 1]},
        "layers": [{"dense": 1, "activation": "sigmoid", "weights": [[0.5]], "bias": 0}],
        "document": {"language": language},
    }
    return derive.train(source, steps=20, **options)._repr_mimebundle_()


def test_a_training_result_displays_its_end_its_losses_and_their_curve() -> None:
    shown = trained(learning_rate=0.5)
    assert list(shown) == ["text/html", "text/latex", "text/markdown", "text/plain"]
    assert Reader(shown["text/html"]).open == []
    assert "<svg" in shown["text/html"]
    assert "20 steps, 20 epochs; all steps done." in shown["text/markdown"]
    assert re.search(r"^\| \$0\$ \| \$0\$ \| \$0\.\d+\$ \|", shown["text/markdown"], re.MULTILINE)
    assert shown["text/plain"].startswith("20 steps, 20 epochs; all steps done\n")


def test_a_training_result_speaks_the_problem_s_language() -> None:
    assert "共更新 20 次，遍历样本 20 轮；已完成全部步数。" in trained("zh", learning_rate=0.5)["text/markdown"]


def test_the_latex_fits_into_what_nbconvert_makes(tmp_path: Path) -> None:
    """The packages are those of nbconvert's own article; it loads no TikZ."""
    if shutil.which("pdflatex") is None:
        pytest.skip("pdflatex is not installed")
    body = derive.solve(EXAMPLES / "w1-mazur.yaml")._repr_mimebundle_(include={"text/latex"})["text/latex"]
    packages = r"\usepackage{amsmath,graphicx,xcolor,longtable}\usepackage[T1]{fontenc}"
    source = rf"\documentclass[11pt]{{article}}{packages}\begin{{document}}{body}{body}\end{{document}}"
    (tmp_path / "page.tex").write_text(source, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "page.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stdout.decode("utf-8", "replace")[-2000:]
