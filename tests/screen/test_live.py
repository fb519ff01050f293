"""A run on the screen while it goes on: rows narrow, settle once, and stay in their columns."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from bench.results.values import Effect
from bench.sweep.telling import PROBED
from tfbench.screen.live import Lines, LiveTable, Screen, screen, time_left

INT8 = Effect(
    "infer/litert-int8", "cpu-1", "infer/litert-float32", PROBED, size_bytes=118_000,
    quality_metric="accuracy", quality=0.98, accuracy=0.98, quality_delta=-0.002,
)  # fmt: skip


def measured(low: float, high: float) -> Effect:
    return Effect(
        INT8.scenario, INT8.configuration, INT8.baseline, "ok", speedup=(low + high) / 2,
        speedup_low=low, speedup_high=high, size_bytes=INT8.size_bytes, accuracy=0.98,
        quality_metric="accuracy", quality=0.98, quality_delta=-0.002,
    )  # fmt: skip


REFUSED = Effect("infer/tensorrt", "cpu-1", "infer/function", "unsupported", "there is no [GPU]")


def console(terminal: bool, width: int = 120) -> Console:
    return Console(
        file=io.StringIO(), force_terminal=terminal, width=width, height=24, record=True,
        color_system=None, legacy_windows=False,
    )  # fmt: skip


def play(shown: Screen) -> None:
    with shown:
        shown.begin("infer/litert-int8: proof")
        shown.rows([INT8], False)
        shown.rows([REFUSED], True)
        shown.left(150.0)
        shown.begin("infer@cpu-1: launch 1 of 6")
        shown.rows([measured(2.0, 4.0)], False)
        shown.rows([measured(2.9, 3.1)], True)
        shown.rows([measured(1.0, 9.0)], True)  # a later group's: it settled already


@pytest.mark.parametrize("form", [Lines, LiveTable])
def test_each_row_settles_once_with_its_last_figures(form: type[Screen]) -> None:
    out = console(form is LiveTable)
    play(form(out, clock=lambda: 0.0))
    text = out.export_text()
    assert "3.00× (2.90 to 3.10)" in text
    assert "unsupported: there is no [GPU]" in text
    assert "118 KB" in text
    assert "98.0 % (−0.2 pp)" in text
    assert "9.00" not in text


def test_lines_are_one_a_finished_row() -> None:
    out = console(False)
    play(Lines(out, clock=lambda: 0.0))
    lines = out.export_text().splitlines()
    assert sum(line.startswith("infer/litert-int8 in cpu-1: ") for line in lines) == 1
    assert "[0:00 · about 2 min left · infer@cpu-1: launch 1 of 6]" in lines


def test_lines_go_on_while_one_thing_takes_long() -> None:
    out, now = console(False), [0.0]
    shown = Lines(out, clock=lambda: now[0])
    shown.begin("36 scenarios: proof, quality and size")
    for now[0], left in ((30.0, 900.0), (61.0, 800.0), (100.0, 700.0), (121.0, 600.0)):
        shown.left(left)
    assert [line[:23] for line in out.export_text().splitlines()] == [
        "[0:00 · 36 scenarios: p", "[1:01 · about 13 min le", "[2:01 · about 10 min le",
    ]  # fmt: skip


def test_the_live_part_shows_the_interval_as_it_narrows() -> None:
    out = console(True)
    shown = LiveTable(out, clock=lambda: 0.0)
    for row, words in (
        (measured(2.0, 4.0), "(2.0 to 4.0)"), (measured(2.9, 3.1), "(2.90 to 3.10)"),
    ):  # fmt: skip
        shown.rows([row], False)
        with out.capture() as drawn:
            out.print(shown.draw())
        assert words in drawn.get()
        assert "taking turns" in drawn.get()


def test_rows_that_do_not_fit_are_counted() -> None:
    out = console(True)
    shown = LiveTable(out, clock=lambda: 0.0)
    shown.rows([Effect(f"infer/x{i}", "cpu-1", "", PROBED) for i in range(40)], False)
    shown.rows([measured(2.9, 3.1)], False)
    with out.capture() as drawn:
        out.print(shown.draw())
    lines = drawn.get().splitlines()
    assert len(lines) <= out.height
    assert "infer/litert-int8" in lines[1]  # who takes turns comes first
    assert "23 more rows wait" in lines[-1]


def test_settled_and_live_rows_line_up() -> None:
    out = console(True)
    shown = LiveTable(out, clock=lambda: 0.0)
    with out.capture() as drawn:
        shown.settle(measured(2.9, 3.1))
        shown._open[("a", "b")] = measured(2.0, 4.0)
        out.print(shown.draw())
    settled, live = (x for x in drawn.get().splitlines() if x.startswith("infer/litert-int8"))
    assert settled.index("118 KB") == live.index("118 KB")


def test_a_terminal_gets_the_table_and_a_log_gets_lines() -> None:
    assert isinstance(screen(console(True)), LiveTable)
    assert isinstance(screen(console(False)), Lines)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, ""), (0.0, "about 1 s left"), (80.0, "about 80 s left"), (600.0, "about 10 min left")],
)
def test_the_time_left_is_rounded(seconds: float | None, words: str) -> None:
    assert time_left(seconds) == words


@pytest.mark.parametrize(("spent", "shown"), [(43.0, "0:43"), (59.9, "0:59"), (118.0, "1:58")])
def test_the_time_so_far_is_in_whole_minutes_and_seconds(spent: float, shown: str) -> None:
    times = iter((0.0, spent))
    assert Screen(console(False), clock=lambda: next(times)).foot == f"{shown} · starting"
