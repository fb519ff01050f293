"""Takes the pages at the top of the repository into the site, with their links made to fit."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

TOP = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
}
"""File at the top of the repository → page of the site."""


def on_files(files: Files, config: Any) -> Files:
    """Add the pages: a link into `docs/` becomes one within the site."""
    top = Path(config.config_file_path).parent
    for name, page in TOP.items():
        text = (top / name).read_text(encoding="utf-8").replace("](docs/", "](")
        files.append(File.generated(config, page, content=renamed(text)))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Let pages under `docs/` link to those above them as the repository's pages do."""
    return renamed(markdown.replace("](../", "]("))


def renamed(text: str) -> str:
    """Links to the files above as links to their pages."""
    for name, page in TOP.items():
        text = re.sub(rf"\]\({re.escape(name)}(?=[#)])", f"]({page}", text)
    return text
