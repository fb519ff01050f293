"""`tfbench cache`: what the cache of trained models and artifacts holds, and clearing it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from bench.results import cache_folder
from bench.results.cache_folder import Entry
from bench.results.quantities import seconds, size_bytes
from tfbench.command.options import Cache, Json
from tfbench.screen.answer import answer
from tfbench.screen.plain import tell
from tfbench.screen.terminal import Console

app = typer.Typer(
    help="List and clear the cache of trained models and converted artifacts.",
    no_args_is_help=True,
)


@app.command("list")
def list_entries(cache: Cache = None, as_json: Json = False) -> None:
    """List what is kept of each workload: artifacts, their size, when they were last used."""
    folder = _folder(cache)
    found = cache_folder.entries(folder)
    total = sum(entry.size_bytes for entry in found)
    if as_json:
        answer("cache-list", folder=folder, entries=found, size_bytes=total)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("workload", "what", "size", "last use"):
        table.add_column(name, overflow="fold")
    for entry in found:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(entry.last_use_s))
        table.add_row(entry.path.name, entry.what, _size(entry.size_bytes), when)
    out = Console()
    if found:
        out.print(table)
    out.print(f"{folder}: {_size(total)}", highlight=False, soft_wrap=True)


@app.command()
def clear(
    cache: Cache = None,
    older_than: Annotated[
        str | None, typer.Option(help="Only what was not used for so long, such as 30d.")
    ] = None,
    max_size: Annotated[
        str | None, typer.Option(help="Only until no more than this is left, such as 5GB.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Remove artifacts, the least recently used first; what is in use by a run is kept."""
    removed, kept = cache_folder.clear(
        _folder(cache),
        seconds(older_than, "--older-than") if older_than else 0.0,
        size_bytes(max_size, "--max-size") if max_size else None,
    )
    if as_json:
        answer("cache-clear", removed=removed, kept=kept)
        return
    tell(f"removed {len(removed)}: {_size(_total(removed))}")
    if kept:
        tell(f"kept {len(kept)} that may be in use: {_size(_total(kept))}")


def _folder(given: str | None) -> Path:
    return Path(given) if given else cache_folder.default()


def _total(entries: list[Entry]) -> int:
    return sum(entry.size_bytes for entry in entries)


def _size(count: int) -> str:
    return f"{count / 1e6:,.1f} MB"
