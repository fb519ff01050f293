"""Draws the plots of a report, each with its finding as its title."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from bench.results.processes import die_with_parent
from reports.facts.measured import Facts
from reports.plots import latency, machine, scaling, speed, tradeoff
from reports.plots.drawn import Plot
from reports.plots.style import Drawing, save, styled

Maker = Callable[[Facts], Drawing | None]

ALL: dict[str, tuple[Maker, ...]] = {
    "effects": (tradeoff.size_accuracy, tradeoff.pareto),
    "inference": (
        partial(speed.forest, kind="infer"),
        latency.distributions,
        partial(scaling.batches, kind="infer"),
        partial(scaling.memory, kind="infer"),
        machine.roofline,
    ),
    "training": (
        partial(speed.forest, kind="train"),
        scaling.break_even,
        partial(scaling.batches, kind="train"),
        partial(scaling.memory, kind="train"),
    ),
    "input": (partial(speed.forest, kind="input"), machine.waterfall),
    "serving": (partial(speed.forest, kind="serve"),),
    "controls": (
        partial(speed.launches, kind="infer"),
        partial(speed.launches, kind="train"),
        latency.warm_up,
    ),
}
"""Section of the report → its plots; a plot that a run has no data for is left out."""


def draw(facts: Facts, folder: Path) -> dict[str, list[Plot]]:
    """Draw every plot that the run has data for into a folder, as PNG and SVG.

    Returns:
        The plots by section of the report.
    """
    folder.mkdir(exist_ok=True)
    for old in (*folder.glob("*.png"), *folder.glob("*.svg")):
        old.unlink()  # of an earlier report with other data
    jobs = [(section, make) for section, makers in ALL.items() for make in makers]
    drawn: dict[str, list[Plot]] = {}
    for (section, _), plot in zip(
        jobs, _all([make for _, make in jobs], facts, folder), strict=True
    ):
        if plot is not None:
            drawn.setdefault(section, []).append(plot)
    return drawn


def _all(makers: Sequence[Maker], facts: Facts, folder: Path) -> list[Plot | None]:
    """The plots in order, by as many processes as there are cores, at most four."""
    workers = min(4, os.cpu_count() or 1)
    _ = facts.all  # once here, and not once in each process
    if workers == 1 or "fork" not in multiprocessing.get_all_start_methods():
        return [_one(make, facts, folder) for make in makers]
    with ProcessPoolExecutor(
        workers, multiprocessing.get_context("fork"), _begin, (os.getpid(), makers, facts, folder)
    ) as executor:
        return list(executor.map(_by_number, range(len(makers))))


def _one(make: Maker, facts: Facts, folder: Path) -> Plot | None:
    with styled():
        drawing = make(facts)
    return None if drawing is None else save(drawing, folder)


_inherited: tuple[Sequence[Maker], Facts, Path]
"""In a drawing process: what it was forked with, so that nothing is copied by messages."""


def _begin(parent: int, *what: Any) -> None:
    global _inherited
    die_with_parent(parent)  # or it would wait for the next plot, where that was killed
    _inherited = what


def _by_number(number: int) -> Plot | None:
    makers, facts, folder = _inherited
    return _one(makers[number], facts, folder)
