"""How all plots look, and how they become files that are the same each time."""

from __future__ import annotations

import io
import re
import textwrap
import warnings
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from bench.results.files import replace_bytes
from bench.results.store import Run
from reports.facts import figures
from reports.plots.drawn import GRID, INK, MUTED, PAPER, Plot

WIDTH_IN = 8.0
DPI = 120
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7A5195")
"""Okabe and Ito's colours, which people with any colour vision can distinguish, without yellow."""
MARKERS = ("o", "s", "D", "^", "v", "P", "X")
"""Beside the colour, so that a plot can be read in grey."""
NAMES = {"infer": "Inference", "train": "Training", "input": "Input", "serve": "Serving"}
"""Kinds of paths, as titles begin."""
CHARACTER_IN = 0.072
"""Width of a character of the labels, to leave room for the longest."""

_STYLE: dict[str, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "text.color": INK,
    "text.parse_math": False,  # a `$` in a scenario's name is a `$`
    "axes.edgecolor": GRID,
    "axes.labelcolor": MUTED,
    "axes.labelsize": 9,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "figure.facecolor": PAPER,
    "axes.facecolor": PAPER,
    "svg.fonttype": "none",  # text stays text: small files, and it can be searched and selected
}


def styled(salt: str = "") -> AbstractContextManager[None]:
    """Matplotlib's settings while a plot is drawn or saved; salt makes an SVG's ids its own."""
    settings: Any = _STYLE | {"svg.hashsalt": salt}
    return mpl.rc_context(settings)


@dataclass(frozen=True)
class Drawing:
    """A plot before it is a file."""

    name: str
    title: str
    """Its finding."""
    figure: Figure


def canvas(
    title: str,
    source: str,
    height_in: float,
    left_in: float = 0.9,
    right_in: float = 0.3,
    columns: int = 1,
    bottom_in: float = 0.95,
    legend: bool = False,
) -> tuple[Figure, list[Axes]]:
    """A figure with its finding on top and its source below, and the axes in between."""
    lines = textwrap.wrap(title, 84) or [""]
    top_in = 0.28 + 0.2 * len(lines) + (0.2 if legend else 0.0)
    height_in += top_in
    figure = Figure(figsize=(WIDTH_IN, height_in))
    axes = list(figure.subplots(1, columns, squeeze=False)[0])
    figure.subplots_adjust(
        left=left_in / WIDTH_IN,
        right=1 - right_in / WIDTH_IN,
        top=1 - top_in / height_in,
        bottom=bottom_in / height_in,
        wspace=0.3,
    )
    x = 0.12 / WIDTH_IN
    figure.text(x, 1 - 0.12 / height_in, "\n".join(lines), size=11.5, weight="bold", va="top")
    figure.text(x, 0.12 / height_in, source, size=7.5, color=MUTED, va="bottom")
    return figure, axes


def legend_above(ax: Axes) -> None:
    """The legend in a line between the title and the axes."""
    ax.legend(
        loc="lower right",
        bbox_to_anchor=(1.0, 1.0),
        ncols=5,
        borderaxespad=0.1,
        handletextpad=0.4,
        columnspacing=1.2,
    )


def source(run: Run, *remarks: str) -> str:
    """The line below each plot: what is shown, and from which run."""
    return textwrap.fill(" · ".join([*remarks, f"run {run.name}"]), 125)


def label_room(labels: list[str], least: float = 0.9, most: float = 3.2) -> float:
    """Inches that the longest label takes, within bounds."""
    longest = max((len(x) for x in labels), default=0)
    return min(max(least, longest * CHARACTER_IN + 0.3), most)


def shortened(label: str, most: int = 38) -> str:
    """A label that fits: its middle is left out where it is too long."""
    flat = " ".join(label.split())
    if len(flat) <= most:
        return flat
    half = (most - 1) // 2
    return f"{flat[:half]}…{flat[-half:]}"


def factor_axis(axis: Any) -> None:
    """A logarithmic axis of factors with plain numbers: 0.5×, 1×, 2×, 10×."""
    _log_axis(axis, lambda x, _: f"{x:g}×")


def time_axis(axis: Any, log: bool = True) -> None:
    """An axis of times in ns, labelled in the unit that fits."""
    _axis(axis, lambda x, _: _short_unit(figures.duration(x, abs(x) * 0.02)), log)


def size_axis(axis: Any, log: bool = True) -> None:
    """An axis of bytes."""
    _axis(axis, lambda x, _: _short_unit(figures.size(x)), log)


def count_axis(axis: Any) -> None:
    """A logarithmic axis of counts and rates: 2 k, 50 M."""
    _axis(axis, lambda x, _: _short_unit(figures.count(x) if x >= 1 else f"{x:g}"), True)


def _axis(axis: Any, form: Any, log: bool) -> None:
    if log:
        _log_axis(axis, form)
    else:
        axis.set_major_formatter(FuncFormatter(form))


def _short_unit(text: str) -> str:
    return re.sub(r"(\.\d*?)0+(?=\D|$)", r"\1", text).replace(". ", " ").rstrip(".")


def _log_axis(axis: Any, form: Any) -> None:
    low, high = sorted(axis.get_view_interval())
    decades = high / low if low > 0 else 10.0
    subs = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0) if decades < 4 else (1.0, 2.0, 5.0)
    axis.set_major_locator(LogLocator(base=10, subs=subs if decades < 300 else (1.0,)))
    axis.set_major_formatter(FuncFormatter(form))
    axis.set_minor_formatter(NullFormatter())
    axis.set_minor_locator(LogLocator(base=10, subs=()))


def save(drawing: Drawing, folder: Path) -> Plot:
    """Write PNG and SVG with the same bytes each time: no dates, ids from the plot's name."""
    png, svg = folder / f"{drawing.name}.png", folder / f"{drawing.name}.svg"
    with styled(salt=drawing.name), warnings.catch_warnings():
        # A name in a script that the font lacks: boxes in the PNG, the text itself in the SVG.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        FigureCanvasSVG(drawing.figure)
        _write(drawing, svg, metadata={"Date": None})
        FigureCanvasAgg(drawing.figure)
        fast = {"compress_level": 4}  # a third larger than the default's, in a third of the time
        _write(drawing, png, dpi=DPI, metadata={"Software": None}, pil_kwargs=fast)
    return Plot(drawing.name, drawing.title, png, svg)


def _write(drawing: Drawing, path: Path, **options: Any) -> None:
    made = io.BytesIO()
    drawing.figure.savefig(made, format=path.suffix[1:], **options)
    replace_bytes(path, made.getvalue())
