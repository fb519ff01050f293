"""`nox -s precision -- --check`: whether tfbench is as precise as docs/precision.json says.

Ten minutes of identical and of slowed members, decided by the guard's rule. It ends with 0 where
the precision holds, with 1 after a false alarm or where effects scatter too much, or else with 3.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean

from bench.results.errors import TfbenchError, UsageError
from bench.sweep.discovery import ROOT, discover
from bench.sweep.environment import fingerprint, git_state
from research.precision.cases import Case, cases
from research.precision.counts import called, spread
from research.precision.decisions import Block, blocks
from research.precision.facts import Facts, percent
from research.precision.ours import Ours
from research.precision.records import Records

CHECKED = ("LiteRT int8", "tf.function inference", "tf.function training")
"""Kinds of cases that are measured, in `cpu-1`."""
EFFECT = 0.02
WIDER = 1.5
"""Most that an effect's sd may exceed the page's, as a factor."""
LEAST_BLOCKS = 4
"""Of a case, to judge its sd: of 16 contrasts, 1.5 times the sd comes by chance in 3 of 1,000."""
VERDICTS = {
    0: "holds: no false alarm, and no sd wider than allowed",
    1: "does not hold: a false alarm, or an sd wider than allowed",
    3: f"cannot tell: fewer than {LEAST_BLOCKS} blocks of a case; give it more time (--budget)",
}


def check(out: Path | None, budget_s: float, cache: str, reference: Path) -> int:
    """Measure, print and write what was found; returns the exit code.

    Args:
        out: The JSON file of the result; the launches go to a file beside it. None: into `runs`.
        budget_s: Time to measure, s.
        cache: Folder of trained models.
        reference: `docs/precision.json`.

    Raises:
        UsageError: The reference lacks one of the cases.
    """
    sds, begun, machine = page_sds(reference), time.time(), fingerprint()
    out = out or Path(f"runs/precision-check-{time.strftime('%Y%m%dT%H%M%S')}.json")
    records = Records(out.with_suffix(".jsonl"), {"session": begun, "cpu": machine["cpu"]})
    records.path.unlink(missing_ok=True)  # launches of an earlier check are not this one's
    failed = measure(records, budget_s, cache)
    done = blocks(records)
    found = [judge(kind, [b for b in done if b.kind == kind], sds[kind]) for kind in CHECKED]
    code = verdict(found)
    result = {
        "begun": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(begun)),
        "seconds": round(time.time() - begun, 1), "cpu": machine["cpu"], "git": git_state(ROOT),
        "exit_code": code, "failed": failed, "cases": found,
    }  # fmt: skip
    out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(*map(text, found), *failed, f"{VERDICTS[code]}; {out}", sep="\n")
    return code


def page_sds(reference: Path) -> dict[str, float]:
    """The sd of an effect of each checked case, a share.

    Raises:
        UsageError: The file is missing or lacks a case.
    """
    try:
        page = json.loads(reference.read_text(encoding="utf-8"))
        sds = {each["case"]: float(each["sd_of_an_effect"]) for each in page["cases"]}
        return {case.kind: sds[case.name] for case in _cases()}
    except (OSError, ValueError, KeyError) as error:
        raise UsageError(f"{reference} holds no sd to compare with ({error}): git checkout it, "
                         "or write it anew by `nox -s precision`") from None  # fmt: skip


def measure(records: Records, budget_s: float, cache: str) -> list[str]:
    """Make blocks of all cases, the one with fewest first, while they fit; returns what failed."""
    end = time.monotonic() + budget_s
    ours = Ours(discover(), records, cache)
    took: dict[str, float] = {}
    waiting, failed = _cases(), []
    try:
        while fitting := [c for c in waiting if took.get(c.name, 0.0) < end - time.monotonic()]:
            case = min(fitting, key=lambda c: ours.done.get(c.name, 0))
            begun = time.monotonic()
            print(f"{end - begun:4.0f} s left  {case.kind}", flush=True)
            try:
                ours.block(case)
            except TfbenchError as error:
                waiting.remove(case)
                failed.append(str(error))
            took[case.name] = time.monotonic() - begun
    finally:
        ours.close()
    return failed


def _cases() -> list[Case]:
    """The page's cases with one injected effect; fewer blocks are made without a pause."""
    at_once = min(2, len(os.sched_getaffinity(0)))
    place = "cpu-1", "quiet", "busy-waiting"
    return [
        replace(case, effects=(EFFECT,), at_once=at_once) for case in cases(discover())
        if case.kind in CHECKED and (case.configuration, case.noise, case.injection) == place
    ]  # fmt: skip


def judge(kind: str, done: Sequence[Block], page_sd: float) -> Facts:
    """What one case's blocks say; counts are [hits, decisions]."""
    pairs = [pair for block in done for pair in block.pairs]
    slowed = [math.expm1(pair.estimate.value) for pair in pairs if pair.effect == EFFECT]

    def count(effect: float, go_on: bool) -> list[int]:
        found = called(done, effect, go_on)
        return [found.hits, found.of]

    return {
        "kind": kind, "blocks": len(done), "false_alarms": count(0.0, go_on=False),
        "false_alarms_going_on": count(0.0, go_on=True),
        "sd": spread(pairs) if pairs else None, "page_sd": page_sd,
        "injected": EFFECT, "estimated": fmean(slowed) if slowed else None,
        "found": count(EFFECT, go_on=False), "found_going_on": count(EFFECT, go_on=True),
    }  # fmt: skip


def verdict(found: Sequence[Facts]) -> int:
    """The exit code."""
    enough = [case for case in found if case["blocks"] >= LEAST_BLOCKS]
    alarm = any(case["false_alarms"][0] or case["false_alarms_going_on"][0] for case in found)
    if alarm or any(case["sd"] > WIDER * case["page_sd"] for case in enough):
        return 1
    return 0 if len(enough) == len(found) else 3


def text(case: Facts) -> str:
    """What was found, for people."""

    def of(name: str) -> str:
        return "{} of {}".format(*case[name])

    def share(name: str) -> str:
        return percent(case[name]) if case[name] is not None else "not measured"

    return (
        f"{case['kind']}, cpu-1, {case['blocks']} blocks\n"
        f"  identical: {of('false_alarms')} false alarms with six launches a stage, "
        f"{of('false_alarms_going_on')} going on as the guard does\n"
        f"  sd of an effect: {share('sd')}; docs/precision.json: {share('page_sd')}\n"
        f"  {share('injected')} injected: estimated {share('estimated')}; found {of('found')}, "
        f"going on {of('found_going_on')}"
    )
