"""`tfbench run` and `tfbench report`."""

from __future__ import annotations

import json
import platform
import shlex
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.results import anonymous
from bench.results.errors import StoreError, UsageError
from bench.results.files import replace_text
from bench.results.store import Run, RunFolder, read_run
from bench.results.values import Scenario
from bench.sweep import applying, interrupts, outlook, pytest_benchmark, recording
from bench.sweep import settings as settings_
from bench.sweep.discovery import discover, select
from bench.sweep.outlook import Outlook
from bench.sweep.progress import Silent
from bench.sweep.recording import default_folder
from bench.sweep.schedule import Sweep
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
    anonymize: bool = False,
) -> int:
    """Measure, report, and say where the report is.

    Args:
        patterns: Scenario ids and globs.
        flags: Settings that win over the file's.
        file: The settings file.
        out: The run's folder.
        as_json: Print one object instead of the verdict.
        asked: What run.json keeps for the report: claims of one's own, a price.
        anonymize: Replace names of users, homes and hosts in the folder, once the run has ended.

    Returns:
        0, or 4 where a scenario failed (those that are unsupported here do not count).

    Raises:
        TfbenchError: Wrong usage or input.
    """
    command = shlex.join(["tfbench", *sys.argv[1:]])
    if anonymize and out is None:
        usual = default_folder()
        out = usual.with_name(usual.name.removesuffix(platform.node()) + "host")

    def measured() -> Facts:
        facts = measure(patterns, flags, file, out, Console(stderr=True), command, asked)
        if anonymize:
            anonymous.folder(facts.run.folder)
            facts = write_report(facts.run.folder)
        return facts

    return told_end(measured, as_json)


def resume(
    folder: Path | None,
    force: bool = False,
    as_json: bool = False,
    patterns: Sequence[str] = (),
    others: Mapping[str, Any] | None = None,
) -> int:
    """Go on with a run that was interrupted, with its own settings; else as `run`.

    Args:
        folder: The run's.
        force: Go on though code, packages or workload have changed; the run then says so.
        as_json: Print one object instead of the verdict.
        patterns: What was given too, of scenarios: it may be nothing.
        others: The other options; all must be None.

    Raises:
        TfbenchError: It is no run's folder, or something has changed.
    """
    if folder is None:
        raise UsageError("--force goes with --resume DIR")
    named = [k.replace("_", "-") for k, value in (others or {}).items() if value is not None]
    if patterns or named:
        what = ", ".join([*patterns, *(f"--{name}" for name in named)])
        raise UsageError(f"--resume goes on with the run's own settings: leave out {what}")
    place = RunFolder.reopen(folder)
    earlier = read_run(folder)
    settings = recording.settings_of(earlier.facts, str(folder))
    command = shlex.join(["tfbench", *sys.argv[1:]])
    console = Console(stderr=True)
    return told_end(
        lambda: carry_out(settings, place, console, command, {}, earlier, force), as_json
    )


def told_end(measured: Callable[[], Facts], as_json: bool) -> int:
    """Measure and print the verdict; returns the exit code."""
    facts = measured()
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
    folder = RunFolder.create(out or default_folder())
    return carry_out(settings, folder, console, command, asked or {})


def carry_out(
    settings: settings_.Settings,
    folder: RunFolder,
    console: Console,
    command: str,
    asked: Mapping[str, Any],
    earlier: Run | None = None,
    force: bool = False,
) -> Facts:
    """Measure and write the report, also where a signal ends it.

    Raises:
        TfbenchError: Wrong usage or input.
        Interrupted: By a signal; its message says how to go on.
    """
    known, scenarios = chosen(settings)
    place = folder.folder
    with folder, interrupts.handled():
        try:
            with screen(console) as progress:
                sweep = Sweep(settings, scenarios, folder, progress, command, known, earlier, force)
                sweep.facts |= asked
                sweep.run()
                progress.begin("reading the traces")
                keep_operations(place, progress.note)
                progress.begin("writing the report")
            return write_report(place)
        except interrupts.Interrupted as signal:
            report = ""
            if any(x.purpose == "timing" for x in read_run(place).launches):
                write_report(place)
                report = f"; report: {place / 'report.html'}"
            raise interrupts.Interrupted(
                f"{signal}; what was measured is kept{report}; to go on: "
                f"{shlex.join(['tfbench', 'run', '--resume', str(place)])}"
            ) from None


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
    with (
        tempfile.TemporaryDirectory(prefix="tfbench-dry-run-") as folder,
        RunFolder.create(Path(folder) / "run") as place,
    ):
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
    yield f"would measure {_counted(len(found.measured))}:"
    for each in found.measured:
        against = f"against {each.baseline}" if each.baseline else "a baseline"
        yield f"  {each.id}  {against}"
    if found.unsupported:
        yield f"does not apply here, {_counted(len(found.unsupported))}:"
        for reason in dict.fromkeys(found.unsupported.values()):
            ids = [id for id, why in found.unsupported.items() if why == reason]
            yield f"  {', '.join(ids)}"
            yield f"    {reason}"
    training = " after training the baseline, unless the cache holds it" if found.trains else ""
    jobs = f", and {found.jobs} jobs of their own length" if found.jobs else ""
    minutes = max(1, round(found.seconds / 60))
    yield f"takes about {minutes} min{jobs}{training} ({found.launches} launches)"


def _counted(scenarios: int) -> str:
    return "1 scenario" if scenarios == 1 else f"{scenarios} scenarios"


def chosen(settings: settings_.Settings) -> tuple[dict[str, Scenario], list[Scenario]]:
    """All scenarios, compared as the settings say, and the selected ones.

    Raises:
        UsageError: A pattern or the baseline names none, or the baseline cannot be measured.
    """
    known = discover(folders=settings.folders)
    if settings.baseline:
        known = applying.against(known, settings.baseline)
        lacking = [outlook.lacks(known[settings.baseline], c) for c in settings.configurations]
        if all(lacking):
            raise UsageError(f"--baseline {settings.baseline} cannot be measured: {lacking[0]}")
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
