"""`python -m research.minutes FOLDER`: a quick run with an empty cache and one with a full one.

Says when the reference guide's effect table was there, with intervals that a reader can use, and
what the whole run took, by parts.
"""

from __future__ import annotations

import argparse
import math
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.results.effects import Effects
from bench.results.store import Run, read_run
from bench.results.values import Effect, Launch
from bench.sweep.discovery import ROOT
from bench.sweep.stopping import LARGE, ROUGH, ROUGH_LARGE


def ended_s(launch: Launch) -> float:
    """When a launch ended, Unix time."""
    return launch.started_s + launch.wall_s


def narrow(row: Effect) -> bool:
    """Whether a row's interval is one that a reader can use."""
    if row.status != "ok" or row.speedup is None:
        return True
    if not row.speedup_low or not row.speedup_high:
        return False
    half_width = math.log(row.speedup_high / row.speedup_low) / 2
    return half_width <= (ROUGH_LARGE if row.speedup > LARGE else ROUGH)


def table_s(run: Run) -> float | None:
    """Seconds after the start at which the effect table was there; None: it never was."""
    first = {s.id for s in run.scenarios.values() if s.first}
    ordered = sorted(run.launches, key=ended_s)
    for count in range(1, len(ordered) + 1):
        if ordered[count - 1].purpose != "timing":
            continue
        rows = {r.scenario: r for r in Effects(ordered[:count], run.scenarios).rows}
        known = all(id in rows and "no launch" not in rows[id].reason for id in first)
        if known and all(narrow(rows[id]) for id in first):
            return ended_s(ordered[count - 1]) - float(run.facts["started"])
    return None


def parts_s(launches: Sequence[Launch]) -> Mapping[str, float]:
    """Wall time of probes, as if one after the other, and of groups, by kind of scenario."""
    found: dict[str, float] = {}
    for each in launches:
        if each.purpose == "probe":
            key = f"probes of {each.scenario.partition('/')[0]}"
            found[key] = found.get(key, 0.0) + each.wall_s
    for group, _, wall_s in dict.fromkeys(
        (x.group, x.index, x.wall_s) for x in launches if x.group
    ):
        key = f"groups of {group.partition('/')[0]}"
        found[key] = found.get(key, 0.0) + wall_s
    return found


def slowest(launches: Sequence[Launch], count: int = 5) -> list[tuple[float, str]]:
    """The probes that took longest."""
    probes = [(x.wall_s, x.scenario) for x in launches if x.purpose == "probe"]
    return sorted(probes, reverse=True)[:count]


def told(run: Run) -> list[str]:
    """What a run took, in lines."""
    table = table_s(run)
    total = float(run.facts["ended"]) - float(run.facts["started"])
    widths = sorted(
        math.log(r.speedup_high / r.speedup_low) / 2 for r in run.effects.rows
        if r.speedup_low and r.speedup_high
    )  # fmt: skip
    return [
        f"effect table: {'never' if table is None else f'{table:.0f} s'}; whole: {total:.0f} s",
        f"half-widths: median {widths[len(widths) // 2]:.1%}, largest {widths[-1]:.1%}",
        *(f"{name}: {seconds:.0f} s" for name, seconds in parts_s(run.launches).items()),
        *(f"slow probe: {id} {seconds:.0f} s" for seconds, id in slowest(run.launches)),
    ]


def main() -> None:
    """Measure twice, or say what stored runs took."""
    parser = argparse.ArgumentParser(prog="research.minutes")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--configuration", default="cpu-all")
    parser.add_argument("--times", type=int, default=2)
    options = parser.parse_args()
    for name in ("empty", "cached")[: options.times]:
        out = options.folder / name
        if not (out / "run.json").exists():
            command = [
                sys.executable, "-m", "tfbench", "run", "--profile", "quick", "--out", str(out),
                "--configuration", options.configuration, "--cache", str(options.folder / "cache"),
            ]  # fmt: skip
            subprocess.run(command, cwd=ROOT, check=False)
        print(f"{name}:", *told(read_run(out)), sep="\n  ")


if __name__ == "__main__":
    main()
