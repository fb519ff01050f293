"""Docstrings, comments and messages speak the documents' language."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.reading import PRIVATE, ROOT

WORDS = (tokenize.COMMENT, tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING))
TOPS = (
    "bench", "reports", "research", "scenarios", "tests", "tfbench", "docs", ".github", ".ci",
)  # fmt: skip
FILES = [
    ROOT / "noxfile.py",
    ROOT / "pyproject.toml",
    *(
        path
        for top in TOPS
        for path in sorted((ROOT / top).rglob("*"))
        if path.suffix in (".py", ".j2", ".js", ".yml", ".ipynb", ".json") or top == ".ci"
    ),
]


def words(path: Path) -> Iterator[str]:
    """What people read: comments, strings and names of several words; all of a template."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        yield text
        return
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in WORDS and " " in token.string:
            yield " ".join(token.string.split())
        elif token.type == tokenize.NAME and "_" in token.string:
            yield token.string.replace("_", " ")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_speaks_plainly(path: Path) -> None:
    for text in words(path):
        for pattern in PRIVATE:
            assert not re.search(pattern, text, re.IGNORECASE), f"{pattern}: {text[:200]}"
