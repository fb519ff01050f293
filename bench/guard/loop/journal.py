"""A comparison's journal: each answer of its launcher, so that what was interrupted goes on.

The guard decides from launches and from the time that they took, and from nothing else. Given the
same answers again it makes the same decisions, and stands where it was interrupted: at the same
stage with the same plan, having looked as often. So going on is to hear the answers again, and then
to ask further.
"""

from __future__ import annotations

import contextlib
import json
from collections import deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.guard.comparison.launcher import Launcher, Pair, Side, Stage, Subject, Upcoming
from bench.guard.comparison.values import OperationChange
from bench.results import checked
from bench.results.as_json import from_json, to_json
from bench.results.errors import StoreError
from bench.results.files import replace_text
from bench.results.store import Run, RunFolder, reading
from bench.results.values import Effect, Launch
from bench.sweep import interrupts
from bench.sweep.progress import Reporter

STEPS = "steps.jsonl"
BEGUN, PROBE = "begun", "probe"
PAIR = 2
"""Launches of a probe or a timing: the base's and the head's."""


@dataclass(frozen=True)
class Answer:
    """What the launcher was asked, and what it answered."""

    what: str
    until_s: float
    """Time of the comparison when it had answered."""
    launches: tuple[Launch, ...] = ()
    operations: tuple[OperationChange, ...] = ()


@dataclass(frozen=True)
class Step:
    """An answer as the journal keeps it; its launches stand in launches.jsonl."""

    what: str
    until_s: float
    launches: int = 0
    operations: tuple[OperationChange, ...] = ()


class Journal:
    """A launcher whose answers are kept, and given again where they were kept before.

    Its time stands still between answers, so that decisions are the same both times.

    Args:
        launcher: Makes launches.
        folder: Where answers are kept; None: nowhere.
        known: Answers that were kept before.
    """

    def __init__(
        self, launcher: Launcher, folder: RunFolder | None = None, known: Sequence[Answer] = ()
    ) -> None:
        self._launcher, self._folder = launcher, folder
        self._known = deque(known)
        self._clock = self._offset = 0.0
        self._live = False
        self.launches: list[Launch] = []
        """Those of all answers, kept ones and new ones."""
        if self._heard(BEGUN) is None:
            self._keep(Answer(BEGUN, self._now()))

    @property
    def replaying(self) -> bool:
        """Whether the next answer is one that was kept."""
        return bool(self._known)

    def seconds(self) -> float:
        """Time of the comparison up to the last answer, interruptions left out."""
        return self._clock

    def probe(
        self, wanted: Sequence[tuple[Subject, Side]], spent_s: float = 0.0
    ) -> Generator[Launch, None, None]:
        """Those that were kept, then the others; a pair that was not kept whole is made anew."""
        names = [f"{PROBE} {subject.key}" for subject, _ in wanted[::2]]
        begun, heard = self._clock, 0
        while heard < len(names) and (known := self._heard(names[heard], PAIR)):
            yield from known.launches
            heard += 1
        if heard == len(names):
            return
        self._go_live()
        rest = self._launcher.probe(wanted[2 * heard :], self._clock - begun)
        with contextlib.closing(rest) as launches:
            for name, base, head in zip(names[heard:], launches, launches, strict=True):
                yield from self._keep(Answer(name, self._now(), (base, head))).launches

    def time(
        self, subject: Subject, stage: Stage, index: int, then: Upcoming | None = None
    ) -> Pair:
        """A launch of both sides taking turns."""

        def ask() -> tuple[Sequence[Launch], Sequence[OperationChange]]:
            return self._launcher.time(subject, stage, index, then), ()

        base, head = self._step(f"{stage} {subject.key} {index}", ask, PAIR).launches
        return base, head

    def restart(self) -> None:
        """New processes; where one goes on, they are new anyway."""

        def ask() -> tuple[Sequence[Launch], Sequence[OperationChange]]:
            self._launcher.restart()
            return (), ()

        self._step("restart", ask)

    def operations(self, subject: Subject) -> tuple[OperationChange, ...]:
        """Which operations' times differ between traces of both sides."""

        def ask() -> tuple[Sequence[Launch], Sequence[OperationChange]]:
            return (), self._launcher.operations(subject)

        return self._step(f"operations {subject.key}", ask).operations

    # --- pieces ---------------------------------------------------------------------------------

    def _step(
        self,
        what: str,
        ask: Callable[[], tuple[Sequence[Launch], Sequence[OperationChange]]],
        count: int = 0,
    ) -> Answer:
        known = self._heard(what, count)
        if known is not None:
            return known
        self._go_live()
        launches, operations = ask()
        return self._keep(Answer(what, self._now(), tuple(launches), tuple(operations)))

    def _heard(self, what: str, count: int = 0) -> Answer | None:
        """The next answer that was kept, of so many launches; None: there are no more."""
        if not self._known:
            return None
        answer = self._known.popleft()
        if answer.what != what:
            raise StoreError(
                f"the comparison cannot go on: {STEPS} holds '{answer.what}' where '{what}' "
                "belongs; start a new one"
            )
        if len(answer.launches) != count:
            raise StoreError(
                f"the comparison cannot go on: by {STEPS}, '{what}' has {len(answer.launches)} "
                f"launches and not {count}; start a new one"
            )
        self._clock = answer.until_s
        self.launches += answer.launches
        return answer

    def _go_live(self) -> None:
        """What follows is measured; the time since the last answer is not the comparison's."""
        if not self._live:
            self._live = True
            self._offset = self._clock - self._launcher.seconds()

    def _now(self) -> float:
        return self._launcher.seconds() + self._offset

    def _keep(self, answer: Answer) -> Answer:
        self._clock, self._live = answer.until_s, True
        self.launches += answer.launches
        if self._folder is not None:
            step = Step(answer.what, answer.until_s, len(answer.launches), answer.operations)
            with interrupts.held():  # the launches first: without its step none counts
                self._folder.append(answer.launches)
                self._folder.append_text(STEPS, json.dumps(to_json(step)) + "\n")
        return answer


def read(run: Run) -> list[Answer]:
    """The answers that a folder keeps; what was cut short while it was written is left out.

    Raises:
        StoreError: A line is damaged, or launches are missing.
    """
    path = run.folder / STEPS
    if not path.exists():
        return []
    found: list[Answer] = []
    number = 0
    for step in _steps(path):
        launches = run.launches[number : number + step.launches]
        if len(launches) < step.launches:
            raise StoreError(
                f"{path} tells of launches that {run.folder} does not hold: start anew"
            )
        found.append(Answer(step.what, step.until_s, launches, step.operations))
        number += step.launches
    return found


def _steps(path: Path) -> list[Step]:
    with reading(path):
        lines = path.read_text(encoding="utf-8").split("\n")
    found = []
    for number, line in enumerate(lines[:-1], start=1):  # the last one was cut short, or is empty
        with reading(path, f", line {number}"):
            step = from_json(Step, json.loads(line))
            checked.check(Step, step, "step", finite=True)
            if step.launches < 0:
                raise ValueError(f"step.launches is not what it should be: {step.launches}")
            found.append(step)
    return found


def rewrite(folder: RunFolder, known: Sequence[Answer]) -> None:
    """Keep these answers alone."""
    steps = (Step(x.what, x.until_s, len(x.launches), x.operations) for x in known)
    folder.write_launches(launch for each in known for launch in each.launches)
    text = "".join(json.dumps(to_json(step)) + "\n" for step in steps)
    replace_text(folder.folder / STEPS, text)


class Untold:
    """A reporter that is silent while answers are given again.

    Args:
        reporter: Told what happens then.
        journal: Which of both it is.
        known: The answers that it kept.
    """

    def __init__(self, reporter: Reporter, journal: Journal, known: Sequence[Answer]) -> None:
        self._reporter, self._journal = reporter, journal
        probes = sum(len(x.launches) for x in known if x.what.startswith(PROBE))
        self._pairs = sum(bool(x.launches) and not x.what.startswith(PROBE) for x in known)
        self._known = probes + self._pairs

    def total(self, units: int) -> None:
        """Those that are still to be done."""
        self._reporter.total(max(0, units - self._known))

    def begin(self, what: str) -> None:
        """Told where it is measured."""
        if not self._journal.replaying:
            self._reporter.begin(what)

    def done(self, units: int = 1) -> None:
        """Told where it was measured."""
        if self._pairs:
            self._pairs -= 1
        else:
            self._reporter.done(units)

    def note(self, line: str) -> None:
        """Told."""
        self._reporter.note(line)

    def rows(self, rows: Sequence[Effect], settled: bool) -> None:
        """Told."""
        self._reporter.rows(rows, settled)

    def left(self, seconds: float) -> None:
        """Told."""
        self._reporter.left(seconds)
