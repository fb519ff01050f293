"""In which order scenarios are measured: the effect table first, then the most informative."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bench.results.errors import UsageError
from bench.results.values import Scenario


@dataclass(frozen=True)
class Stage:
    """Scenarios that are probed and then compared before the next ones begin."""

    groups: tuple[tuple[str, tuple[str, ...]], ...]
    """Baselines, each with the candidates that are compared with it here."""
    ids: tuple[str, ...]
    """All that must be probed before: also what a baseline itself must follow."""
    alone: frozenset[str] = frozenset()
    """Baselines whose own figures are wanted, though nothing may be compared with them."""

    def measures(self, base: str) -> bool:
        """Whether the baseline's own figures are wanted."""
        return base in self.alone


def divide(
    scenarios: Sequence[Scenario],
    costs: Mapping[str, float],
    wanted: frozenset[str] | None = None,
) -> tuple[Stage, ...]:
    """The stages of a run.

    Args:
        scenarios: All of it, in their source's order.
        costs: Seconds that each is expected to take.
        wanted: Those that are to be measured; None: all.

    Returns:
        First one with the scenarios that come first (the reference guide's effect table) and what
        they are compared with; then one a baseline, those first that answer most in their time.
    """
    by_id = {s.id: s for s in scenarios}
    mine = [s for s in scenarios if wanted is None or s.id in wanted]
    table = {id for s in mine if s.first for id in (s.id, *_ancestors(s, by_id))}
    alone = frozenset(s.id for s in mine)
    early = [s for s in mine if s.id in table]
    late = [s for s in mine if s.id not in table]
    found = [_stage(early, by_id, alone)] if early else []
    bases = dict.fromkeys(_base(s, by_id) for s in late)
    parts = [[s for s in late if _base(s, by_id) == base] for base in bases]

    def value(part: Sequence[Scenario]) -> float:
        answers = [s for s in part if s.baseline in by_id]
        return len(answers) / sum(costs[id] for id in _stage(part, by_id, alone).ids)

    found += [_stage(part, by_id, alone) for part in sorted(parts, key=value, reverse=True)]
    return tuple(found)


def share(scenarios: Sequence[Scenario], number: int, parts: int) -> frozenset[str] | None:
    """The ids of one part of a run; None where it has but one.

    The division is fixed by the scenarios alone. Those of the effect table are spread; of the
    others, a baseline's candidates stay together, and the part that has least yet takes them.

    Args:
        scenarios: All of the run, in their source's order.
        number: Of the part; from 1.
        parts: How many.

    Raises:
        UsageError: There are more parts than there is to measure.
    """
    if parts == 1:
        return None
    by_id = {s.id: s for s in scenarios}
    table = [s.id for s in scenarios if s.first]
    bases = dict.fromkeys(_base(s, by_id) for s in scenarios if not s.first)
    together = [[s.id for s in scenarios if not s.first and _base(s, by_id) == b] for b in bases]
    units = [[id] for id in table] + sorted(together, key=len, reverse=True)
    found: list[list[str]] = [[] for _ in range(parts)]
    for unit in units:
        min(found, key=len).extend(unit)
    if not found[number - 1]:
        raise UsageError(f"part {number} of {parts} would be empty: use fewer parts")
    return frozenset(found[number - 1])


def last(stages: Sequence[Stage], base: str) -> int:
    """Number of the last stage that has a group of this baseline."""
    return max(i for i, stage in enumerate(stages) if base in dict(stage.groups))


def _base(scenario: Scenario, by_id: Mapping[str, Scenario]) -> str:
    base = scenario.baseline
    return base if base and base in by_id else scenario.id


def _stage(part: Sequence[Scenario], by_id: Mapping[str, Scenario], alone: frozenset[str]) -> Stage:
    groups: dict[str, list[str]] = {}
    for each in part:
        groups.setdefault(_base(each, by_id), [])
        if each.baseline and each.baseline in by_id:
            groups[each.baseline].append(each.id)
    chosen = {id for s in part for id in (s.id, *_checked_by(s, by_id, alone))}
    order = [id for id in by_id if id in groups]
    return Stage(
        tuple((id, tuple(groups[id])) for id in order),
        tuple(id for id in _baselines_first(by_id) if id in chosen),
        alone,
    )


def _checked_by(
    scenario: Scenario, by_id: Mapping[str, Scenario], mine: frozenset[str]
) -> Iterator[str]:
    """Its baseline; that one's baseline too where that is to be measured itself; and so on."""
    for id in _ancestors(scenario, by_id):
        yield id
        if id not in mine:
            return


def _ancestors(scenario: Scenario, by_id: Mapping[str, Scenario]) -> Iterator[str]:
    """Its baseline, that one's baseline, and so on."""
    seen = {scenario.id}
    while (base := by_id.get(scenario.baseline or "")) and base.id not in seen:
        yield base.id
        seen.add(base.id)
        scenario = base


def _baselines_first(by_id: Mapping[str, Scenario]) -> Iterable[str]:
    """All ids; what others are checked against comes before them."""
    return dict.fromkeys(
        id for each in by_id.values() for id in (*reversed([*_ancestors(each, by_id)]), each.id)
    )
