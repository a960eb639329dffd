"""DESIGN's table of who may import whom, and what no module may call: text that people type is never executed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "derive"
MODULES = {
    ".".join(("derive", *path.relative_to(ROOT).with_suffix("").parts)): path for path in sorted(ROOT.rglob("*.py"))
}
FOLDERS = sorted({module.rpartition(".")[0] for module in MODULES})


@cache
def parsed(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


def modules(folder: str) -> Iterator[tuple[str, ast.Module]]:
    return ((module, parsed(module)) for module in MODULES if module.rpartition(".")[0] == folder)


CHAIN = [
    "formula",
    "problem",
    "network",
    "calculus",
    "numeric",
    "solution",
]  # each may import itself and those before
MAY_IMPORT = {folder: {"errors", *CHAIN[: place + 1]} for place, folder in enumerate(CHAIN)}
MAY_IMPORT["homework"] = {"errors", *CHAIN, "homework"}
MAY_IMPORT["render"] = {"errors", "render", "solution.layout", "solution.document", "solution.diagram"}
MAY_IMPORT["cli"] = {
    "",
    "figure",
    "homework",
    "errors",
    "files",
    "shipped",
    "api",
    "runs",
    "plots",
    "problem",
    "render",
    "numeric",
    "cli",
}
TOP = {  # the modules above the folders
    "errors": set(),
    "files": {"errors", "render"},
    "shipped": {"errors", "problem"},
    "__init__": {"errors", "api", "marks", "runs", "solved"},
    "__main__": {"cli"},
    "exports": {"errors", "files"},
    "figure": {"errors", "files", "render", "solution"},
    "written": {"errors", "exports", "files", "render", "solution"},
    "marks": {"errors", "files", "homework", "render", "solution"},
    "solved": {"figure", "written", "render", *CHAIN},
    "api": {"errors", "solved", "marks", "homework", "runs", *CHAIN},
    "runs": {"errors", "files", "problem", "numeric", "render", "solution"},
    "plots": {"errors", "files", "runs", "numeric"},
}

EXECUTE = {"exec", "compile"}
NEVER = {
    "eval", "sympify", "parse_expr", "parse_latex", "parse_mathematica", "parse_maxima", "lambdify", "autowrap",
    "ufuncify", "__import__", "import_module", "loads", "unsafe_load", "full_load", "load_all", "system", "popen",
}  # fmt: skip


def imports(tree: ast.Module) -> Iterator[str]:
    """The names within derive that a module imports, types too: `problem.model`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            module = node.module or ""
            names = [f"{module}.{alias.name}" for alias in node.names] if module == "derive" else [module]
        else:
            continue
        for name in names:
            if name == "derive" or name.startswith("derive."):
                yield name.removeprefix("derive").removeprefix(".")


def allowed(name: str, may: set[str]) -> bool:
    inside = "derive." + name in MODULES or "derive." + name + ".__init__" in MODULES
    return any(name == one or name.startswith(one + ".") for one in may if one) or ("" in may and not inside)


@pytest.mark.parametrize("folder", FOLDERS)
def test_imports_follow_the_arrows(folder: str) -> None:
    wrong = []
    for module, tree in modules(folder):
        first = module.split(".")[1]
        may = MAY_IMPORT[first] if module.count(".") > 1 else TOP[first]
        wrong += [f"{module} imports {name}" for name in imports(tree) if not allowed(name, may)]
    assert wrong == []


def called(tree: ast.Module) -> Iterator[str]:
    """The bare names of everything called or passed on: `eval(...)`, `yaml.load(...)`, `map(eval, ...)`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            for value in (node.func, *node.args):
                if isinstance(value, ast.Name):
                    yield value.id
                elif isinstance(value, ast.Attribute) and not is_harmless(value):
                    yield value.attr
        elif isinstance(node, ast.ImportFrom):
            yield from (alias.name for alias in node.names)


def is_harmless(attribute: ast.Attribute) -> bool:
    return isinstance(attribute.value, ast.Name) and f"{attribute.value.id}.{attribute.attr}" == "re.compile"


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_module_executes_text(folder: str) -> None:
    """Only derive.numeric runs programs, and those it has written itself."""
    forbidden = NEVER | (set() if f"{folder}.".startswith("derive.numeric.") else EXECUTE)
    assert [f"{module}: {name}" for module, tree in modules(folder) for name in {*called(tree)} & forbidden] == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_yaml_is_read_without_its_constructors(folder: str) -> None:
    for module, tree in modules(folder):
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Name)
                and node.value.id in ("yaml", "pickle")
            ):
                assert node.attr not in ("load", "Loader", "UnsafeLoader", "FullLoader"), module


def test_every_file_says_what_it_is() -> None:
    empty = [name for name in MODULES if parsed(name).body and ast.get_docstring(parsed(name)) is None]
    assert empty == []


def test_files_and_functions_stay_short() -> None:
    long_files = [str(path) for path in ROOT.rglob("*.py") if len(path.read_text(encoding="utf-8").splitlines()) > 400]
    long_functions = [
        f"{module}.{node.name}: {length} lines"
        for module in MODULES
        for node in ast.walk(parsed(module))
        if isinstance(node, ast.FunctionDef) and (length := (node.end_lineno or 0) - node.lineno + 1) > 50
    ]
    assert long_files + long_functions == []
