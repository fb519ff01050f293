"""A guard whose launches only pretend, as a process of its own: to be ended and gone on with.

`python -m tests.guard.standin FOLDER begin|resume SECONDS-A-LAUNCH`
"""

from __future__ import annotations

import contextlib
import dataclasses
import random
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from bench.guard.checkouts.worktrees import Checkout
from bench.guard.comparison.launcher import Pair, Side, Stage, Subject, Upcoming
from bench.guard.comparison.values import Comparison
from bench.guard.loop.planned import Plan
from bench.guard.loop.running import Kept, compare
from bench.guard.rule.limits import Limits
from bench.guard.sources.source import Opened, Wanted, of_probes
from bench.results.effects import LEFT_OUT
from bench.results.store import RunFolder, read_run
from bench.results.values import Launch, WorkloadSpec
from bench.sweep import interrupts
from bench.sweep.progress import Reporter, Silent
from tests.guard.fakes import CPU_1, Effect, FakeLauncher, subject

EFFECTS = {
    "infer/quiet": Effect(noise=0.002),
    "infer/noisy": Effect(noise=0.012),
    "infer/slow": Effect(change=0.05, noise=0.004),
    "infer/large": Effect(noise=0.004, head={"peak_memory_bytes": 30_000_000}),
}
WARNED = {"infer/quiet": ("it is odd",), "infer/large": ("it is odd", "it is large")}
"""What probes warn of."""
STOOD_STILL = ("infer/noisy", "screen", 1)
"""Subject, stage and number of a launch in two of whose turns its machine was suspended."""
BUDGET_S = 90.0


class Same(FakeLauncher):
    """A launch finds the same whenever it is made, after a while."""

    seconds_each = 0.0

    def _probe(self, subject: Subject, side: Side) -> Launch:
        time.sleep(self.seconds_each)
        self.rng = random.Random(f"{subject.key} {side}")
        launch = super()._probe(subject, side)
        return dataclasses.replace(launch, warnings=WARNED.get(subject.id, ()))

    def time(
        self, subject: Subject, stage: Stage, index: int, then: Upcoming | None = None
    ) -> Pair:
        time.sleep(self.seconds_each)
        self.rng = random.Random(f"{stage} {subject.key} {index}")
        base, head = super().time(subject, stage, index, then)
        lost = (subject.id, stage, index) == STOOD_STILL
        return (dataclasses.replace(base, probes={LEFT_OUT: 2}) if lost else base), head


class Pretended:
    """A source of these launches."""

    def __init__(self, effects: Mapping[str, Effect] = EFFECTS) -> None:
        self.launcher = Same(effects)
        self.subjects = [subject(id) for id in effects]

    @contextlib.contextmanager
    def open(
        self, base: Checkout, head: Checkout, wanted: Wanted, reporter: Reporter
    ) -> Iterator[Opened]:
        """Give them."""
        yield Opened(self.subjects, self.launcher, of_probes)

    def __repr__(self) -> str:
        return "Pretended()"


def plan(source: Pretended, budget_s: float = BUDGET_S) -> Plan:
    """Compare all of them."""
    return Plan((), (CPU_1,), WorkloadSpec(), Limits(), budget_s, 1 << 30, source=source)


def guard(folder: Path, how: str, source: Pretended) -> Comparison:
    """Begin in a folder, or go on there."""
    if how == "resume":
        kept = Kept(RunFolder.reopen(folder), earlier=read_run(folder))
    else:
        kept = Kept(RunFolder.create(folder))
    stays = Path(sys.executable).parent  # no code in it changes while tests run
    side = Checkout("a version", stays, sys.executable)
    return compare(side, side, plan(source), Silent(), kept)


def main(folder: Path, how: str) -> int:
    """Begin or resume; returns the exit code."""
    try:
        with interrupts.handled():
            return guard(folder, how, Pretended()).exit_code
    except interrupts.Interrupted:
        return interrupts.EXIT_CODE


if __name__ == "__main__":
    Same.seconds_each = float(sys.argv[3])
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
