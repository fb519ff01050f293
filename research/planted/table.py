"""What the guard found of planted changes, beside pytest-benchmark on the same steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.results.errors import UsageError
from bench.results.statistics import clopper_pearson
from research.planted.plants import SUITE, sharing
from research.precision.records import Records

RULES = ("mean:5%", "min:5%")
WHAT = {
    "same": "nothing (false alarms)",
    "2": "2 % slower",
    "5": "5 % slower",
    "10": "10 % slower",
    "core-2": "2 % slower shared core",
    "one-2": "2 % slower scenario",
    "core-5": "5 % slower shared core",
    "one-5": "5 % slower scenario",
    "memory": "peak memory +10 %",
    "retrace": "one more retrace",
    "size": "model 1 % larger",
    "accuracy": "accuracy −2 points",
}


def results(folder: Path) -> Records:
    """The cases of an experiment's folder."""
    return Records(folder / "results.jsonl")


def summary(folder: Path) -> list[dict[str, Any]]:
    """Of each kind of change: how often it was found, of all machines and versions.

    Raises:
        UsageError: The folder holds no case.
    """
    cases = list(results(folder))
    if not cases:
        raise UsageError(f"{folder} holds no suites: run `python -m research.planted --out FOLDER`")
    return counted(cases)


def counted(cases: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Of each kind of change among these: how often it was found."""
    return [_found(kind, own) for kind in WHAT
            if (own := [case for case in cases if case["kind"] == kind])]  # fmt: skip


def _found(kind: str, own: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    hits = sum(bool(case["alarms"]) if kind == "same" else case["found"] for case in own)
    low, high = clopper_pearson(hits, len(own))
    rules: dict[str, Any] = {}
    for rule in RULES:
        judged = [case for case in own if case["rivals"] and rule in case["rivals"]]
        rules[rule] = [sum(_failed(case, rule) for case in judged), len(judged)]
    return {"change": WHAT[kind], "found": hits, "of": len(own), "low": low, "high": high,
            "longest_s": max(case["seconds"] for case in own), **rules}  # fmt: skip


def _failed(case: Mapping[str, Any], rule: str) -> bool:
    """Whether a rival's rule failed; in one scenario only a slowed scenario's test counts."""
    failed = case["rivals"][rule]
    if not case["kind"].startswith("one"):
        return bool(failed)
    slowed = sharing(SUITE[case["number"] % len(SUITE)])
    return any(f"[{id}]" in test for test in failed for id in slowed)


HEAD = ("change", "found", "95 % interval", *(f"pytest-benchmark {rule}" for rule in RULES))


def rows(found: Iterable[dict[str, Any]]) -> list[tuple[str, ...]]:
    """Cells of a table under `HEAD`."""
    return [
        (
            one["change"],
            f"{one['found']}/{one['of']}",
            f"{100 * one['low']:.0f}–{100 * one['high']:.0f} %",
            *("/".join(map(str, one[rule])) if one[rule][1] else "–" for rule in RULES),
        )
        for one in found
    ]
