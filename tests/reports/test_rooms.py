"""Inside reports the arrows run one way: facts <- tables, plots <- forms."""

import ast
from pathlib import Path

import pytest

REPORTS = Path(__file__).resolve().parents[2] / "reports"
MAY_IMPORT = {
    "facts": {"facts"},
    "tables": {"facts", "tables"},
    "plots": {"facts", "plots"},
    "forms": {"facts", "tables", "plots", "forms"},
}
MODULES = [path for room in MAY_IMPORT for path in sorted((REPORTS / room).glob("*.py"))]


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(REPORTS)))
def test_a_room_imports_only_those_below_it(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "reports":
            parts = (node.module or "").split(".")[1:] or [alias.name for alias in node.names]
            assert parts[0] in MAY_IMPORT[path.parent.name], f"{path} imports {node.module}"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(REPORTS)))
def test_only_facts_are_derived_from_launches(path):
    """Elsewhere nothing of `bench.results` that turns launches into estimates is used."""
    if path.parent.name != "facts":
        text = path.read_text(encoding="utf-8")
        for name in ("effects", "statistics", "accuracy"):
            assert f"bench.results.{name}" not in text


def test_every_room_is_listed():
    rooms = {path.name for path in REPORTS.iterdir() if path.is_dir() and path.name[0].isalpha()}
    assert rooms == {*MAY_IMPORT, "templates"}
