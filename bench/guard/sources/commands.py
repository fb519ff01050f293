"""A command as a whole process: both versions of it run by turns, and the kernel is asked."""

from __future__ import annotations

import contextlib
import dataclasses
import random
import shlex
import sys
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Self

from bench.guard.checkouts.versions import compiled_in_head_alone
from bench.guard.checkouts.worktrees import Checkout
from bench.guard.comparison.launcher import Pair, Side, Stage, Subject, Upcoming
from bench.guard.comparison.values import OperationChange
from bench.guard.sources.processes import Beside, Spawner, environment
from bench.guard.sources.source import Benchmark, Opened, Wanted, of_probes
from bench.results.effects import LEFT_OUT, STOOD_STILL
from bench.results.errors import UsageError
from bench.results.levels import levels
from bench.results.values import Configuration, Launch, Turn
from bench.sweep.progress import Reporter
from bench.sweep.running import LaunchFailed

RUNS_S = 1.0
"""Time of a launch for each side; a longer command runs once in it."""
MOST_RUNS = 10
LIMIT_S = 3600.0
SHELL = set("|&;<>()$`*?[]{}~#\n")
"""Characters that only a shell understands."""
PADDING_BYTES = 4096
COUNTED = ("bytes_read", "bytes_written", "files", "processes")


@dataclass(frozen=True)
class Command:
    """A command line, the same on both sides."""

    line: str
    prepare: str = ""
    """Runs before each run, untimed."""
    cleanup: str = ""
    """Runs when all is measured, on both sides."""

    @contextlib.contextmanager
    def open(
        self, base: Checkout, head: Checkout, wanted: Wanted, reporter: Reporter
    ) -> Iterator[Opened]:
        """Run it once on each side, so that what it caches is there, and be ready to time it."""
        words(self.line)
        subjects = [
            Subject(self.line, configuration, *2 * (Benchmark(self.line, path_kind="command"),))
            for configuration in wanted.configurations
        ]
        sides: dict[Side, Checkout] = {"base": base, "head": head}
        with CommandLauncher(self, sides, wanted, reporter) as launcher:
            launcher.first(subjects[0].configuration)
            compiled = compiled_in_head_alone(base, head)
            warnings = []
            if compiled is not None:
                note = f"{compiled} is compiled and not in the base: if the command uses it, "
                warnings.append(f"{note}give --install")
            yield Opened(
                subjects, launcher, lambda launches: [*warnings, *of_probes(launches)], "command"
            )


class CommandLauncher:
    """Runs both sides of a command.

    Args:
        command: What runs.
        sides: Both versions.
        wanted: Memory limit and seed.
        reporter: Shows progress.
    """

    def __init__(
        self, command: Command, sides: Mapping[Side, Checkout], wanted: Wanted, reporter: Reporter
    ) -> None:
        self._command, self._sides, self._seed = command, sides, wanted.seed
        self._spawner = Spawner(wanted.memory_bytes)
        self._reporter = reporter
        self._runner: tuple[Configuration, Beside] | None = None
        self._variables = {s: environment(c, sides["head"]) for s, c in sides.items()}
        self._begun = time.monotonic()
        self._run_s = RUNS_S

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            if self._command.cleanup and self._runner is not None:
                for side in self._sides:
                    with contextlib.suppress(LaunchFailed):
                        self._aside("cleanup", self._command.cleanup, side, self._runner[0])
        finally:
            self._close()
            self._spawner.close()

    def seconds(self) -> float:
        """Time since the guard began."""
        return time.monotonic() - self._begun

    def first(self, where: Configuration) -> None:
        """One run of each side, which fills caches; raises UsageError where the base fails."""
        for side, checkout in self._sides.items():
            self._reporter.begin(f"a first run of {side}")
            try:
                self._run_s = self._run(side, where, random.Random(0))["wall_ns"] / 1e9
            except LaunchFailed as error:
                if side == "base":  # what the head breaks is a regression
                    reason = f"{checkout.label}: {error.reason}"
                    raise UsageError(f"--command {self._command.line}: {reason}") from None

    def probe(
        self, wanted: Sequence[tuple[Subject, Side]], spent_s: float = 0.0
    ) -> Generator[Launch, None, None]:
        """A run each in which everything is counted."""
        for subject, side in wanted:
            yield self._probe(subject, side)

    def time(
        self, subject: Subject, stage: Stage, index: int, then: Upcoming | None = None
    ) -> Pair:
        """Some runs of both sides, one at a time, in random order."""
        rng, begun = random.Random(f"{self._seed}/{stage}/{subject.key}/{index}"), time.monotonic()
        records: dict[Side, Launch] = {
            side: Launch(
                subject.id, subject.configuration.name, group=f"{stage}/{subject.key}",
                role="baseline" if side == "base" else "candidate", index=index, side=side,
                start_order=index % 2 if side == "base" else 1 - index % 2,
                examples_per_step=1, started_s=round(time.time(), 3),
            )
            for side in self._sides
        }  # fmt: skip
        turns: dict[Side, list[Turn]] = {side: [] for side in self._sides}
        used: dict[Side, list[dict[str, Any]]] = {side: [] for side in self._sides}
        lost: dict[Side, int] = dict.fromkeys(self._sides, 0)
        order = list(self._sides) if not index % 2 else list(self._sides)[::-1]
        for number in range(max(1, min(MOST_RUNS, int(RUNS_S / self._run_s)))):
            for position, side in enumerate(order):
                try:
                    found = self._run(side, subject.configuration, rng)
                except LaunchFailed as error:
                    records[side] = _failed(records[side], error)
                    return records["base"], records["head"]
                if found["stood_still"]:
                    lost[side] += 1
                    continue
                turns[side].append(Turn(number, position, 1, found["wall_ns"]))
                used[side].append(found)
            order = rng.sample(order, len(order))
        known = levels([turns[side] for side in self._sides])
        for side, level in zip(self._sides, known, strict=True):
            record = dataclasses.replace(
                records[side], turns=tuple(turns[side]), level=level,
                probes={LEFT_OUT: lost[side]} if lost[side] else {},
                wall_s=time.monotonic() - begun,
            )  # fmt: skip
            records[side] = _with_used(record, used[side])
        return records["base"], records["head"]

    def restart(self) -> None:
        """Run from a new process."""
        self._close()

    def operations(self, subject: Subject) -> tuple[OperationChange, ...]:
        """Nothing is known of the inside of a command."""
        return ()

    # --- pieces ---------------------------------------------------------------------------------

    def _probe(self, subject: Subject, side: Side) -> Launch:
        self._reporter.begin(f"{subject.id}: what {side} uses")
        begun = time.monotonic()
        record = Launch(
            subject.id, subject.configuration.name, group=f"probe/{subject.key}", purpose="probe",
            side=side, started_s=round(time.time(), 3),
        )  # fmt: skip
        try:
            found = self._run(side, subject.configuration, random.Random(0), count=True)
        except LaunchFailed as error:
            return _failed(record, error)
        finally:
            self._reporter.done()
        warnings = []
        if found.pop("left"):
            warnings.append("it leaves processes running, which were ended after each run")
        missing = [name.replace("_", " ") for name in COUNTED if name not in found]
        if missing:
            warnings.append(f"this kernel or container does not say {', '.join(missing)}")
        memory, _ = found.pop("peak_memory_bytes"), found.pop("stood_still")
        return dataclasses.replace(
            record,
            peak_memory_bytes=memory,
            probes=found,
            warnings=tuple(warnings),
            wall_s=time.monotonic() - begun,
        )

    def _run(
        self, side: Side, where: Configuration, rng: random.Random, count: bool = False
    ) -> dict[str, Any]:
        if self._command.prepare:
            self._aside("prepare", self._command.prepare, side, where)
        return self._do(self._command.line, side, where, rng, count)

    def _aside(self, flag: str, line: str, side: Side, where: Configuration) -> None:
        try:
            self._do(line, side, where, random.Random(0))
        except LaunchFailed as error:
            reason = f"--{flag} {line}: {error.reason}"
            if flag == "prepare":
                raise UsageError(f"{self._sides[side].label}: {reason}") from None
            self._reporter.note(reason)

    def _do(
        self, line: str, side: Side, where: Configuration, rng: random.Random, count: bool = False
    ) -> dict[str, Any]:
        if self._runner is None or self._runner[0] != where:
            self._close()
            root = self._sides["head"].root
            self._runner = (
                where,
                self._spawner.start(
                    sys.executable, {"kind": "commands"}, where, root, self._variables["head"]
                ),
            )
        variables = {
            "PYTHONHASHSEED": str(rng.randrange(2**32)),
            **self._variables[side],
            **where.environment,
            "TFBENCH_PADDING": "x" * rng.randrange(PADDING_BYTES),
        }
        runner = self._runner[1]
        before_s = runner.stood_still_s
        found = runner.call(
            "run", LIMIT_S + 60, command=words(line), folder=str(self._sides[side].root),
            environment=variables, limit_s=LIMIT_S, count=count,
        )  # fmt: skip
        found["stood_still"] |= runner.stood_still_s > before_s
        return found

    def _close(self) -> None:
        if self._runner is not None:
            self._runner[1].close()
            self._runner = None


def words(line: str) -> list[str]:
    """Program and arguments; a shell's where the line needs one.

    Raises:
        UsageError: The line is empty, or a quote is not closed.
    """
    if SHELL & set(line):
        return ["/bin/sh", "-c", line]
    try:
        found = shlex.split(line)
    except ValueError as error:
        raise UsageError(f"{line!r} is no command: {error}") from None
    if not found:
        raise UsageError("--command is empty: give a program and its arguments")
    return found


def _with_used(record: Launch, used: Sequence[Mapping[str, Any]]) -> Launch:
    """With what its runs used; without any run it failed."""
    if not used:
        reason = f"{STOOD_STILL} in its turns: measure it again"
        return _failed(record, LaunchFailed("failed", reason))
    return dataclasses.replace(
        record,
        probes={**record.probes, "cpu_ns": median(each["cpu_ns"] for each in used)},
        peak_memory_bytes=max(each["peak_memory_bytes"] for each in used),
    )


def _failed(record: Launch, error: LaunchFailed) -> Launch:
    outcome = error.outcome
    return dataclasses.replace(record, outcome=outcome, reason=error.reason)  # type: ignore[arg-type]
