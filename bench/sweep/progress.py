"""Says what runs, what is done and the time left; plain lines where there is no terminal."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from bench.results.values import Effect


class Reporter(Protocol):
    """What the schedule tells while it works."""

    def total(self, units: int) -> None:
        """How many units of work the run has."""

    def begin(self, what: str) -> None:
        """A unit begins."""

    def done(self, units: int = 1) -> None:
        """Units are done."""

    def note(self, line: str) -> None:
        """Something worth a line."""

    def rows(self, rows: Sequence[Effect], settled: bool) -> None:
        """What is known of scenarios now; settled where nothing more is measured of them."""

    def left(self, seconds: float) -> None:
        """Seconds that the run still takes, as far as it can be known."""


class Silent:
    """Tells nothing."""

    def total(self, units: int) -> None:
        """Ignore."""

    def begin(self, what: str) -> None:
        """Ignore."""

    def done(self, units: int = 1) -> None:
        """Ignore."""

    def note(self, line: str) -> None:
        """Ignore."""

    def rows(self, rows: Sequence[Effect], settled: bool) -> None:
        """Ignore."""

    def left(self, seconds: float) -> None:
        """Ignore."""


class Bar:
    """A Rich progress bar; it redraws at most twice a second, so that it costs no core."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("[bold]{task.description}", markup=True),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
            auto_refresh=False,  # a refreshing thread would run while turns are timed
        )
        self._task = self._progress.add_task("starting", total=None)

    def __enter__(self) -> Bar:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def total(self, units: int) -> None:
        """Set the length of the bar."""
        self._progress.update(self._task, total=units, refresh=True)

    def begin(self, what: str) -> None:
        """Show what runs now."""
        self._progress.update(self._task, description=what.replace("[", "\\["), refresh=True)

    def done(self, units: int = 1) -> None:
        """Move on."""
        self._progress.update(self._task, advance=units, refresh=True)

    def note(self, line: str) -> None:
        """Print above the bar."""
        self._progress.console.print(line, markup=False, highlight=False)

    def rows(self, rows: Sequence[Effect], settled: bool) -> None:
        """Ignore: a bar has no rows."""

    def left(self, seconds: float) -> None:
        """Ignore: the bar's own estimate stays."""


class Lines:
    """One plain line for each thing begun, with the time so far: for logs and CI."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write, self._start = write, time.monotonic()
        self._total = self._done = 0
        self._left_s: float | None = None

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def total(self, units: int) -> None:
        """Remember it."""
        self._total = units

    def begin(self, what: str) -> None:
        """Write what runs now, what is done and the time left."""
        spent = time.monotonic() - self._start
        left_s = self._left_s
        if left_s is None and self._done and self._total > self._done:
            left_s = spent / self._done * (self._total - self._done)
        left = "" if left_s is None else f", about {left_s:.0f} s left"
        self._write(f"[{self._done}/{self._total or '?'}, {spent:.0f} s{left}] {what}")

    def done(self, units: int = 1) -> None:
        """Count."""
        self._done += units

    def note(self, line: str) -> None:
        """Write it."""
        self._write(line)

    def rows(self, rows: Sequence[Effect], settled: bool) -> None:
        """Ignore: what a row says is the caller's to show."""

    def left(self, seconds: float) -> None:
        """Take over an estimate that is better than one from counts."""
        self._left_s = seconds


def reporter(console: Console) -> Bar | Lines:
    """A bar on a terminal, lines elsewhere."""
    if console.is_terminal:
        return Bar(console)
    return Lines(lambda line: console.print(line, markup=False, highlight=False, soft_wrap=True))
