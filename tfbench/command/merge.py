"""`tfbench merge`: several runs as one."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from tfbench.command.options import Json
from tfbench.screen.terminal import Console


def merge(
    runs: Annotated[
        list[Path],
        typer.Argument(help="Folders of runs: shards or repetitions.", metavar="RUNS..."),
    ],
    out: Annotated[Path, typer.Option(help="Folder of the run that they become.")],
    as_json: Json = False,
) -> None:
    """Put runs together: one machine's as more launches, others' as columns beside it."""
    from bench.results.errors import UsageError
    from bench.results.store import RunFolder, read_run
    from bench.sweep import merging
    from tfbench.command.running import keep_operations, write_report
    from tfbench.screen.answer import answer
    from tfbench.screen.plain import tell
    from tfbench.screen.run_answer import of_run
    from tfbench.screen.verdict import verdict

    if len(runs) < 2:
        raise UsageError("merge puts runs together: give two folders or more")
    found = [read_run(folder) for folder in runs]
    merged = merging.merge(found)
    with RunFolder.create(out) as place:
        place.write_facts({**merged.facts, "name": out.name})
        place.write_launches(merged.launches)
        for run, columns in zip(found, merged.columns, strict=True):
            _copy_traces(run.folder / "traces", out / "traces", columns)
        keep_operations(out, lambda line: tell(line, sys.stderr))
        place.write_effects(read_run(out).effects.rows)
        facts = write_report(out)
    if as_json:
        answer("merge", **of_run(facts), report=out / "report.html")
    else:
        verdict(facts, Console())


def _copy_traces(source: Path, target: Path, columns: dict[str, str]) -> None:
    """The first trace of each scenario and configuration, under its column's name."""
    for folder in sorted(source.iterdir()) if source.is_dir() else ():
        scenario, _, configuration = folder.name.partition("@")
        column = columns.get(configuration, configuration).replace("/", "-")
        place = target / f"{scenario}@{column}"
        if not place.exists():
            shutil.copytree(folder, place)
