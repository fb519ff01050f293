"""How long a run still takes: from what is planned, corrected by what was seen of each kind."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

from bench.results.values import Launch
from bench.sweep.pieces import Outline

PRIOR = 1.0
"""Weight of the profile's expected times, in pieces of work: as much as one that was seen."""


def left_s(
    plan: Outline, journal: Sequence[Launch], ended: Collection[str] = (), workers: int = 1
) -> float:
    """Seconds until the last planned piece ends.

    Args:
        plan: Of the whole run.
        journal: Launches that ended so far, in their order.
        ended: Names of groups that will not be launched again.
        workers: Probes that run at once.
    """
    seen = {(x.scenario, x.configuration): x.wall_s for x in journal if x.purpose == "probe"}
    launched: dict[str, list[float]] = {}
    for name, _, wall_s in dict.fromkeys(
        (x.group, x.index, x.wall_s) for x in journal if x.purpose == "timing"
    ):
        launched.setdefault(name, []).append(wall_s)
    probes = _probes_left(plan, seen)
    return probes / workers + _groups_left(plan, launched, ended)


def _probes_left(plan: Outline, seen: Mapping[tuple[str, str], float]) -> float:
    done = [(p, seen[key]) for p in plan.probes if (key := (p.scenario, p.configuration)) in seen]
    pace = _Pace([(p.kind, p.expected_s, took) for p, took in done])
    waiting = [p for p in plan.probes if (p.scenario, p.configuration) not in seen]
    return sum(p.expected_s * pace(p.kind) for p in waiting)


def _groups_left(
    plan: Outline, launched: Mapping[str, Sequence[float]], ended: Collection[str]
) -> float:
    known = [g for g in plan.groups if g.name in launched]
    pace = _Pace([(g.kind, g.expected_s, took) for g in known for took in launched[g.name]])
    late = _share_to_the_last([(len(launched[g.name]), g.looks) for g in known if g.name in ended])
    total = 0.0
    for group in plan.groups:
        if group.name in ended:
            continue
        first, last = group.looks[0], group.looks[-1]
        count = len(launched.get(group.name, ()))
        wanted = first + late * (last - first) if count < first else float(last)
        launch_s = group.expected_s * pace(group.kind)
        if count:  # its own launches say more than those of its kind
            launch_s = (sum(launched[group.name]) + launch_s) / (count + 1)
        total += max(0.0, wanted - count) * launch_s
    return total


def _share_to_the_last(ended: Sequence[tuple[int, tuple[int, ...]]]) -> float:
    """Of the launches beyond the first look, how many groups make; half of them beforehand."""
    spans = [(count - looks[0], looks[-1] - looks[0]) for count, looks in ended]
    made = sum(max(0, more) for more, span in spans if span)
    return (made + 0.5) / (sum(span for _, span in spans if span) + 1.0)


class _Pace:
    """Time taken ÷ time expected, by kind.

    A kind starts from the geometric mean of the other kinds' ratios, each of which counts once, and
    of 1 (as expected): one slow kind says something of the machine, and more of itself.
    """

    def __init__(self, seen: Sequence[tuple[str, float, float]]) -> None:
        self._by_kind: dict[str, list[tuple[float, float]]] = {}
        for kind, expected, took in seen:
            self._by_kind.setdefault(kind, []).append((expected, took))

    def __call__(self, kind: str) -> float:
        others = [_ratio(own, 1.0) for name, own in self._by_kind.items() if name != kind]
        prior = math.exp(sum(map(math.log, others)) / (len(others) + 1))
        return _ratio(self._by_kind[kind], prior) if kind in self._by_kind else prior


def _ratio(seen: Sequence[tuple[float, float]], prior: float) -> float:
    """Of pieces that were seen; the prior counts as one of typical length."""
    expected = sum(each for each, _ in seen)
    weight = PRIOR * expected / len(seen)
    took = sum(each for _, each in seen)
    return (took + weight * prior) / (expected + weight)
