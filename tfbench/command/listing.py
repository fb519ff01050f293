"""`tfbench list`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from bench.results.values import Scenario
from bench.sweep import settings
from bench.sweep.discovery import discover, select
from tfbench.screen.answer import answer
from tfbench.screen.plain import tell
from tfbench.screen.terminal import Console


def show(
    patterns: Sequence[str],
    plain: bool,
    folders: Sequence[Path] | None = None,
    file: Path | None = None,
    as_json: bool = False,
) -> None:
    """Print the scenarios that the patterns name, all without any."""
    scenarios = discover(folders=settings.scenario_folders(settings.read_table(file), folders))
    chosen = select(scenarios, patterns) if patterns else list(scenarios.values())
    if as_json:
        answer("list", scenarios=[_described(each) for each in chosen])
        return
    console = Console()
    if plain or not console.is_terminal:
        for each in chosen:
            tell(each.id if plain else f"{each.id}\t{each.baseline or '-'}\t{each.summary}")
        return
    table = Table("scenario", "what it is", "baseline", "needs", "profile", box=None)
    for each in chosen:
        table.add_row(each.id, each.summary, each.baseline or "", ", ".join(each.needs), each.suite)
    console.print(table)


def _described(each: Scenario) -> dict[str, Any]:
    return {
        "id": each.id, "kind": each.kind, "summary": each.summary, "baseline": each.baseline,
        "needs": each.needs, "suite": each.suite, "source": f"{each.path}:{each.line}",
    }  # fmt: skip
