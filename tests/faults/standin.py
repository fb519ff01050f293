"""A group of real launches as a process of its own, to be stopped or moved in the middle of a turn.

`python -m tests.faults.standin FOLDER LIMIT-S CPUS UNIT`: a turn makes the file `turn` there and
goes on until `enough` is there as well, once; what was found is printed as JSON at the end.
"""

from __future__ import annotations

import dataclasses
import json
import sys
import time
from pathlib import Path
from typing import Any, Literal

from bench.launch.timing.callables import CallableLaunch
from bench.launch.timing.turns import Timer, read
from bench.results.as_json import to_json
from bench.results.effects import Effects
from bench.results.values import Configuration, Scenario
from bench.sweep.groups import run_launch
from bench.sweep.members import Member
from bench.sweep.running import RunningLaunch
from bench.sweep.settings import PROFILES
from tests.faults.test_launches import forked

Unit = Literal["step", "job"]
DISTURBED = 2
"""The candidate's turn that waits."""
SCENARIOS = {
    name: Scenario(f"infer/{name}", "infer", "", "", "", "", 0, baseline=baseline)
    for name, baseline in (("plain", None), ("fast", "infer/plain"))
}
PROFILE = dataclasses.replace(PROFILES["smoke"], warmup_s=0.05, rounds=12)


class Turns(Timer):
    """Counts the turns of a launch; the number is there while one is timed."""

    count, now = -1_000_000, 0  # until it is warm

    def turn(self, steps: int) -> int:
        """Take a turn."""
        self.count += 1
        self.now = self.count
        try:
            return super().turn(steps)
        finally:
            self.now = 0


class Spinning(CallableLaunch):
    """A step spins for half a millisecond; in one turn it goes on until a file says to end.

    Args:
        folder: Where that file comes; None: never.
        configuration: Its own.
        padding: Of memory.
        job: It takes one turn, without a warm-up before it.
    """

    def __init__(
        self, folder: Path | None, configuration: Configuration, padding: int, job: bool
    ) -> None:
        super().__init__(self.spin, configuration, padding)
        self.timer = self.turns = Turns(self.spin, read)
        self.folder, self.job = folder, job
        if job:
            self.turns.count = DISTURBED - 1

    def warm(self, turn_ns: int, cap_ns: int) -> dict[str, Any]:
        """Warm up, which takes turns too."""
        answer = super().warm(turn_ns, cap_ns)
        self.turns.count = 0
        return answer

    def spin(self) -> None:
        """Make a step."""
        until = time.perf_counter() + 0.0005
        while time.perf_counter() < until:
            pass
        if self.folder is not None and self.turns.now == DISTURBED:
            (self.folder / "turn").touch()
            while not (self.folder / "enough").exists():
                pass


def start(folder: Path, limit_s: float, cpus: tuple[int, ...], unit: Unit) -> None:
    """Let the group take its turns."""
    configuration = Configuration("cpu", len(cpus), cpus)

    def fork(member: Member, where: Configuration, padding: int) -> RunningLaunch:
        waits = folder if member.role == "candidate" else None
        return forked(lambda: Spinning(waits, where, padding, unit == "job"))

    members = [
        Member(
            dataclasses.replace(each, unit=unit),
            configuration,
            fork,
            "candidate" if each.baseline else "baseline",
        )
        for each in SCENARIOS.values()
    ]
    profile = dataclasses.replace(PROFILE, timeout_s=limit_s)
    launches = run_launch("g", members, 0, profile, seed=1)
    rows = Effects(launches, {each.id: each for each in SCENARIOS.values()}).rows
    print(json.dumps([[to_json(each) for each in found] for found in (launches, rows)]))


if __name__ == "__main__":
    cores = tuple(map(int, sys.argv[3].split(",")))
    start(Path(sys.argv[1]), float(sys.argv[2]), cores, sys.argv[4])  # type: ignore[arg-type]
