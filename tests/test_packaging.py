"""What the wheel would hold: every package, template and example of the checkout, and nothing forgotten."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from pathlib import Path

import derive

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
TOOL = PROJECT["tool"]["setuptools"]


def folder_of(package: str) -> Path:
    for prefix, folder in TOOL["package-dir"].items():
        if package == prefix or package.startswith(prefix + "."):
            return ROOT / folder / Path(*package.removeprefix(prefix).strip(".").split("."))
    return ROOT / Path(*package.split("."))


def test_every_folder_with_code_or_templates_is_a_package_of_the_wheel() -> None:
    found = {path.parent for top in ("derive", "templates", "examples") for path in (ROOT / top).rglob("__init__.py")}
    assert {folder_of(package) for package in TOOL["packages"]} == found


def test_every_file_is_shipped() -> None:
    shipped = {
        path
        for package, patterns in TOOL["package-data"].items()
        for pattern in patterns
        for path in folder_of(package).glob(pattern)
    }
    data = {
        path
        for top in ("derive", "templates", "examples")
        for path in (ROOT / top).rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc")
    }
    assert data - shipped == set()
    assert {path.suffix for path in shipped} >= {".j2", ".yaml", ".typed"}


def test_templates_and_examples_are_found_where_they_are_installed() -> None:
    assert (files("derive.templates") / "prose" / "en.j2").is_file()
    assert (files("derive.examples") / "w1-mazur.yaml").is_file()


def test_one_version() -> None:
    assert PROJECT["project"]["dynamic"] == ["version"]
    assert TOOL["dynamic"] == {"version": {"attr": "derive.__version__"}}
    assert derive.__version__ in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
