"""What to measure next: one pure function from the plan and the launches so far.

An executor (`bench.sweep.schedule`) does what it says, appends what was found to the journal, and
asks again. So where a run is resumed, divided or cut short, the same function decides.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from bench.results.effects import Effects
from bench.results.values import Configuration, Launch, Scenario
from bench.sweep import budgets, controls, grouping, remaining, stages, stopping
from bench.sweep.journal import Journal
from bench.sweep.pieces import Group, Outline, Piece, Probe, Seat, Turns
from bench.sweep.settings import Profile
from bench.sweep.stages import Stage


@dataclass(frozen=True)
class Plan:
    """All that a run is going to do, of which nothing depends on what is found."""

    scenarios: tuple[Scenario, ...]
    """Those that apply, in their source's order."""
    configurations: tuple[Configuration, ...]
    profile: Profile
    start_s: float = 1.0
    """What a launch of this workload takes at least."""
    members: int = 10
    """Most members of a group."""
    group_bytes: int = 0
    """Memory that a group's members may hold together; 0: any."""
    technique_s: float = math.inf
    """Budget of each technique: half for its probe, half for its turns."""
    wanted: frozenset[str] | None = None
    """Ids that this run is to measure, where the others are there to be compared with; None: all.
    """

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        """What is measured together, the effect table first, then the most informative."""
        costs = {s.id: self.probe_s(s) + self.profile.looks[0] * self.launch_s
                 for s in self.scenarios}  # fmt: skip
        return stages.divide(self.scenarios, costs, self.wanted)

    @cached_property
    def by_id(self) -> Mapping[str, Scenario]:
        """Its scenarios."""
        return {s.id: s for s in self.scenarios}

    @property
    def measured(self) -> tuple[Scenario, ...]:
        """The scenarios that take part."""
        ids = {id for stage in self.stages for id in stage.ids}
        return tuple(s for s in self.scenarios if s.id in ids)

    @property
    def begun(self) -> tuple[Scenario, ...]:
        """The scenarios of its first stage."""
        ids = self.stages[0].ids if self.stages else ()
        return tuple(self.by_id[id] for id in ids)

    @property
    def launch_s(self) -> float:
        """One launch of one member, as expected."""
        return self.profile.warmup_s + self.profile.member_s + self.start_s

    def expected_s(self, scenario: Scenario) -> float:
        """Its probe and all of its launches, as expected."""
        return self.probe_s(scenario) + self.profile.looks[-1] * self.launch_s

    def probe_s(self, scenario: Scenario) -> float:
        """Its probe, as expected."""
        trainings = self.profile.trainings * (scenario.kind == "train")
        return self.start_s * (1 + trainings)


def next_pieces(plan: Plan, launches: Sequence[Launch]) -> tuple[Piece, ...]:
    """What to do now.

    Args:
        plan: Of the run.
        launches: The journal: all launches that ended so far, in any order.

    Returns:
        Probes, in any order and beside each other; or one launch of a group, alone; or nothing:
        the run is done.
    """
    journal = Journal(launches)
    known = outline(plan, journal)
    for number in range(len(plan.stages)):
        for configuration in plan.configurations:
            name = configuration.name
            waiting = [p for p in known.probes if _due(p, number, name)
                       and not journal.probe(p.scenario, name)]  # fmt: skip
            if waiting:
                return tuple(sorted(waiting, key=lambda probe: -probe.expected_s))
            groups = [g for g in known.groups if (g.stage, g.configuration) == (number, name)]
            if turns := _first(plan, groups, journal):
                return (turns,)
    across = list(_across(plan, journal))
    turns = _first(plan, across, journal)
    return (turns,) if turns else ()


def _due(probe: Probe, stage: int, configuration: str) -> bool:
    """Whether a probe is made before a stage's groups: behind the first stage all that are left.

    Each time that probes end the last of them runs alone, and some cores have nothing to do.
    """
    return probe.configuration == configuration and (
        probe.stage == stage or 0 < stage < probe.stage
    )


def next_launch(plan: Plan, group: Group, journal: Journal, roughly: bool = False) -> Turns | None:
    """A group's next launch and who takes part in it; None where it has ended.

    Args:
        plan: Of the run.
        group: One of its groups.
        journal: What was launched so far.
        roughly: It has also ended, for now, where a reader has an answer (`stopping.rough`).
    """
    launches = journal.group(group.name)
    number = journal.count(group.name)
    looks = budgets.looks(group.looks, launches, plan.profile)
    if number >= looks[-1]:
        return None
    most = budgets.most(group, launches, plan.technique_s)
    seats = tuple(stopping.staying(group.seats, launches, looks, plan.profile.half_width, most))
    wanted = {seat.role for seat in group.seats} - {"baseline"}
    compared = {"candidate"} & wanted or wanted
    if seats[:1] != group.seats[:1] or (compared and not any(s.role in compared for s in seats)):
        return None
    if not compared and number >= looks[0]:
        return None  # a baseline alone
    if roughly and number >= looks[0] and stopping.rough(launches):
        return None
    return Turns(group, number, seats)


def outline(plan: Plan, journal: Journal) -> Outline:
    """The plan's probes and groups, those of configurations against each other left out."""
    probes: list[Probe] = []
    groups: list[Group] = []
    seen: set[str] = set()
    for number, stage in enumerate(plan.stages):
        for configuration in plan.configurations:
            name = configuration.name
            for id in stage.ids:
                if id not in seen:
                    each = plan.by_id[id]
                    probes.append(Probe(id, name, each.path_kind, plan.probe_s(each), number))
            groups += _groups(plan, journal, number, name, groups)
        seen |= set(stage.ids)
    return Outline(tuple(probes), tuple(groups))


def left_s(plan: Plan, launches: Sequence[Launch], workers: int = 1) -> float:
    """Seconds that the run still takes, about.

    Args:
        plan: Of the run.
        launches: The journal.
        workers: Probes that run at once.
    """
    journal = Journal(launches)
    known = outline(plan, journal)
    ended = [group.name for group in known.groups if not next_launch(plan, group, journal)]
    return remaining.left_s(known, launches, ended, workers)


def _groups(
    plan: Plan, journal: Journal, number: int, configuration: str, before: Sequence[Group]
) -> Iterator[Group]:
    """The groups of a stage: baselines with their candidates, in as many parts as there must be."""
    stage = plan.stages[number]
    probed = {id for each in plan.stages[: number + 1] for id in each.ids}  # before it begins
    good = [s for s in plan.scenarios if s.id not in probed or journal.good(s.id, configuration)]
    controlled = controls.baselines(good) if plan.profile.controls else set()
    held = {s.id: journal.held(s.id, configuration) for s in good}
    names = {s.id for s in good}
    for base, candidates in stage.groups:
        if base not in names:
            continue
        rest = [Seat(id, configuration) for id in candidates if id in names]
        last = stages.last(plan.stages, base) == number
        if last and base in controlled:
            rest = [*(Seat(base, configuration, role) for role in controls.ROLES), *rest]
        earlier = [g for g in before if g.base == base and g.configuration == configuration]
        alone = last and not earlier and stage.measures(base) and not plan.by_id[base].baseline
        if not rest and not alone:
            continue
        parts = grouping.parts(base, rest, held, plan.members, plan.group_bytes)
        for count, part in enumerate(parts, start=len(earlier) + 1):
            seats = (Seat(base, configuration, "baseline"), *part)
            name = f"{base}@{configuration}" + (f"#{count}" if count > 1 else "")
            yield _group(plan, name, seats, number)


def _across(plan: Plan, journal: Journal) -> Iterator[Group]:
    """Each scenario in the first configuration against itself in every other one, live."""
    first, *others = [c.name for c in plan.configurations]
    if not others:
        return
    effects = Effects(journal.launches, plan.by_id)
    good = {(r.scenario, r.configuration) for r in effects.rows if r.status == "ok"}
    for each in plan.scenarios:
        rest = [name for name in others if (each.id, name) in good]
        if rest and (each.id, first) in good:
            seats = (Seat(each.id, first, "baseline", first),
                     *(Seat(each.id, name, "candidate", name) for name in rest))  # fmt: skip
            yield _group(plan, f"{each.id}~configurations", seats, len(plan.stages))


def _group(plan: Plan, name: str, seats: tuple[Seat, ...], stage: int) -> Group:
    scenarios = [plan.by_id[seat.scenario] for seat in seats]
    job = any(each.unit == "job" for each in scenarios)
    looks = plan.profile.looks[:1] if job else plan.profile.looks
    cost_s = plan.launch_s * len(seats)
    return Group(name, seats[0].configuration, scenarios[0].path_kind, seats, looks, cost_s, stage)


def _first(plan: Plan, groups: Sequence[Group], journal: Journal) -> Turns | None:
    """The next launch: first every group until there is an answer, then until it is narrow."""
    for roughly in (True, False):
        for group in groups:
            if turns := next_launch(plan, group, journal, roughly):
                return turns
    return None
