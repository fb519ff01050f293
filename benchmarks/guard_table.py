"""What the guard found of planted changes: the results of `guard_experiment`, of all machines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from bench.results.statistics import clopper_pearson
from benchmarks.plants import SUITE, sharing

RULES = ("mean:5%", "min:5%")
WHAT = {
    "same": "nothing changed (false alarms)",
    "core-2": "2 % slower in the shared core",
    "one-2": "2 % slower in one scenario",
    "core-5": "5 % slower in the shared core",
    "one-5": "5 % slower in one scenario",
    "memory": "peak memory +10 %",
    "retrace": "one more retrace",
    "size": "model 1 % larger",
    "accuracy": "accuracy −2 points",
}
KEPT = ("kind", "number", "commit", "cpu", "started", "seconds", "stolen", "exit_code", "found",
        "alarms", "verdicts", "rivals")  # fmt: skip
"""Of a case; each judgement's figures stay in the experiment's folder."""


def results(folder: Path) -> Iterator[dict[str, Any]]:
    """The cases that are done."""
    yield from _lines(folder / "results.jsonl")


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    if file.exists():
        for line in file.read_text(encoding="utf-8").splitlines():
            yield json.loads(line)


def keep(folder: Path | None, kept: Path) -> list[dict[str, Any]]:
    """Add a folder's cases to a file of those of earlier machines and versions; all of them."""
    known = list(_lines(kept))
    seen = {_named(case) for case in known}
    new = [] if folder is None else [c for c in results(folder) if _named(c) not in seen]
    found = known + [{key: case.get(key) for key in KEPT} for case in new]
    if new:
        text = "".join(f"{json.dumps(case)}\n" for case in found)
        kept.write_text(text, encoding="utf-8")
    return found


def _named(case: dict[str, Any]) -> tuple[Any, ...]:
    return case["kind"], case["number"], case["commit"], case["started"]


def table(found: Iterable[dict[str, Any]]) -> str:
    """The cases as Markdown, with exact intervals: by machine and version of the guard, and all."""
    lines = [
        "| change | machine | the guard's version | found | 95 % interval | seconds | "
        "taken by other tenants | pytest-benchmark mean:5% | min:5% |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    cases = sorted(found, key=lambda case: case["started"])
    for kind in WHAT:
        of_kind = [case for case in cases if case["kind"] == kind]
        places = list(dict.fromkeys(map(_place, of_kind)))
        for place in places:
            lines.append(_row(kind, *place, [c for c in of_kind if _place(c) == place]))
        if len(places) > 1:
            lines.append(_row(kind, "all", "all", of_kind))
    return "\n".join(lines)


def _place(case: dict[str, Any]) -> tuple[str, str]:
    return case.get("cpu") or "–", case["commit"]


def _row(kind: str, machine: str, version: str, own: list[dict[str, Any]]) -> str:
    hits = sum(bool(r["alarms"]) if kind == "same" else r["found"] for r in own)
    low, high = clopper_pearson(hits, len(own))
    longest = max(r["seconds"] for r in own)
    shares = [r["stolen"] for r in own if r.get("stolen") is not None]
    rivals = [r["rivals"] for r in own if r["rivals"]]
    cells = [f"{sum(_failed(r, rule, kind, own) for r in rivals)} of {len(rivals)}"
             if rivals else "" for rule in RULES]  # fmt: skip
    taken = f"{min(shares):.1%} to {max(shares):.1%}" if shares else "–"
    return (
        f"| {WHAT[kind]} | {machine} | {version} | {hits} of {len(own)} | {low:.0%} to {high:.0%} "
        f"| ≤ {longest:.0f} | {taken} | {cells[0]} | {cells[1]} |"
    )


def _failed(result: dict[str, Any], rule: str, kind: str, own: list[dict[str, Any]]) -> bool:
    """Whether a rival's rule failed; in one scenario only a slowed scenario's test counts."""
    failed = result[rule]
    if not kind.startswith("one"):
        return bool(failed)
    number = next(r["number"] for r in own if r["rivals"] is result)
    slowed = sharing(SUITE[number % len(SUITE)])
    return any(f"[{id}]" in test for test in failed for id in slowed)
