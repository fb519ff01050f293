"""Stored runs as bases of a comparison: which can be one, and what of them must stay."""

from __future__ import annotations

import hashlib
import json
import shlex
from dataclasses import dataclass
from pathlib import Path

from bench.guard.comparison.values import KIND
from bench.results.as_json import to_json
from bench.results.errors import StoreError
from bench.results.store import Run, read_run


@dataclass(frozen=True)
class Stored:
    """The runs of a folder that can be a base, oldest first, and a line on those that cannot."""

    runs: tuple[Run, ...]
    left_out: str = ""


def read(folder: Path) -> Stored:
    """A run, or all runs in a folder; what was not measured to its end is no base.

    Raises:
        StoreError: There is no base, or one without launches.
    """
    one = (folder / "run.json").exists()
    files = [folder / "run.json"] if one else sorted(folder.glob("*/run.json"))
    found = [read_run(file.parent) for file in files]
    runs = [run for run in found if not _unfit(run)]
    unfit = [f"{run.folder} {reason}" for run in found if (reason := _unfit(run))]
    if not runs:
        if unfit:
            raise StoreError(f"{'; '.join(unfit)}: it can be no baseline")
        raise StoreError(f"{folder} is not a run's folder and holds none")
    for run in runs:
        if not run.launches:
            raise StoreError(f"{run.folder} holds no launches: it can be no baseline, remove it")
    runs.sort(key=lambda run: float(run.facts.get("started", 0.0)))
    return Stored(tuple(runs), f"no baseline: {'; '.join(unfit)}" if unfit else "")


def _unfit(run: Run) -> str:
    """Why it can be no base; "" where it can."""
    if run.facts.get("kind") == KIND:
        return "compares two versions"
    if "ended" not in run.facts:
        command = "guard" if "guard" in run.facts else "run"
        how = shlex.join(["tfbench", command, "--resume", str(run.folder)])
        return f"is unfinished (to go on: {how})"
    return ""


COMPARED = ("started", "configurations", "scenarios", "workload", "environment")
"""Facts of a run that decide how it compares, beside its launches."""


def digest(run: Run) -> str:
    """Of all that is compared of a stored run."""
    facts = {name: run.facts.get(name) for name in COMPARED}
    whole = json.dumps([facts, *map(to_json, run.launches)], sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()[:16]
