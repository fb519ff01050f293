"""`tfbench compare`: runs side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tfbench.command.options import Json
from tfbench.screen.plain import tell


def compare(
    runs: Annotated[
        list[Path], typer.Argument(help="Folders of runs; the others against the first.")
    ],
    out: Annotated[
        Path, typer.Option(help="Folder for compare.md, .html, .csv and plots/.")
    ] = Path("comparison"),
    price: Annotated[
        list[float] | None,
        typer.Option(help="Price of an hour of each run's machine, in the order of the runs."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Compare runs of other machines, configurations or software; says what makes it unfair."""
    from bench.results.errors import UsageError
    from bench.results.store import read_facts

    if price and len(price) != len(runs):
        raise UsageError(f"{len(price)} prices for {len(runs)} runs: give --price once for each")
    if any(value < 0 for value in price or ()):
        raise UsageError("a price an hour cannot be negative")
    for folder in runs:
        read_facts(folder)  # refused before plots are loaded
    from reports.forms.compare import write_comparison
    from tfbench.screen.answer import answer, rows_of

    files = write_comparison(runs, out, price or ())
    if as_json:
        answer("compare", runs=runs, files=files, rows=rows_of(out / "compare.csv"))
        return
    for path in files[:3]:
        tell(f"comparison: {path}")
