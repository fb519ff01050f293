"""Plots once they are drawn: what a page is made of, wherever they were drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

INK, MUTED, GRID, PAPER = "#24292f", "#59636e", "#d8dee4", "#ffffff"
"""Colours in each SVG, for which a page puts those of its theme."""


@dataclass(frozen=True)
class Plot:
    """A plot that was written to the run's folder."""

    name: str
    title: str
    png: Path
    svg: Path


@dataclass(frozen=True)
class Charts:
    """The charts of a page, and the library that draws them."""

    specs: Mapping[str, str]
    """JSON of Vega-Lite by name of the plot that it stands for; safe inside a script element."""
    library: str
    """JavaScript that gives `vegaEmbed`; loads nothing."""


NONE = Charts({}, "")
