"""When the effect table was there, of a run that only pretends."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from bench.results.as_json import to_json
from bench.results.store import Run
from bench.sweep.planning import Plan
from bench.sweep.settings import PROFILES
from research import minutes
from tests.sweep.standin import SCENARIOS, WORLD
from tests.sweep.worlds import CPU, run


@pytest.mark.parametrize(("noise", "launches"), [(0.01, 3), (0.08, 6)])
def test_the_table_is_there_when_its_intervals_are_narrow(noise: float, launches: int) -> None:
    world = dataclasses.replace(WORLD, noise={"infer/c": noise})
    _, found = run(Plan(SCENARIOS, (CPU,), PROFILES["quick"]), world)
    timed = [dataclasses.replace(x, started_s=10.0 + i) for i, x in enumerate(found)]
    facts = {"started": 10.0, "ended": 500.0, "scenarios": [to_json(s) for s in SCENARIOS]}
    stored = Run(Path("run"), facts, timed)
    last = max(i for i, x in enumerate(timed)
               if x.group == "infer/a@c" and x.index == launches - 1)  # fmt: skip
    assert minutes.table_s(stored) == pytest.approx(last + 1.0)
    assert minutes.told(stored)[0].endswith("whole: 490 s")
