"""The page's numbers for programs: `precision.json`, which `--check` compares with."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from research.precision.counts import rms, session_spreads, spread
from research.precision.decisions import Block, by_case


def write(done: Sequence[Block], path: Path) -> None:
    """Write what was measured of each case.

    Args:
        done: Whole blocks of all machines.
        path: The file.
    """
    text = json.dumps({"schema": 1, "cases": numbers(done)}, indent=1)
    path.write_text(text + "\n", encoding="utf-8")


def numbers(done: Sequence[Block]) -> list[dict[str, object]]:
    """Of each case: what was measured, and how exact one effect is (shares, seconds)."""
    found: list[dict[str, object]] = []
    for (kind, configuration, noise, injection), alike in by_case(done).items():
        pairs = [p for b in alike for p in b.pairs]
        sessions = session_spreads(alike, len(alike[0].launches))
        found.append({
            "case": f"{kind}@{configuration}/{noise}/{injection}", "kind": kind,
            "configuration": configuration, "load": noise, "injected_by": injection,
            "machines": len({b.cpu for b in alike}), "blocks": len(alike),
            "launches": sum(len(b.launches) for b in alike),
            "first": _day(min(b.session for b in alike)),
            "last": _day(max(b.session for b in alike)),
            "machine_time_of_a_candidate_s": round(median(b.wall_s / b.members for b in alike), 2),
            "sd_of_a_launch": round(rms([v - p.truth for p in pairs for v in p.values]), 6),
            "sd_of_an_effect": round(spread(pairs), 6),
            "sd_by_session": [round(sessions[0], 6), round(sessions[-1], 6)],
        })  # fmt: skip
    return found


def _day(seconds: float) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(seconds))
