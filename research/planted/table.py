"""What the guard found of planted changes: the results of `guard_experiment`, of all machines."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bench.results.errors import UsageError
from bench.results.statistics import clopper_pearson
from research.planted.plants import SUITE, sharing
from research.precision.records import Records

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
KEPT = ("kind", "number", "commit", "cpu", "budget_s", "started", "seconds", "stolen", "exit_code",
        "found", "alarms", "verdicts", "rivals")  # fmt: skip
"""Of a case; each judgement's figures stay in the experiment's folder."""


def results(folder: Path) -> Records:
    """The cases of an experiment's folder."""
    return Records(folder / "results.jsonl")


def keep(folder: Path | None, kept: Path) -> list[dict[str, Any]]:
    """Add a folder's cases to a file of those of earlier machines and versions; all of them.

    Raises:
        UsageError: The folder holds none.
    """
    cases = [] if folder is None else list(results(folder))
    if folder is not None and not cases:
        raise UsageError(f"{folder} holds no suites: run `python -m research.planted`")
    file = Records(kept)
    seen = {_named(case) for case in file}
    new = [case for case in cases if _named(case) not in seen]
    if new:
        file.append(*({key: case.get(key) for key in KEPT} for case in new))
    return list(file)


def _named(case: dict[str, Any]) -> tuple[Any, ...]:
    return case["kind"], case["number"], case["commit"], case["started"]


def table(found: Iterable[dict[str, Any]]) -> str:
    """The cases as Markdown, with exact intervals: by version of the guard, machine and budget.

    Those of one version are told together too, and those of all.
    """
    lines = [
        "| change | the guard's version | machine | budget | found | 95 % interval | seconds | "
        "taken by other tenants | pytest-benchmark mean:5% | min:5% |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    cases = sorted(found, key=lambda case: case["started"])
    for kind in WHAT:
        of_kind = [case for case in cases if case["kind"] == kind]
        versions = list(dict.fromkeys(case["commit"] for case in of_kind))
        for version in versions:
            own = [case for case in of_kind if case["commit"] == version]
            places = list(dict.fromkeys(map(_place, own)))
            for place in places:
                part = [case for case in own if _place(case) == place]
                lines.append(_row(kind, version, *place, part))
            if len(places) > 1:
                lines.append(_row(kind, version, "all", "all", own))
        if len(versions) > 1:
            lines.append(_row(kind, "all", "all", "all", of_kind))
    return "\n".join(lines)


def _place(case: dict[str, Any]) -> tuple[str, str]:
    budget = case.get("budget_s")
    return case.get("cpu") or "–", f"{budget} s" if budget else "–"


def _row(kind: str, version: str, machine: str, budget: str, own: list[dict[str, Any]]) -> str:
    hits = sum(bool(r["alarms"]) if kind == "same" else r["found"] for r in own)
    low, high = clopper_pearson(hits, len(own))
    longest = max(r["seconds"] for r in own)
    shares = [r["stolen"] for r in own if r.get("stolen") is not None]
    cells = []
    for rule in RULES:
        judged = [r for r in own if r["rivals"] and rule in r["rivals"]]
        failed = sum(_failed(r, rule) for r in judged)
        cells.append(f"{failed} of {len(judged)}" if judged else "")
    taken = f"{min(shares):.1%} to {max(shares):.1%}" if shares else "–"
    return (
        f"| {WHAT[kind]} | {version} | {machine} | {budget} | {hits} of {len(own)} "
        f"| {low:.0%} to {high:.0%} | ≤ {longest:.0f} | {taken} | {cells[0]} | {cells[1]} |"
    )


def _failed(case: dict[str, Any], rule: str) -> bool:
    """Whether a rival's rule failed; in one scenario only a slowed scenario's test counts."""
    failed = case["rivals"][rule]
    if not case["kind"].startswith("one"):
        return bool(failed)
    slowed = sharing(SUITE[case["number"] % len(SUITE)])
    return any(f"[{id}]" in test for test in failed for id in slowed)
