"""Reads tables back out of Markdown and HTML, as a reader sees them."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser

_ESCAPED = re.compile(r"\\([\\`*_{}\[\]<>#|~$!^])")
Table = list[list[str]]


def markdown_tables(text: str) -> list[Table]:
    """Every table: rows of cells, the head first."""
    tables: list[Table] = []
    open_ = False
    for line in text.splitlines():
        if line.startswith("|"):
            if not open_:
                tables.append([])
            open_ = True
            cells = re.split(r"(?<!\\)\|", line)[1:-1]
            if not set("".join(cells)) <= set("-: "):
                tables[-1].append([_plain(cell) for cell in cells])
        else:
            open_ = False
    return tables


def _plain(cell: str) -> str:
    cell = cell.strip()
    if cell.startswith("`") and cell.endswith("`"):
        return cell[1:-1]
    return html.unescape(_ESCAPED.sub(r"\1", cell)).strip("*")


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tables: list[Table] = []
        self.cell: list[str] | None = None
        self.hidden = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag == "template":
            self.hidden += 1
        if self.hidden:
            return
        if tag == "table":
            self.tables.append([])
        elif tag == "tr" and self.tables:
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.cell = []
        elif tag == "small" and self.cell is not None:
            self.cell.append(" (")

    def handle_endtag(self, tag: str) -> None:
        if tag == "template":
            self.hidden -= 1
        if self.hidden:
            return
        if tag == "small" and self.cell is not None:
            self.cell.append(")")
        elif tag in ("td", "th") and self.cell is not None:
            self.tables[-1][-1].append("".join(self.cell).strip())
            self.cell = None

    def handle_data(self, data: str) -> None:
        if self.cell is not None and not self.hidden:
            self.cell.append(data)


def html_tables(text: str) -> list[Table]:
    """Every table of the page without the rows' details."""
    page = _Page()
    page.feed(text)
    return page.tables


def outside_scripts(text: str) -> str:
    """The page without what stands in its script elements: code is no markup."""
    return re.sub(r"(<script[^>]*>).*?(</script>)", r"\1\2", text, flags=re.DOTALL)


def by_name(tables: list[Table], *heads: str) -> list[dict[str, str]]:
    """Rows of the tables whose head has these columns, as dicts."""
    rows = []
    for table in tables:
        if table and set(heads) <= set(table[0]):
            rows += [dict(zip(table[0], row, strict=True)) for row in table[1:]]
    return rows
