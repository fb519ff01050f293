"""`tfbench guard`: refs or a stored run in, a verdict and its exit code out."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.guard.checkouts import worktrees
from bench.guard.checkouts.worktrees import Checkout
from bench.guard.comparison.values import GOOD, INCONCLUSIVE, Comparison
from bench.guard.loop import bisect
from bench.guard.loop.planned import Plan
from bench.guard.loop.running import Kept, compare
from bench.guard.outputs import files, github, terminal
from bench.guard.rule import limits
from bench.results import data_names
from bench.results.errors import UsageError
from bench.results.quantities import seconds
from bench.results.store import RunFolder, read_run
from bench.sweep import interrupts
from bench.sweep import settings as settings_
from bench.sweep.discovery import ROOT, discover
from bench.sweep.progress import reporter
from bench.sweep.recording import default_folder
from bench.sweep.sources import holds_scenarios
from tfbench.command import guard_request, guard_settings, guard_stored
from tfbench.command.guard_request import Asked, Request
from tfbench.screen.answer import answer
from tfbench.screen.plain import tell
from tfbench.screen.terminal import Console

NOT_KEPT = "nothing is kept: with --out DIR one can go on"
ANEW = "nothing is kept: a bisection starts anew"


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
    if request.bisect is not None and request.out is not None:
        raise UsageError("--bisect prints the commit and keeps nothing: leave out --out")
    if request.code.source() is not None and request.baseline is not None:
        raise UsageError("stored runs hold scenarios: compare your own code with --base REF")
    asked = Asked(tuple(patterns), request, flags, file, str(Path.cwd()))
    plan = _plan(asked)
    if request.bisect is not None:
        span = request.bisect
        return _told_end(lambda: _bisect(request, span, plan, as_json), None, ANEW)
    out = request.out or (default_folder() if request.baseline else None)
    if out is None:
        return _told_end(lambda: _compared(asked, plan, None, as_json), None)
    with RunFolder.create(out) as place:
        kept = Kept(place, asked.kept())
        return _told_end(lambda: _compared(asked, plan, kept, as_json), kept)


def resume(
    folder: Path, patterns: Sequence[str], others: Mapping[str, Any], as_json: bool = False
) -> int:
    """Go on with a comparison that was interrupted, with its own base and settings.

    Args:
        folder: Where it is kept.
        patterns: What was given too, of ids: it may be nothing.
        others: The other options; all must be None.
        as_json: Print one object.

    Raises:
        TfbenchError: It holds no comparison, or something has changed.
    """
    named = [f"--{k.replace('_', '-')}" for k, value in others.items() if value is not None]
    if patterns or named:
        what = ", ".join([*patterns, *named])
        raise UsageError(f"--resume goes on with the guard's own settings: leave out {what}")
    with RunFolder.reopen(folder.absolute()) as place:
        earlier = read_run(place.folder)
        asked = guard_request.read(earlier)
        kept = Kept(place, asked.kept(), earlier)
        with guard_request.called_again(asked):
            return _told_end(lambda: _compared(asked, _plan(asked), kept, as_json), kept)


def _told_end(measured: Callable[[], int], kept: Kept | None, lost: str = NOT_KEPT) -> int:
    """Measure, or say how to go on, or what is `lost`; returns the exit code."""
    try:
        return measured()
    except interrupts.Interrupted as error:
        said = lost
        if kept is not None:
            place = kept.folder.folder
            said = f"nothing was measured yet; {place} can be used again"
            if (place / "run.json").exists():
                how = shlex.join(["tfbench", "guard", "--resume", str(place)])
                said = f"what was measured is kept; to go on: {how}"
        raise interrupts.Interrupted(f"{error}; {said}") from None


def _compared(asked: Asked, plan: Plan, kept: Kept | None, as_json: bool) -> int:
    request = asked.request
    with reporter(Console(stderr=True)) as progress:
        if request.baseline is not None:
            assert kept is not None, "stored runs are compared with one that is kept"
            found = guard_stored.compared(asked, plan, kept, progress)
        else:
            with _sides(request) as (base, head):
                found = compare(base, head, plan, progress, kept)
    return publish(found, request, plan.folders, as_json)


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


def _plan(asked: Asked) -> Plan:
    request, file = asked.request, asked.file
    table, warnings = guard_settings.table(asked)
    wanted = dict(asked.flags)
    if wanted.get("configuration") is None and "configuration" not in table:
        wanted["configuration"] = "cpu-1"  # pinned turns on one core vary least
    settings = settings_.load(file, wanted, asked.patterns, table)
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
        warnings=warnings,
    )


def _bisect(request: Request, span: str, plan: Plan, as_json: bool) -> int:
    with reporter(Console(stderr=True)) as progress:
        if plan.source is None:
            culprit = bisect.find(_root(), span, plan, progress)
        else:
            versions = request.code.versions(request.base_python)
            versions.check()
            culprit = bisect.find(versions.root, span, plan, progress, checkout=versions.at)
    if as_json:
        answer("guard", text=culprit.text, exit_code=culprit.exit_code)
    else:
        tell(culprit.text)
    return culprit.exit_code


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
