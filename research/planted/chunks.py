"""Long experiments in short sittings: as many units as fit a time, each kept when it is done."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.sweep import interrupts
from bench.sweep.discovery import ROOT
from bench.sweep.environment import fingerprint
from research.planted.rivals import git
from research.precision.records import Records

RESULTS = Path(__file__).parent / "results"
"""Records that are committed: verdicts and estimates, a line a unit; no raw times."""


@dataclass(frozen=True)
class Unit:
    """What is measured in one go."""

    key: Mapping[str, Any]
    """Fields of its record that no other unit's has."""
    seconds: float
    """That it may take."""
    measure: Callable[[], Mapping[str, Any]]
    """The other fields of its record."""


def work(
    units: Iterable[Unit],
    records: Records,
    minutes: float | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> int:
    """Measure what the records lack, in this order, until the next unit does not fit.

    Args:
        units: Asked for one after the other, so that a unit may depend on records before it.
        records: Where each is appended at once: what is interrupted loses one unit.
        minutes: Time for all of it; None: no limit.
        clock: In seconds.

    Returns:
        How many were measured.
    """
    began, count = clock(), 0
    try:
        with interrupts.handled():
            for unit in (each for each in units if not recorded(records, each.key)):
                if minutes is not None and clock() - began + unit.seconds > 60 * minutes:
                    break
                record = _measured(unit, clock)
                with interrupts.held():  # what is kept counts
                    records.append(record)
                    count += 1
                print(json.dumps(record), flush=True)
    except interrupts.Interrupted:
        print("interrupted: what was measured is kept", file=sys.stderr)
    return count


def _measured(unit: Unit, clock: Callable[[], float]) -> dict[str, Any]:
    started, before = time.time(), clock()
    found = unit.measure()
    about = {"commit": version(), "cpu": fingerprint()["cpu"], "started": round(started),
             "seconds": round(clock() - before, 1)}  # fmt: skip
    return {**unit.key, **about, **found}


def recorded(records: Iterable[Mapping[str, Any]], key: Mapping[str, Any]) -> Mapping[str, Any]:
    """The record of a unit; an empty one where there is none."""
    found = (each for each in records if key.items() <= each.items())
    return next(found, {})


def version() -> str:
    """The commit that measures, with `+` where the working tree has changed."""
    changed = git(ROOT, "status", "--porcelain", "--", "bench", "tfbench")
    return git(ROOT, "rev-parse", "--short=10", "HEAD") + ("+" if changed else "")
