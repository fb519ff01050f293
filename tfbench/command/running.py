"""`tfbench run` and `tfbench report`."""

from __future__ import annotations

import json
import shlex
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.results.errors import StoreError, UsageError
from bench.results.store import RunFolder, read_run, replace_text
from bench.results.values import Scenario
from bench.sweep import applying, pytest_benchmark
from bench.sweep import settings as settings_
from bench.sweep.discovery import discover, select
from bench.sweep.outlook import Outlook
from bench.sweep.progress import Silent
from bench.sweep.schedule import Sweep, default_folder
from tfbench.screen.answer import answer
from tfbench.screen.live import screen
from tfbench.screen.plain import tell
from tfbench.screen.terminal import Console

if TYPE_CHECKING:
    from reports.facts.measured import Facts

DONE, SOME_FAILED = 0, 4


def run(
    patterns: Sequence[str],
    flags: Mapping[str, Any],
    file: Path | None,
    out: Path | None,
    as_json: bool = False,
    asked: Mapping[str, Any] | None = None,
) -> int:
    """Measure, report, and say where the report is.

    Args:
        patterns: Scenario ids and globs.
        flags: Settings that win over the file's.
        file: The settings file.
        out: The run's folder.
        as_json: Print one object instead of the verdict.
        asked: What run.json keeps for the report: claims of one's own, a price.

    Returns:
        0, or 4 where a scenario failed (those that are unsupported here do not count).

    Raises:
        TfbenchError: Wrong usage or input.
    """
    command = shlex.join(["tfbench", *sys.argv[1:]])
    facts = measure(patterns, flags, file, out, Console(stderr=True), command, asked)
    if as_json:
        from tfbench.screen.run_answer import of_run

        answer("run", **of_run(facts), report=facts.run.folder / "report.html")
    else:
        from tfbench.screen.verdict import verdict

        verdict(facts, Console())
    failed = [row for row in facts.run.effects.rows if row.status in ("failed", "timeout")]
    return SOME_FAILED if failed else DONE


def measure(
    patterns: Sequence[str],
    flags: Mapping[str, Any],
    file: Path | None,
    out: Path | None,
    console: Console,
    command: str,
    asked: Mapping[str, Any] | None = None,
) -> Facts:
    """Measure, and write the report into the run's folder: for the command and for `tfbench.run`.

    Args:
        patterns: Scenario ids and globs; none: the profile's.
        flags: Settings that win over the file's.
        file: The settings file.
        out: The run's folder; None: `default_folder()`.
        console: Where progress is shown.
        command: Kept in the run: how to run it again.
        asked: What run.json keeps for the report: claims of one's own, a price.

    Raises:
        TfbenchError: Wrong usage or input.
    """
    settings = settings_.load(file, flags, patterns)
    known, scenarios = chosen(settings)
    folder = RunFolder.create(out or default_folder())
    with screen(console) as progress:
        sweep = Sweep(settings, scenarios, folder, progress, command, known)
        sweep.facts |= asked or {}
        sweep.run()
        progress.begin("reading the traces")
        keep_operations(folder.folder, progress.note)
        progress.begin("writing the report")
    return write_report(folder.folder)


def foretell(
    patterns: Sequence[str],
    flags: Mapping[str, Any],
    file: Path | None,
    console: Console | None = None,
    as_json: bool = False,
) -> int:
    """Print what a run would measure, what not and why, and how long it takes; returns 0.

    Raises:
        TfbenchError: Wrong usage or input.
    """
    settings = settings_.load(file, flags, patterns)
    known, scenarios = chosen(settings)
    with tempfile.TemporaryDirectory(prefix="tfbench-dry-run-") as folder:
        place = RunFolder.create(Path(folder) / "run")
        found = Sweep(settings, scenarios, place, Silent(), known=known).foretell()
    if as_json:
        ids = [each.id for each in found.measured]
        answer("run-foretold", **vars(found) | {"measured": ids})
        return DONE
    out = console or Console(soft_wrap=True)
    for line in told(found):
        out.print(line, markup=False, highlight=False)
    return DONE


def told(found: Outlook) -> Iterator[str]:
    """What a dry run prints."""
    yield from filter(None, [found.line, *found.notes])
    yield f"would measure {len(found.measured)} scenarios:"
    for each in found.measured:
        against = f"against {each.baseline}" if each.baseline else "a baseline"
        yield f"  {each.id}  {against}"
    if found.unsupported:
        yield f"does not apply here, {len(found.unsupported)} scenarios:"
        for reason in dict.fromkeys(found.unsupported.values()):
            ids = [id for id, why in found.unsupported.items() if why == reason]
            yield f"  {', '.join(ids)}"
            yield f"    {reason}"
    training = " after training the baseline, unless the cache holds it" if found.trains else ""
    jobs = f", and {found.jobs} jobs of their own length" if found.jobs else ""
    minutes = max(1, round(found.seconds / 60))
    yield f"takes about {minutes} min{jobs}{training} ({found.launches} launches)"


def chosen(settings: settings_.Settings) -> tuple[dict[str, Scenario], list[Scenario]]:
    """All scenarios, compared as the settings say, and the selected ones.

    Raises:
        UsageError: A pattern or the baseline names none.
    """
    known = discover(folders=settings.folders)
    if settings.baseline:
        known = applying.against(known, settings.baseline)
    picked = select(known, settings.patterns, settings.profile.suite, settings.exclude)
    return known, picked


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


def write_report(folder: Path) -> Facts:
    """Write the report of a run; returns what it says."""
    import reports
    from reports.facts.derive import facts_of

    run = read_run(folder)
    try:
        pytest_benchmark.write(run)
    except UsageError as error:
        tell(f"tfbench: {error}", file=sys.stderr)
    reports.write(folder)
    return facts_of(run)
