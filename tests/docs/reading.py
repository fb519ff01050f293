"""The documents taken apart: their prose, code, commands and links."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GENERATED = (
    "docs/precision.md", "docs/example/report.md", "docs/zoo.md", "docs/reliability.md",
)  # fmt: skip
"""Written by commands; read for their links and words only."""
DOCUMENTS = (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")))
WRITTEN = tuple(path for path in DOCUMENTS if str(path.relative_to(ROOT)) not in GENERATED)
"""Written by hand."""
PRIVATE = (
    r"\b(tell|tells|told|telling) (\w+ ){0,3}apart\b", r"\bnamed rightly\b", r"\bnew pages\b",
    r"\brenew(s|ed|ing)?\b", r"\bby (spin|work)\b", r"\bputs? out\b",
    r"\b(is|are|was|were|be) told\b", r"\bthe document\b",
)  # fmt: skip
"""Words of our own, for which the field has better ones."""
_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Command:
    """A command line of a document."""

    place: str
    """Document and command, for the test's name."""
    words: tuple[str, ...]
    whole: bool
    """As a user would type it; False: named in a sentence, where arguments may be left out."""


def name_of(path: Path) -> str:
    """Its path in the repository."""
    return str(path.relative_to(ROOT))


def blocks(path: Path, language: str) -> list[str]:
    """The fenced blocks of a language ("" for none), without their indentation."""
    found = _FENCE.findall(path.read_text(encoding="utf-8"))
    return [
        "".join(line.removeprefix(indent) for line in code.splitlines(keepends=True))
        for indent, kind, code in found
        if kind == language
    ]


def prose(path: Path) -> str:
    """The text without its fenced blocks."""
    return _FENCE.sub("", path.read_text(encoding="utf-8"))


def inline(path: Path) -> list[str]:
    """What stands in inline code."""
    return _INLINE.findall(prose(path))


def commands(path: Path, program: str) -> Iterator[Command]:
    """Command lines that start with `program`, in blocks and in sentences."""
    for code in blocks(path, ""):
        for line in code.splitlines():
            yield from _in_line(path, line, program, True)
    for text in inline(path):
        yield from _in_line(path, text, program, False)


def _in_line(path: Path, line: str, program: str, whole: bool) -> Iterator[Command]:
    start = shlex.split(program)
    if not line.startswith(program) and f"&& {program} " not in line:
        return
    for part in line.split("&&"):
        words = tuple(shlex.split(part, comments=True))
        if words[: len(start)] == tuple(start):
            yield Command(f"{name_of(path)}: {part.strip()}", words[len(start) :], whole)


def links(path: Path) -> list[str]:
    """Targets of its links and images."""
    return _LINK.findall(prose(path))


def anchors(path: Path) -> set[str]:
    """Anchors of its headings, as the repository's pages and the site name them."""
    headings = re.findall(r"^#+ (.+)$", prose(path), re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings
    }
