"""Where labels go: along an axis of rows, at the ends of bars, beside points."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

from reports.plots.drawn import GRID, INK, MUTED, PAPER
from reports.plots.style import shortened


def rows_axis(ax: Axes, labels: Sequence[str]) -> None:
    """One row a label, the first on top."""
    ax.set_yticks(range(len(labels)), labels)
    ax.set_ylim(len(labels) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="y", visible=False)


def beside(ax: Axes, text: str, x: float, y: float, colour: str = MUTED) -> None:
    """A small text to the right of a point."""
    ax.annotate(
        text,
        (x, y),
        xytext=(4, 0),
        textcoords="offset points",
        va="center",
        size=7.5,
        color=colour,
    )


def name_points(ax: Axes, points: list[tuple[float, float, str]]) -> None:
    """Label points, each where its label hides least of what was placed before."""
    figure = ax.get_figure(root=True)
    assert figure is not None  # the axes were made on one
    width, height = figure.get_size_inches() * 72
    box = ax.get_position()
    alike = len({text.partition("/")[0] for _, _, text in points}) == 1
    taken: list[tuple[float, float, float, float]] = []
    spots = [ax.transData.transform((x, y)) * 72 / figure.dpi for x, y, _ in points]
    taken += [(sx - 4, sy - 4, sx + 4, sy + 4) for sx, sy in spots]
    for (sx, sy), (x, y, text) in zip(spots, points, strict=True):
        label = shortened((text.partition("/")[2] or text) if alike else text, 26)
        wide, high = len(label) * 4.4, 8.0
        best = None
        for dx, dy in _offsets(wide):
            area = (sx + dx, sy + dy - high / 2, sx + dx + wide, sy + dy + high / 2)
            outside = (
                max(0.0, box.x0 * width - area[0])
                + max(0.0, area[2] - width + 4)
                + 4 * max(0.0, box.y0 * height - area[1])
                + 4 * max(0.0, area[3] - box.y1 * height)
            )
            cost = sum(_overlap(area, other) for other in taken) + 20 * outside
            cost += 0.2 * (abs(dx) if dx > 0 else abs(dx + wide)) + 0.3 * abs(dy)
            if best is None or cost < best[0]:
                best = (cost, dx, dy, area)
        assert best is not None  # there is at least one offset
        taken.append(best[3])
        far = abs(best[2]) > 14
        ax.annotate(
            label,
            (x, y),
            xytext=(best[1], best[2]),
            textcoords="offset points",
            size=7.5,
            color=INK,
            va="center",
            arrowprops={"arrowstyle": "-", "color": GRID, "linewidth": 0.8} if far else None,
            bbox={"facecolor": PAPER, "edgecolor": "none", "alpha": 0.75, "pad": 0.6},
        )


def _offsets(wide: float) -> list[tuple[float, float]]:
    steps = [0.0]
    for k in range(1, 13):
        steps += [k * 9.0, k * -9.0]
    return [(dx, dy) for dy in steps for dx in (8.0, -8.0 - wide, -wide / 2)]


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> float:
    wide = min(a[2], b[2]) - max(a[0], b[0])
    high = min(a[3], b[3]) - max(a[1], b[1])
    return wide * high if wide > 0 and high > 0 else 0.0
