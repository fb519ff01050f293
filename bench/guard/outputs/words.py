"""Judgements in words and figures, the same in every output."""

from __future__ import annotations

from collections.abc import Iterable

from bench.guard.comparison.values import Comparison, Judgement, Metric, OperationChange, Verdict

FAR = 10.0
"""Shares above are too uncertain for digits."""
NAMES: dict[Metric, str] = {
    "latency": "latency",
    "first_step": "first step",
    "cpu_time": "CPU time",
    "peak_memory": "peak memory",
    "allocated": "allocated",
    "bytes_read": "bytes read",
    "bytes_written": "bytes written",
    "instructions": "instructions",
    "files": "files opened",
    "processes": "processes",
    "size": "artifact size",
    "accuracy": "accuracy",
    "operations": "operations",
    "parameters": "parameters",
    "traces": "traces",
    "artifact": "artifact",
    "losses": "first losses",
    "outcome": "outcome",
    "presence": "presence",
}
TIMED: tuple[Metric, ...] = ("latency", "first_step", "cpu_time")
ORDER: tuple[Verdict, ...] = ("regression", "inconclusive", "changed", "improved", "no change")
TITLES: dict[Verdict, str] = {
    "regression": "REGRESSION",
    "inconclusive": "INCONCLUSIVE",
    "changed": "CHANGED",
    "improved": "IMPROVED",
    "no change": "NO CHANGE",
}


def headline(found: Comparison) -> str:
    """The result in one sentence."""
    counts = {verdict: len(found.of(verdict)) for verdict in ORDER}
    if counts["regression"]:
        places = len({j.where for j in found.of("regression")})
        what = f"{counts['regression']} regression{_s(counts['regression'])}"
        return f"REGRESSION: {what} in {places} {found.noun}{_s(places)}"
    if counts["inconclusive"]:
        return f"INCONCLUSIVE: {counts['inconclusive']} of {len(found.judgements)} figures"
    if found.failed:
        return f"NO REGRESSION, but {len(found.failed)} {found.noun}s fail on both sides"
    better = f", {counts['improved']} improved" if counts["improved"] else ""
    return f"NO CHANGE: {len(found.judgements)} figures compared{better}"


def change(each: Judgement) -> str:
    """The change with its interval."""
    if each.change is None:
        return ""
    if each.metric == "accuracy":
        text = f"{-100 * each.change:+.2f} points"
        if each.low is not None and each.high is not None and each.change:
            text += f" [{-100 * each.high:+.2f}, {-100 * each.low:+.2f}]"
        return text
    text = percent(each.change)
    if each.low is not None and each.high is not None and each.metric in TIMED:
        text += f" [{percent(each.low)}, {percent(each.high)}]"
    return text


def figures(each: Judgement) -> str:
    """Typical figures of both sides."""
    if each.base is None or each.head is None:
        return ""
    return f"{amount(each.base, each.unit)} → {amount(each.head, each.unit)}"


def seen(each: Judgement) -> str:
    """What could have been seen, and the noise it was measured in."""
    if each.visible is None:
        return ""
    noise = f", noise {each.noise:.2%} a launch" if each.noise is not None else ""
    allowed = f", allowance {each.allowance:.2%}" if each.allowance is not None else ""
    least = smallest(each.visible)
    return f"changes from {least} visible, {each.launches} launches{noise}{allowed}"


def smallest(visible: float) -> str:
    """The smallest change that could have been seen; a few launches tell hardly any."""
    return f"{visible:.1%}" if visible <= FAR else "more than 1000%"


def sentence(each: Judgement) -> str:
    """One judgement as a line of text."""
    parts = [f"{each.where}: {NAMES[each.metric]}", change(each)]
    notes = [note for note in (figures(each), each.reason, seen(each)) if note]
    text = " ".join(part for part in parts if part)
    return f"{text} ({'; '.join(notes)})" if notes else text


def operation(each: OperationChange) -> str:
    """One operation's change between the traces of both sides."""
    before, after = amount(each.base_ns, "ns"), amount(each.head_ns, "ns")
    if not each.base_count:
        return f"{each.name} is new: {after} a step"
    if not each.head_count:
        return f"{each.name} is gone: {before} a step before"
    counts = ""
    if round(each.base_count, 2) != round(each.head_count, 2):
        counts = f", {each.base_count:.3g} → {each.head_count:.3g} times"
    return f"{each.name}: {before} → {after} a step{counts}"


def in_order(found: Iterable[Judgement]) -> list[Judgement]:
    """What matters most first."""
    return sorted(found, key=lambda j: (ORDER.index(j.verdict), j.where, j.metric))


def percent(share: float) -> str:
    """A share with its sign; small ones with two decimals."""
    if share > FAR:
        return "more than +1000%"
    return f"{share:+.2%}" if abs(share) < 0.1 else f"{share:+.1%}"


def amount(value: float, unit: str) -> str:
    """A figure in a readable unit."""
    if unit == "ns":
        for limit, name in ((1e9, "s"), (1e6, "ms"), (1e3, "µs")):
            if value >= limit:
                return f"{value / limit:.3g} {name}"
        return f"{value:.3g} ns"
    if unit == "s":
        return amount(value * 1e9, "ns")
    if unit == "bytes":
        for limit, name in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
            if value >= limit:
                return f"{value / limit:.4g} {name}"
        return f"{value:.0f} bytes"
    if unit == "%":
        return f"{value:.2f} %"
    return f"{value:,.0f}"


def _s(count: int) -> str:
    return "" if count == 1 else "s"
