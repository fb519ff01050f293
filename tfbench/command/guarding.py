"""`tfbench guard`: refs or a stored run in, a verdict and its exit code out."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.guard import stored
from bench.guard.checkouts import worktrees
from bench.guard.checkouts.versions import Versions
from bench.guard.checkouts.worktrees import Checkout
from bench.guard.comparison.values import GOOD, INCONCLUSIVE, Comparison
from bench.guard.loop import bisect
from bench.guard.loop.running import Plan, compare
from bench.guard.outputs import files, github, terminal
from bench.guard.rule import limits
from bench.guard.sources.code import Calls, Suite
from bench.guard.sources.commands import Command
from bench.guard.sources.source import Source
from bench.results import data_names
from bench.results.errors import UsageError
from bench.results.quantities import seconds
from bench.results.store import RunFolder, read_run
from bench.sweep import settings as settings_
from bench.sweep.discovery import ROOT, discover, select
from bench.sweep.environment import fingerprint
from bench.sweep.progress import Reporter, reporter
from bench.sweep.recording import default_folder
from bench.sweep.schedule import Sweep
from bench.sweep.sources import holds_scenarios
from tfbench.screen.answer import answer
from tfbench.screen.plain import tell
from tfbench.screen.terminal import Console


@dataclasses.dataclass(frozen=True)
class Code:
    """What of a user's own code is compared, instead of scenarios."""

    pytest: str | None = None
    expression: str | None = None
    calls: str | None = None
    command: str | None = None
    prepare: str | None = None
    cleanup: str | None = None
    install: str | None = None
    python: str | None = None

    def source(self) -> Source | None:
        """Where benchmarks come from; None: scenarios.

        Raises:
            UsageError: More than one is given, or a flag that belongs to another.
        """
        given = [each for each in (self.pytest, self.calls, self.command) if each is not None]
        if len(given) > 1:
            raise UsageError("compare one of --pytest, --calls and --command at a time")
        for flag, value, needs, there in (
            ("-k", self.expression, "--pytest", self.pytest),
            ("--prepare", self.prepare, "--command", self.command),
            ("--cleanup", self.cleanup, "--command", self.command),
            ("--install", self.install, "--pytest, --calls or --command", given),
            ("--python", self.python, "--pytest, --calls or --command", given),
        ):
            if value is not None and (there is None or there == []):
                raise UsageError(f"{flag} belongs to {needs}: give it too")
        if self.pytest is not None:
            return Suite(self.pytest, self.expression or "")
        if self.calls is not None:
            return Calls(self.calls)
        if self.command is not None:
            return Command(self.command, self.prepare or "", self.cleanup or "")
        return None

    def versions(self, base_python: str | None) -> Versions:
        """How versions of it are made ready."""
        return Versions(Path.cwd(), self.python or "", base_python or "", self.install or "")


@dataclasses.dataclass(frozen=True)
class Request:
    """What the command line asked for."""

    base: str | None = None
    base_python: str | None = None
    baseline: Path | None = None
    bisect: str | None = None
    budget: str | None = None
    out: Path | None = None
    allow_inconclusive: bool = False
    code: Code = dataclasses.field(default_factory=lambda: Code())


def guard(
    patterns: Sequence[str],
    request: Request,
    flags: Mapping[str, Any],
    file: Path | None,
    as_json: bool = False,
) -> int:
    """Compare, show, and write the results where asked.

    Returns:
        0 no regression; 1 regression; 3 inconclusive; 4 scenarios fail on both worktrees.

    Raises:
        TfbenchError: Wrong usage or input.
    """
    chosen = [request.bisect, request.baseline, request.base or request.base_python]
    if sum(each is not None for each in chosen) != 1:
        raise UsageError(
            "say what to compare with: --base REF (--base-python PATH), --baseline RUN, or "
            "--bisect GOOD..BAD"
        )
    if request.code.source() is not None and request.baseline is not None:
        raise UsageError("stored runs hold scenarios: compare your own code with --base REF")
    plan = _plan(patterns, request, flags, file)
    signal.signal(signal.SIGTERM, _interrupt)
    console = Console(stderr=True)
    with reporter(console) as progress:
        if request.bisect is not None:
            culprit = _bisect(request, request.bisect, plan, progress)
            if as_json:
                answer("guard", text=culprit.text, exit_code=culprit.exit_code)
            else:
                tell(culprit.text)
            return culprit.exit_code
        folder = RunFolder.create(request.out) if request.out else None
        if request.baseline is not None:
            found = _with_stored(request.baseline, patterns, plan, flags, file, folder, progress)
        else:
            with _sides(request) as (base, head):
                found = compare(base, head, plan, progress, folder)
    return publish(found, request, plan.folders, as_json)


def _with_stored(
    baseline: Path,
    patterns: Sequence[str],
    plan: Plan,
    flags: Mapping[str, Any],
    file: Path | None,
    folder: RunFolder | None,
    progress: Reporter,
) -> Comparison:
    """Measure anew what the stored run holds, in a run of its own, and compare."""
    runs = stored.read(baseline)
    old = runs[-1].facts
    names = [str(c["name"]) for c in old.get("configurations", ())]
    given = {**flags, "configuration": flags.get("configuration") or ",".join(names)}
    chosen = settings_.load(file, given, tuple(patterns) or tuple(runs[-1].scenarios))
    stored.check_environment(old, {"environment": fingerprint()})
    folder = folder or RunFolder.create(default_folder())
    known = discover(folders=chosen.folders)
    wanted = [id for id in chosen.patterns if patterns or id in known]
    picked = select(known, wanted, chosen.profile.suite, chosen.exclude)
    Sweep(chosen, picked, folder, progress, known=known).run()
    return stored.compare(runs, read_run(folder.folder), plan.limits)


def publish(
    found: Comparison, request: Request, folders: Sequence[str] = (), as_json: bool = False
) -> int:
    """Print and write the comparison; returns the exit code."""
    terminal.show(found, Console(stderr=as_json))
    if as_json:
        answer("guard", **{k: v for k, v in files.as_json(found).items() if k != "schema"})
    sources = _places(found.places) if found.places else _sources(folders)
    if request.out:
        files.write(request.out, found, sources)
    github.on_github(found, sources)
    if found.exit_code == INCONCLUSIVE and request.allow_inconclusive:
        return GOOD
    return found.exit_code


def _plan(
    patterns: Sequence[str], request: Request, flags: Mapping[str, Any], file: Path | None
) -> Plan:
    table = settings_.read_table(file)
    wanted = dict(flags)
    if wanted.get("configuration") is None and "configuration" not in table:
        wanted["configuration"] = "cpu-1"  # pinned turns on one core vary least
    settings = settings_.load(file, wanted, patterns)
    rules = limits.load(table.get("guard", {}))
    budget = seconds(request.budget) if request.budget else rules.budget_s
    data = settings.workload.data
    scheme, place = data_names.source(data)
    if scheme in (
        "npz",
        "csv",
        "images",
        "tfrecord",
    ):  # data is shared: each side runs in its own folder
        data = f"{scheme}:{Path(place).absolute()}"
    cache = settings.workload.cache
    workload = dataclasses.replace(
        settings.workload, data=data, cache=str(Path(cache).absolute()) if cache else ""
    )
    return Plan(
        settings.patterns,
        settings.configurations,
        workload,
        rules,
        budget,
        settings.memory_bytes,
        settings.seed,
        settings.profile.suite,
        folders=settings.folders,
        exclude=settings.exclude,
        source=request.code.source(),
    )


def _bisect(request: Request, span: str, plan: Plan, progress: Reporter) -> bisect.Culprit:
    if plan.source is None:
        return bisect.find(_root(), span, plan, progress)
    versions = request.code.versions(request.base_python)
    versions.check()
    return bisect.find(versions.root, span, plan, progress, checkout=versions.at)


def _interrupt(number: int, _: object) -> None:
    """End as by Ctrl-C, so that worktrees go away; a second signal must not stop that."""
    signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


@contextlib.contextmanager
def _sides(request: Request) -> Iterator[tuple[Checkout, Checkout]]:
    if request.code.source() is not None:
        with request.code.versions(request.base_python).pair(request.base) as sides:
            yield sides
        return
    root = _root()
    head = worktrees.head(root)
    python = request.base_python or ""
    if python and (not os.access(python, os.X_OK) or Path(python).is_dir()):
        raise UsageError(f"cannot start {python}: give the path of a Python interpreter")
    if request.base is None:
        yield Checkout(f"{head.label}, {python}", root, str(Path(python).absolute())), head
        return
    absolute = str(Path(python).absolute()) if python else ""
    with worktrees.checkout(root, request.base, absolute) as base:
        yield base, head


def _root() -> Path:
    """The code under test: the current folder, or the folder of this package around it."""
    here = Path.cwd()
    if holds_scenarios(here) or not here.is_relative_to(ROOT):
        return here
    return ROOT


def _places(places: Mapping[str, tuple[str, int]]) -> dict[str, tuple[str, int]]:
    """As `_sources`, of a user's own code: from the repository's top."""
    try:
        top = worktrees.repository(Path.cwd()).resolve()
    except UsageError:
        return dict(places)
    here = Path.cwd().resolve().relative_to(top)
    return {id: (str(here / file), line) for id, (file, line) in places.items()}


def _sources(folders: Sequence[str]) -> dict[str, tuple[str, int]]:
    """Where each scenario is written, as CI services want it: from the repository's top."""
    root = _root()
    try:
        top = worktrees.repository(root).resolve()
    except UsageError:
        return {}
    own = holds_scenarios(root)
    known = discover(root if own else ROOT, folders).values()
    files = {s.id: (root / s.path).resolve() for s in known if own or Path(s.path).is_absolute()}
    return {
        s.id: (str(files[s.id].relative_to(top)), s.line)
        for s in known
        if s.id in files and files[s.id].is_relative_to(top)
    }
