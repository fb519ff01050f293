"""What a name means: a module's attribute, or a file's, which takes no other module's place."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bench.results import loading


def test_a_dotted_name_is_an_attribute_of_a_module() -> None:
    assert loading.attribute("bench.results.loading:module") is loading.module


def test_a_file_never_replaces_a_module_of_its_name(tmp_path: Path) -> None:
    import json

    file = tmp_path / "json.py"
    file.write_text("def build():\n    return 'mine'\n")
    assert loading.attribute(f"{file}:build")() == "mine"
    assert sys.modules["json"] is json
    assert loading.module(str(file)) is loading.module(str(file))  # run once


def test_a_file_that_breaks_leaves_nothing_behind(tmp_path: Path) -> None:
    file = tmp_path / "broken.py"
    file.write_text("raise ValueError('half way')\n")
    for _ in range(2):
        with pytest.raises(ValueError, match="half way"):
            loading.module(str(file))


def test_a_file_that_is_not_there_is_an_import_error(tmp_path: Path) -> None:
    with pytest.raises(ImportError, match="does not exist"):
        loading.module(str(tmp_path / "missing.py"))
