"""`tfbench history`: a folder of many runs as trend lines."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tfbench.command.options import Json
from tfbench.screen.plain import tell


def history(
    folder: Annotated[Path, typer.Argument(help="Folder that holds the runs' folders.")] = Path(
        "runs"
    ),
    out: Annotated[Path, typer.Option(help="Folder for history.md, .html, .csv, plots/.")] = Path(
        "history"
    ),
    every_environment: Annotated[
        bool,
        typer.Option(
            "--every-environment", help="Also runs whose environment differs from the newest's."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Show many runs as trend lines, with changes of level found and dated."""
    from bench.results.store import runs_below

    runs_below(folder)  # refused before plots are loaded
    from reports.forms.history import write_history
    from tfbench.screen.answer import answer, rows_of

    files = write_history(folder, out, every_environment)
    if as_json:
        answer("history", folder=folder, files=files, rows=rows_of(out / "history.csv"))
        return
    for path in files[:3]:
        tell(f"history: {path}")
