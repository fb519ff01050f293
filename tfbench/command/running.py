"""`tfbench run` and `tfbench report`."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from bench.results.errors import StoreError, UsageError
from bench.results.store import RunFolder, read_run, replace_text
from bench.sweep import pytest_benchmark
from bench.sweep import settings as settings_
from bench.sweep.discovery import discover, select
from bench.sweep.progress import reporter
from bench.sweep.schedule import Sweep, default_folder

DONE, SOME_FAILED = 0, 4


def run(
    patterns: Sequence[str], flags: Mapping[str, Any], file: Path | None, out: Path | None
) -> int:
    """Measure, report, and say where the report is.

    Returns:
        0, or 4 where a scenario failed (those that are unsupported here do not count).

    Raises:
        TfbenchError: Wrong usage or input.
    """
    settings = settings_.load(file, flags, patterns)
    scenarios = select(
        discover(folders=settings.folders), settings.patterns, settings.profile.suite
    )
    folder = RunFolder.create(out or default_folder())
    console = Console(stderr=True)
    command = shlex.join(["tfbench", *sys.argv[1:]])
    with reporter(console) as progress:
        effects = Sweep(settings, scenarios, folder, progress, command).run()
        progress.begin("reading the traces")
        keep_operations(folder.folder, progress.note)
        progress.begin("writing the report")
    write_report(folder.folder)
    failed = [row for row in effects.rows if row.status in ("failed", "timeout")]
    return SOME_FAILED if failed else DONE


def keep_operations(folder: Path, note: Callable[[str], None]) -> None:
    """Write the longest operations of each trace beside the traces, for the report."""
    from bench.explain import traces

    found: dict[str, Any] | str
    try:
        found = traces.top_operations(folder)
    except StoreError as error:
        found = str(error)
        note(f"no operations in the report: {error}")
    if found:
        text = json.dumps(found, indent=1, ensure_ascii=False)
        replace_text(folder / "operations.json", text + "\n")


def write_report(folder: Path) -> None:
    """Write the report of a run and say where it is."""
    import reports

    try:
        pytest_benchmark.write(read_run(folder))
    except UsageError as error:
        print(f"tfbench: {error}", file=sys.stderr)
    reports.write(folder)
    print(f"report: {folder / 'report.md'}")
