"""One claim against what was found: it holds, does not hold, or cannot be decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from bench.bundle.claim import Claim, Form, Quality, Speed
from bench.bundle.measuring import Pair
from bench.results.tolerance import outputs_differ
from bench.results.values import Estimate

Verdict = Literal["holds", "does not hold", "cannot tell"]
HOLDS: Verdict = "holds"
FALSE: Verdict = "does not hold"
OPEN: Verdict = "cannot tell"
EXIT_CODES = {HOLDS: 0, FALSE: 1, OPEN: 3}
CONFIDENCE = 0.99
"""Of the intervals that decide: they are looked at several times."""
CONTROL_ALLOWANCE = 0.02
"""A baseline that differs from itself by more, beyond its noise, makes every speed doubtful."""
NO_WIDER = 2.0
"""A quality's interval that is wider than the claim's by this factor is too wide to confirm it."""


@dataclass(frozen=True)
class Check:
    """One of a bundle's promises, and what became of it."""

    what: str
    verdict: Verdict
    reason: str


def together(checks: Sequence[Check]) -> Verdict:
    """Of all promises: broken by one, open where one is, else kept."""
    for verdict in (FALSE, OPEN):
        if any(check.verdict == verdict for check in checks):
            return verdict
    return HOLDS if checks else OPEN


def files(
    claimed: Mapping[str, str], found: Mapping[str, str], models: Sequence[str] = ()
) -> Check:
    """The files are those of the claim, to the last bit.

    Args:
        claimed: Digest by place.
        found: The same of what is there.
        models: Places of models: nothing may have come into their folders. Beside them something
            may (Python's bytecode, say): no promise is about it.
    """
    changed = [name for name in claimed if name in found and found[name] != claimed[name]]
    lost, more = claimed.keys() - found.keys(), found.keys() - claimed.keys()
    added = [name for name in more if any(name.startswith(f"{place}/") for place in models)]
    said = [
        f"{', '.join(sorted(names))} {what}"
        for names, what in ((changed, "changed"), (lost, "missing"), (added, "not in the claim"))
        if names
    ]
    if said:
        return Check("files", FALSE, "; ".join(said))
    return Check("files", HOLDS, f"{len(claimed)} files have the digests of the claim")


def size(form: Form, found: int, whose: str = "the model") -> Check:
    """The size is exactly as claimed."""
    if found != form.size_bytes:
        reason = f"{whose} has {found:,} bytes; {form.size_bytes:,} were claimed"
        return Check("size", FALSE, reason)
    return Check("size", HOLDS, f"{whose} has {found:,} bytes")


def outputs(
    whose: str,
    found: Sequence[Sequence[float]],
    expected: Sequence[Sequence[float]],
    precision: str,
) -> Check:
    """The outputs on the samples are as recorded, within the precision of the arithmetic."""
    what = f"outputs of {whose}"
    if len(found) != len(expected):
        return Check(what, FALSE, f"{len(found)} outputs; {len(expected)} were recorded")
    for own, recorded in zip(found, expected, strict=True):
        differs = outputs_differ(own, recorded, precision)
        if differs:
            said = differs.replace("the baseline", "the recording")
            return Check(what, FALSE, f"not as in samples.npz: {said}")
    return Check(what, HOLDS, f"as in samples.npz, within {precision}")


def speed(claimed: Speed, pair: Pair | None, spent_s: float) -> Check:
    """The speed-up is at least the claim's lower end, less a tenth."""
    wanted = f"at least {claimed.promised:.2f}× was claimed"
    if pair is None or len(pair.effects) < 2:
        reason = f"{spent_s:.0f} s sufficed for no two launches: give more by --budget; {wanted}"
        return Check("speed", OPEN, reason)
    found, same = pair.speedup(CONFIDENCE), pair.control(CONFIDENCE)
    said = f"{found.value:.2f}× [{found.low:.2f}, {found.high:.2f}] measured here; {wanted}"
    if not _sound(same):
        reason = f"the baseline differs from itself by {same.value - 1:+.1%} here; {said}"
        return Check("speed", OPEN, reason)
    if found.low >= claimed.promised:
        return Check("speed", HOLDS, said)
    if found.high < claimed.promised:
        return Check("speed", FALSE, said)
    return Check("speed", OPEN, f"{said}: more launches are needed (--budget)")


def decided(claimed: Speed, pair: Pair) -> bool:
    """Whether further launches are needless."""
    return speed(claimed, pair, 0).verdict != OPEN


def quality(claimed: Quality, change: Estimate | None, data: str) -> Check:
    """Against the baseline nothing is lost beyond the claim's interval, by these data."""
    low, high, value = _ends(claimed)
    if low is None or high is None or value is None:
        return Check("quality", OPEN, "the claim says no change against the baseline")
    if change is None:
        reason = f"{data} give no {claimed.metric} of both: give data with the targets"
        return Check("quality", OPEN, reason)
    sign = 1 if claimed.larger_is_better else -1
    ends = sorted((sign * change.low, sign * change.high))
    said = (
        f"{claimed.metric} changes by {change.value:+.4g} [{change.low:+.4g}, {change.high:+.4g}] "
        f"on {data}; {claimed.change:+.4g} [{claimed.change_low:+.4g}, "
        f"{claimed.change_high:+.4g}] was claimed"
    )
    if ends[1] < low:
        return Check("quality", FALSE, said)
    if sign * change.value < low or ends[1] - ends[0] > NO_WIDER * (high - low):
        return Check("quality", OPEN, f"{said}: more data are needed")
    return Check("quality", HOLDS, said)


def level(claimed: Quality, found: float | None, data: str) -> Check | None:
    """On the claim's own data, the quality itself is as claimed, within its change's interval."""
    low, high, _ = _ends(claimed)
    if found is None or low is None or high is None:
        return None
    sign = 1 if claimed.larger_is_better else -1
    said = f"{claimed.metric} {found:.4g} on {data}; {claimed.value:.4g} was claimed"
    fine = sign * (found - claimed.value) >= -(high - low) / 2
    return Check("quality itself", HOLDS if fine else FALSE, said)


def unverified(claim: Claim) -> tuple[str, ...]:
    """What nothing was asked of."""
    if claim.quality is not None:
        return (f"quality ({claim.quality.metric}) was not measured: give data by --data",)
    return ()


def _ends(claimed: Quality) -> tuple[float | None, float | None, float | None]:
    """The claimed change's interval and value, larger being better."""
    if claimed.change is None or claimed.change_low is None or claimed.change_high is None:
        return None, None, None
    sign = 1 if claimed.larger_is_better else -1
    low, high = sorted((sign * claimed.change_low, sign * claimed.change_high))
    return low, high, sign * claimed.change


def _sound(same: Estimate) -> bool:
    return same.low <= 1 <= same.high or abs(same.value - 1) <= CONTROL_ALLOWANCE
