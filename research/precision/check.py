"""`nox -s precision -- --check`: whether tfbench is as precise as docs/precision.json says.

Ten minutes of identical and of slowed members, decided by the guard's rule. It ends with 0 where
the precision holds, with 1 where there was a false alarm or effects scatter too much, and with 3
where too little was measured to tell.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from bench.results.errors import TfbenchError, UsageError
from bench.sweep.discovery import ROOT, discover
from bench.sweep.environment import fingerprint, git_state
from research.precision.cases import Case, cases
from research.precision.counts import alarm_counts, guarded_counts, power, spread
from research.precision.decisions import Block, blocks
from research.precision.ours import Ours
from research.precision.records import Records

CHECKED = ("LiteRT int8", "tf.function inference", "tf.function training")
"""Kinds of cases that are measured, in `cpu-1`."""
EFFECT = 0.02
BUDGET_S = 570.0
"""Leaves half a minute of ten for what starts and ends around it."""
WIDER = 1.5
"""Most that an effect's sd may exceed the page's, as a factor."""
LEAST_BLOCKS = 4
"""Blocks of a case from which its sd can be judged: 16 independent contrasts, of which 1.5 times
the sd is exceeded by chance in 3 of 1,000 (chi-square)."""


@dataclass(frozen=True)
class Found:
    """What was measured of one case."""

    kind: str
    blocks: int
    """Each of six launches of a group."""
    comparisons: int
    """Of identical members, by the guard's rule with six launches a stage."""
    false_alarms: int
    comparisons_going_on: int
    """The same where each stage goes on until its evidence is sharp enough, as the guard does."""
    false_alarms_going_on: int
    sd: float
    """Of the effect of six launches about what was injected, a share."""
    page_sd: float
    """The same in docs/precision.json."""
    injected: float
    estimated: float
    """Mean estimate of the injected share."""
    decisions: int
    """On the injected share, with six launches a stage."""
    called: int
    decisions_going_on: int
    called_going_on: int
    launches_going_on: float
    """Launches that such a decision took."""

    @property
    def alarms(self) -> int:
        """False alarms of both ways to decide."""
        return self.false_alarms + self.false_alarms_going_on

    @property
    def too_wide(self) -> bool:
        """Whether effects scatter more than is allowed; False while there are too few."""
        return self.enough and self.sd > WIDER * self.page_sd

    @property
    def enough(self) -> bool:
        """Whether there are launches enough to judge the sd."""
        return self.blocks >= LEAST_BLOCKS


def check(out: Path, budget_s: float, cache: str, reference: Path) -> int:
    """Measure, print and write what was found; returns the exit code.

    Args:
        out: The JSON file of the result; the launches go to a file beside it.
        budget_s: Time to measure, s.
        cache: Folder of trained models.
        reference: `docs/precision.json`.

    Raises:
        UsageError: The reference lacks one of the cases.
    """
    pages = page_sds(reference)
    begun = time.time()
    machine = fingerprint()
    records = Records(out.with_suffix(".jsonl"), {"session": begun, "cpu": machine["cpu"]})
    records.path.unlink(missing_ok=True)  # launches of an earlier check are not this one's
    failed = measure(records, budget_s, cache)
    done = blocks(records)
    found = [judge(kind, [b for b in done if b.kind == kind], pages[kind]) for kind in CHECKED]
    code = verdict(found)
    result = {
        "begun": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(begun)),
        "seconds": round(time.time() - begun, 1), "cpu": machine["cpu"], "cores": machine["cores"],
        "git": git_state(ROOT), "exit_code": code, "failed": failed, "wider_allowed": WIDER,
        "cases": [_known(asdict(each)) for each in found],
    }  # fmt: skip
    out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print("\n".join([*lines(found), *failed, f"{VERDICTS[code]}; {out}"]))
    return code


def page_sds(reference: Path) -> dict[str, float]:
    """The sd of an effect of each checked case, a share.

    Raises:
        UsageError: The file is missing or lacks a case.
    """
    try:
        page = json.loads(reference.read_text(encoding="utf-8"))
        held = {each["kind"]: float(each["sd_of_an_effect"]) for each in page["cases"]
                if each["case"] in {case.name for case in _cases()}}  # fmt: skip
        return {kind: held[kind] for kind in CHECKED}
    except (OSError, ValueError, KeyError) as error:
        raise UsageError(
            f"{reference} holds no sd to compare with ({error}): "
            "git checkout it, or write it anew by `nox -s precision`"
        ) from None


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
            try:
                ours.block(case)
            except TfbenchError as error:
                waiting.remove(case)
                failed.append(str(error))
            took[case.name] = time.monotonic() - begun
            print(f"{max(0.0, end - time.monotonic()):4.0f} s left  {case.kind}", flush=True)
    finally:
        ours.close()
    return failed


def _cases() -> list[Case]:
    """The page's cases with one injected effect; half as many blocks are made without a pause."""
    at_once = min(2, len(os.sched_getaffinity(0)))
    return [
        replace(case, effects=(EFFECT,), at_once=at_once)
        for case in cases(discover())
        if case.kind in CHECKED
        and (case.configuration, case.noise, case.injection) == ("cpu-1", "quiet", "turn spin")
    ]


def judge(kind: str, done: Sequence[Block], page_sd: float) -> Found:
    """What one case's blocks say."""
    _, alarms, comparisons, _ = alarm_counts(done)
    alarms_on, comparisons_on, _, _ = guarded_counts(done, 0.0, default=True)
    called, decisions, _ = power(done, EFFECT)
    called_on, decisions_on, _, launches = guarded_counts(done, EFFECT)
    pairs = [pair for block in done for pair in block.pairs]
    slowed = [math.expm1(pair.estimate.value) for pair in pairs if pair.effect == EFFECT]
    return Found(
        kind, len(done), comparisons, alarms, comparisons_on, alarms_on, spread(pairs), page_sd,
        EFFECT, sum(slowed) / len(slowed) if slowed else math.nan,
        decisions, called, decisions_on, called_on, launches,
    )  # fmt: skip


VERDICTS: Mapping[int, str] = {
    0: "holds: no false alarm, and no sd wider than allowed",
    1: "does not hold: a false alarm, or an sd wider than allowed",
    3: f"cannot tell: fewer than {LEAST_BLOCKS} blocks of a case; give it more time (--budget)",
}


def verdict(found: Sequence[Found]) -> int:
    """The exit code."""
    if any(each.alarms or each.too_wide for each in found):
        return 1
    return 0 if all(each.enough for each in found) else 3


def lines(found: Iterable[Found]) -> list[str]:
    """A few lines for people, a case each."""
    return [
        f"{each.kind}, cpu-1: {each.blocks} blocks; "
        f"identical: {each.false_alarms} false alarms of {each.comparisons} comparisons, "
        f"{each.false_alarms_going_on} of {each.comparisons_going_on} going on as the guard does; "
        f"sd of an effect {_percent(each.sd)} (page {_percent(each.page_sd)}, "
        f"{each.sd / each.page_sd:.2f} times); "
        f"injected {each.injected:.0%}: estimated {_percent(each.estimated)}, "
        f"called slower {each.called} of {each.decisions} with 6 launches a stage, "
        f"{each.called_going_on} of {each.decisions_going_on} going on"
        for each in found
    ]


def _known(values: dict[str, object]) -> dict[str, object]:
    """None for what nothing was measured of: JSON has no NaN."""
    return {key: None if value != value else value for key, value in values.items()}


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"


def default_out() -> Path:
    """Where a result goes unless `--out` says otherwise."""
    return Path("runs") / f"precision-check-{time.strftime('%Y%m%dT%H%M%S')}.json"
