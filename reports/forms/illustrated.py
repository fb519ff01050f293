"""Contents with their plots, or with a line that says which extra draws them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from reports import plots
from reports.plots.drawn import Plot
from reports.tables.cells import Contents

Drawn = Mapping[str, Sequence[Plot]]
"""Plots by section."""


def illustrated(what: Contents, draw: Callable[[], Drawn]) -> tuple[Contents, Drawn]:
    """What a form shows, and its plots.

    Args:
        what: The form's contents.
        draw: Called where plots can be drawn; only then may it load their modules.
    """
    absent = plots.absence()
    if absent:
        return dataclasses.replace(what, opening=(*what.opening, absent)), {}
    return what, draw()


def files(drawn: Drawn) -> list[Path]:
    """The files of plots."""
    return [file for found in drawn.values() for plot in found for file in (plot.png, plot.svg)]
