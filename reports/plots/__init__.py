"""The plots of a report, each with its finding as its title."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from reports.measured import Facts
from reports.plots import latency, machine, scaling, speed, tradeoff
from reports.plots.style import Drawing, Plot, save, styled

ALL: dict[str, tuple[Callable[[Facts], Drawing | None], ...]] = {
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
    drawn: dict[str, list[Plot]] = {}
    for section, makers in ALL.items():
        for make in makers:
            with styled():
                drawing = make(facts)
            if drawing is not None:
                drawn.setdefault(section, []).append(save(drawing, folder))
    return drawn
