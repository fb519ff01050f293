"""A folder of many runs as trend lines, with changes of level found and dated."""

from __future__ import annotations

import csv
import json
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from bench.results.errors import UsageError
from bench.results.store import SCHEMA, replace_text
from reports.facts.levels import Change, History, Line, Past, change_points
from reports.forms import html, markdown
from reports.plots import trend
from reports.plots.style import save, styled
from reports.tables.environments import equality
from reports.tables.history_tables import contents


def write_history(folder: Path, out: Path, every_environment: bool = False) -> list[Path]:
    """Write history.md, history.html, history.csv and plots/ of a folder of runs.

    Args:
        folder: Holds the runs' folders.
        out: Where to; made where it does not exist.
        every_environment: Put runs of unequal environments on one line, too.

    Returns:
        The files written.

    Raises:
        UsageError: The folder holds no run.
    """
    found = history(folder, every_environment)
    out.mkdir(parents=True, exist_ok=True)
    (out / "plots").mkdir(exist_ok=True)
    what = contents(found)
    with styled():
        drawings = [d for metric in ("speed-up", "time") if (d := trend.lines(found, metric))]
    plots = {"changes": [save(drawing, out / "plots") for drawing in drawings]}
    replace_text(out / "history.md", markdown.render(what, plots))
    replace_text(out / "history.html", html.render(what, plots, []))
    _write_csv(out / "history.csv", found)
    files = [out / f"history.{ending}" for ending in ("md", "html", "csv")]
    return files + [f for p in plots["changes"] for f in (p.png, p.svg)]


def history(folder: Path, every_environment: bool = False) -> History:
    """Read all runs below a folder; keep those whose environment equals the newest one's.

    Raises:
        UsageError: There is none.
    """
    paths = sorted(folder.glob("*/run.json"))
    loaded = [_past(path.parent) for path in paths]
    runs = sorted((p for p in loaded if p is not None), key=lambda p: (p.started_s, p.name))
    if not runs:
        raise UsageError(f"{folder} holds no runs: give the folder that holds the runs' folders")
    kept = runs if every_environment else [p for p in runs if p.key == runs[-1].key]
    return History(tuple(kept), len(runs) - len(kept), len(paths) - len(runs), tuple(_lines(kept)))


def _past(folder: Path) -> Past | None:
    try:
        facts = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        if facts.get("schema", 0) > SCHEMA:
            return None
        rows = dict(_rows(folder / "effects.csv"))
    except (OSError, ValueError, KeyError, AttributeError):
        return None
    return Past(folder.name, _seconds(facts.get("started")), equality(facts), rows)


def _rows(path: Path) -> Iterator[tuple[tuple[str, str], tuple[float | None, float | None]]]:
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["status"] == "ok":
                speed, time = row["speedup"], row["latency_ns"]
                yield (
                    (row["scenario"], row["configuration"]),
                    (float(speed) if speed else None, float(time) if time else None),
                )


def _lines(runs: Sequence[Past]) -> Iterator[Line]:
    keys = dict.fromkeys(key for run in runs for key in run.rows)
    counts = Counter(key for run in runs for key in run.rows)
    for key in keys:
        for place, metric in enumerate(("speed-up", "time")):
            points = [(r, v) for r in runs if key in r.rows and (v := r.rows[key][place])]
            if len(points) < 2 or counts[key] < 2:
                continue
            own, values = zip(*points, strict=True)
            yield Line(*key, metric, own, values, tuple(_found(key, metric, own, values)))


def _found(
    key: tuple[str, str], metric: str, runs: Sequence[Past], values: Sequence[float]
) -> Iterator[Change]:
    logs = np.log(np.asarray(values))
    edges = [0, *change_points(logs.tolist()), len(values)]
    for before, at, after in zip(edges, edges[1:], edges[2:], strict=False):
        yield Change(
            *key,
            metric,
            runs[at].name,
            runs[at].started_s,
            math.exp(float(np.median(logs[before:at]))),
            math.exp(float(np.median(logs[at:after]))),
            at,
        )


def _write_csv(path: Path, found: History) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(
            ["scenario", "configuration", "figure", "run", "started", "value", "changed"]
        )
        for line in found.lines:
            starts = {c.index for c in line.changes}
            for index, (run, value) in enumerate(zip(line.runs, line.values, strict=True)):
                writer.writerow(
                    [line.scenario, line.configuration, line.metric, run.name, run.started_s,
                     value, int(index in starts)]
                )  # fmt: skip


def _seconds(value: Any) -> float:
    if isinstance(value, (int, float)):
        return float(value)
    try:
        return datetime.fromisoformat(str(value)).timestamp()
    except ValueError:
        return 0.0
