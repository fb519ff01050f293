"""`tfbench guard --baseline`: a run is measured anew and compared with stored ones."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.guard import stored
from bench.guard.comparison import bases
from bench.guard.comparison.values import Comparison
from bench.guard.loop import going_on
from bench.guard.loop.planned import Plan
from bench.guard.loop.running import Kept
from bench.results import checked
from bench.results.store import Run, read_run, reading
from bench.sweep import recording
from bench.sweep import settings as settings_
from bench.sweep.discovery import discover, select
from bench.sweep.environment import fingerprint
from bench.sweep.progress import Reporter
from bench.sweep.schedule import Sweep
from tfbench.command.guard_request import Asked


def compared(asked: Asked, plan: Plan, kept: Kept, progress: Reporter) -> Comparison:
    """Measure anew what the stored run holds, in a run of its own, and compare.

    Raises:
        TfbenchError: There is no stored run, or one that is to go on was of something else.
    """
    assert asked.request.baseline is not None
    earlier, patterns = kept.earlier, asked.patterns
    if earlier is None:
        found = bases.read(asked.request.baseline)
        runs = found.runs
        if found.left_out:
            progress.note(found.left_out)
    else:
        runs = _again(earlier)
    own: dict[str, Any] = {
        "asked": kept.asked,
        "plan": going_on.planned(plan),
        "baseline": {str(run.folder.absolute()): bases.digest(run) for run in runs},
    }
    environment = fingerprint()
    if earlier is not None:
        going_on.check(earlier, {"guard": own, "environment": environment})
    old = runs[-1].facts
    stored.check_environment(old, {"environment": environment})
    if earlier is None:
        names = ",".join(str(c["name"]) for c in old.get("configurations", ()))
        given = {**asked.flags, "configuration": asked.flags.get("configuration") or names}
        chosen = settings_.load(asked.file, given, patterns or tuple(runs[-1].scenarios))
    else:
        chosen = recording.settings_of(earlier.facts, str(kept.folder.folder))
    known = discover(folders=chosen.folders)
    wanted = [id for id in chosen.patterns if patterns or id in known]
    picked = select(known, wanted, chosen.profile.suite, chosen.exclude)
    sweep = Sweep(chosen, picked, kept.folder, progress, known=known, earlier=earlier)
    sweep.facts["guard"] = own
    sweep.run()
    return stored.compare(runs, read_run(kept.folder.folder), plan.limits)


def _again(earlier: Run) -> tuple[Run, ...]:
    """The stored runs that a comparison was begun with, of those that are still there.

    Their folder may hold others by now, and holds this comparison's own run.
    """
    with reading(earlier.folder / "run.json"):
        found = earlier.facts["guard"]["baseline"]
        checked.check(Mapping[str, str], found, "guard.baseline")
        if not found:
            raise ValueError("guard.baseline is empty")
    folders = map(Path, found)
    return tuple(read_run(folder) for folder in folders if (folder / "run.json").exists())
