"""Shows a run while it goes on: a table whose rows settle in a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from bench.results.values import Effect, Estimate
from bench.sweep.progress import Reporter
from bench.sweep.telling import PROBED, WAITING
from reports.facts import figures
from tfbench.screen.tables import say

Clock = Callable[[], float]
AGAIN_S = 60.0
"""After which a log repeats what is being done, so that nobody takes it for hanging."""
KEPT_FREE = 6
"""Lines of a terminal that the live table leaves for its own head and foot."""

WAITS = {WAITING: "waits for its probe", PROBED: "waits for its turns"}
"""What a row waits for, by its status."""
WITH_QUALITY = 100
"""Characters from which on there is room for the column of quality."""


def speed(row: Effect) -> str:
    """Its speed-up with the interval so far."""
    if row.speedup is None:
        return "baseline" if row.status == "ok" and not row.baseline else ""
    low, high = row.speedup_low, row.speedup_high
    if low is None or high is None:
        return figures.speedup(Estimate(row.speedup, row.speedup, row.speedup, 1))
    return figures.speedup(Estimate(row.speedup, low, high, 2))


def quality(row: Effect) -> str:
    """Its quality, and by how much it differs from its baseline's."""
    if row.quality is None:
        return ""
    share = row.accuracy is not None or row.quality_metric.endswith("accuracy")
    value = figures.percent(row.quality) if share else figures.significant(row.quality)
    if row.quality_delta is None:
        return value
    delta = 100 * row.quality_delta if share else row.quality_delta
    return f"{value} ({figures.signed(delta, 1 if share else 3)}{' pp' if share else ''})"


def status(row: Effect, settled: bool) -> str:
    """What becomes of it, in a few words."""
    if row.status in WAITS:
        return WAITS[row.status]
    if row.status != "ok":
        return f"{row.status}: {row.reason}" if row.reason else row.status
    return "done" if settled else "taking turns"


def time_left(seconds: float | None) -> str:
    """`about 4 min left`; empty where nothing is known yet."""
    if seconds is None:
        return ""
    if seconds < 90:
        return f"about {max(1, round(seconds)):.0f} s left"
    return f"about {seconds / 60:.0f} min left"


class Screen(Reporter):
    """What both forms know: rows, what is being done, time so far and time left."""

    def __init__(self, console: Console, clock: Clock = time.monotonic) -> None:
        self.console, self._clock, self._start = console, clock, clock()
        self._open: dict[tuple[str, str], Effect] = {}
        self._settled: set[tuple[str, str]] = set()
        self._doing = "starting"
        self._left_s: float | None = None

    def __enter__(self) -> Screen:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        return None

    def total(self, units: int) -> None:
        """Ignore: time tells more than counts."""

    def done(self, units: int = 1) -> None:
        """Ignore: rows tell."""

    def begin(self, what: str) -> None:
        """Show what is being done."""
        self._doing = what
        self.refresh()

    def left(self, seconds: float) -> None:
        """Show the time left."""
        self._left_s = seconds
        self.refresh()

    def note(self, line: str) -> None:
        """Show a line that stays."""
        say(self.console, line)

    def rows(self, rows: Sequence[Effect], settled: bool) -> None:
        """Update rows; each settles once."""
        for row in rows:
            key = row.scenario, row.configuration
            if key in self._settled:
                continue
            if not settled:
                self._open[key] = row
                continue
            self._open.pop(key, None)
            self._settled.add(key)
            self.settle(row)
        self.refresh()

    def settle(self, row: Effect) -> None:
        """Show a row that will not change."""

    def refresh(self) -> None:
        """Show what changed."""

    @property
    def foot(self) -> str:
        """Time so far, time left, and what is being done."""
        minutes, seconds = divmod(int(self._clock() - self._start), 60)
        parts = (f"{minutes}:{seconds:02}", time_left(self._left_s), self._doing)
        return " · ".join(part for part in parts if part)


class Lines(Screen):
    """One plain line a finished row, and one for each thing begun: for logs and CI."""

    _said = 0.0

    def begin(self, what: str) -> None:
        """Write what is being done, the time so far and the time left."""
        super().begin(what)
        self._said = self._clock()
        say(self.console, f"[{self.foot}]")

    def left(self, seconds: float) -> None:
        """Write it again after a minute in which nothing else began."""
        super().left(seconds)
        if self._clock() - self._said >= AGAIN_S:
            self.begin(self._doing)

    def settle(self, row: Effect) -> None:
        """Write the row."""
        over = f"{speed(row)} over {row.baseline}" if row.speedup is not None else speed(row)
        size = figures.size(row.size_bytes) if row.size_bytes else ""
        said = (over, size, quality(row), status(row, True) if row.status != "ok" else "")
        say(self.console, f"{row.scenario} in {row.configuration}: "
            + ", ".join(text for text in said if text))  # fmt: skip


class LiveTable(Screen):
    """Rows that are worked on, below those that settled; drawn when something changes.

    A thread that refreshed it would run while turns are timed.
    """

    def __init__(self, console: Console, clock: Clock = time.monotonic) -> None:
        super().__init__(console, clock)
        self._live = Live(console=console, auto_refresh=False, get_renderable=self.draw)
        self._headed = False

    def __enter__(self) -> LiveTable:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._open.clear()
        self._doing, self._left_s = "interrupted" if kind else "measured", None
        self._live.stop()

    def settle(self, row: Effect) -> None:
        """Print the row above what is live, in the same columns."""
        self.console.print(self._table([(row, True)], head=not self._headed))
        self._headed = True

    def refresh(self) -> None:
        """Draw anew."""
        self._live.refresh()

    def draw(self) -> Group:
        """What is live: open rows, as many as fit, those that take turns first, and the foot."""
        rows = sorted(self._open.values(), key=_nearness)
        room = max(1, self.console.height - KEPT_FREE)
        shown, hidden = rows[:room], len(rows) - room
        parts: list[Table | Text] = []
        if shown:
            parts.append(self._table([(row, False) for row in shown], head=not self._headed))
        more = f" · {hidden} more rows wait" if hidden > 0 else ""
        parts.append(Text(self.foot + more, style="dim", overflow="ellipsis", no_wrap=True))
        return Group(*parts)

    def _table(self, rows: Sequence[tuple[Effect, bool]], head: bool) -> Table:
        """Rows in columns whose widths depend on the terminal alone, so that they line up."""
        wide = self.console.width >= WITH_QUALITY
        table = Table(box=None, show_header=head, padding=(0, 1), pad_edge=False, expand=True)
        name_width = max(18, self.console.width * 26 // 100)
        table.add_column("scenario", width=name_width, overflow="ellipsis", no_wrap=True)
        table.add_column("speed-up", width=24, justify="right", no_wrap=True)
        table.add_column("size", width=8, justify="right", no_wrap=True)
        if wide:
            table.add_column("quality", width=18, justify="right", no_wrap=True)
        live = not any(settled for _, settled in rows)
        table.add_column("status", ratio=1, overflow="ellipsis", no_wrap=live)
        for row, settled in rows:
            style = "dim" if row.status != "ok" else "" if settled else "cyan"
            size = figures.size(row.size_bytes) if row.size_bytes else ""
            optional = [quality(row)] if wide else []
            cells = (row.scenario, speed(row), size, *optional, status(row, settled))
            table.add_row(*(Text(cell, style) for cell in cells))
        return table


def _nearness(row: Effect) -> int:
    """Rows that take turns come first, those that wait for their probe last."""
    return (PROBED, WAITING).index(row.status) + 1 if row.status in WAITS else 0


def screen(console: Console) -> Screen:
    """A live table on a terminal, lines elsewhere."""
    return LiveTable(console) if console.is_terminal else Lines(console)
