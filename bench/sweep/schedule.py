"""The sweep: describe, prepare, then do what the plan says next until it is done, and store it."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from typing import Any

from bench.results.as_json import to_json
from bench.results.effects import Effects
from bench.results.errors import UsageError
from bench.results.store import Run, RunFolder
from bench.results.values import Launch, Scenario
from bench.sweep import (
    applying,
    budgets,
    controls,
    describing,
    executing,
    interrupts,
    outlook,
    planning,
    recording,
    resuming,
    stages,
    telling,
)
from bench.sweep.applying import Facts
from bench.sweep.describing import Described
from bench.sweep.environment import peak_memory_bytes
from bench.sweep.executing import Executor, slots
from bench.sweep.journal import Journal
from bench.sweep.outlook import Outlook
from bench.sweep.pieces import Probe, Turns, key
from bench.sweep.plainly import Plainly
from bench.sweep.planning import Plan
from bench.sweep.preloaded import Pool
from bench.sweep.progress import Reporter
from bench.sweep.settings import Settings


class Sweep:
    """One run from the first launch to the last.

    Args:
        settings: What to measure and how long.
        scenarios: The selected ones, baselines included.
        folder: Where results go as each group ends.
        reporter: Told what happens.
        command: Shown in the report: how to run it again.
        known: All scenarios by id, where others than the selected may join as baselines.
        earlier: The run in that folder, to go on with.
        force: Go on though something has changed since.
    """

    executor = Executor
    """Carries pieces out."""

    def __init__(
        self,
        settings: Settings,
        scenarios: Sequence[Scenario],
        folder: RunFolder,
        reporter: Reporter,
        command: str = "",
        known: Mapping[str, Scenario] | None = None,
        earlier: Run | None = None,
        force: bool = False,
    ) -> None:
        self.settings = settings
        self.scenarios = tuple(scenarios)
        self.known = known or {s.id: s for s in scenarios}
        self.refused: Mapping[str, str] = {}
        self.folder = folder
        self.reporter = reporter
        self.launches: list[Launch] = []
        self._warnings: tuple[str, ...] = ()
        """Of the baseline, on every row that was measured."""
        self._described_s = 1.0
        self._plan: Plan | None = None
        self._earlier, self._force = earlier, force
        self._wanted: frozenset[str] | None = None
        self._pool = Pool(settings.workload, settings.memory_bytes)
        self._plainly = Plainly(self._pool, self.scenarios[0])
        self.facts = recording.facts(settings, self.scenarios, folder.folder.name, command)

    def run(self) -> Effects:
        """Do it all; what is measured is on the disk as each part ends."""
        if self._earlier is None:
            self.folder.write_facts(self.facts)  # so that whatever happens, one can go on
        with self._pool:
            try:
                found = self._describe()
                if self._earlier is not None:
                    self._go_on(self._earlier)
                self._plan = plan = self._planned()
                self._refuse()
                self._prepare(found.facts, plan)
                self._work(plan)
            except KeyboardInterrupt:
                self._end("interrupted")
                raise
            except UsageError:
                if self._earlier is None and all(x.outcome != "ok" for x in self.launches):
                    self.folder.discard()  # the corrected command finds it empty
                raise
        self._end("ended")
        return self.effects

    def _end(self, how: str) -> None:
        if self._earlier is None:  # else nothing was done
            self.facts["changed"] = recording.changed(self.facts, self.settings.workload)
            self.facts |= {how: time.time(), "harness": {"peak_memory_bytes": peak_memory_bytes()}}
            self._write()

    def foretell(self) -> Outlook:
        """What `run` would do; only the workload is looked at."""
        with self._pool:
            found = self._describe()
        groups = [
            [self._by_id[x.scenario] for x in g.seats if x.role in ("baseline", "candidate")]
            for g in planning.outline(self._planned(), Journal([])).groups
        ]
        trains = found.facts.learns and applying.looks_at_trained(self.applicable)
        return outlook.look(
            self.scenarios, self.refused, groups, self.settings, found.facts, found.seconds, trains
        )

    @property
    def effects(self) -> Effects:
        """The effects of what is measured so far."""
        return Effects(self.launches, self._by_id, self.facts["warnings"])

    # --- parts of a run -----------------------------------------------------------------------

    def _describe(self) -> Described:
        """What the workload is, and which scenarios apply: before any other time is spent."""
        self.reporter.begin("looking at the workload")
        first = self.settings.configurations[0]
        _ = self._plainly.versions(first)  # it is ready: not timed
        found = describing.describe(self._plainly.start(first), self.settings.profile)
        applied = applying.decide(self.scenarios, self.known, found.facts)
        self.scenarios, self.refused = applied.scenarios, applied.refused
        applying.need_baseline(self.settings.baseline, self.known, found.facts)
        self._plainly.keras = found.facts.keras
        self._described_s = found.seconds
        profile = describing.scaled(self.settings.profile, found.seconds)
        self.settings = dataclasses.replace(self.settings, profile=profile)
        self.facts["scenarios"] = [to_json(s) for s in self.scenarios]
        self.facts["workload"] = {**to_json(self.settings.workload), **found.answer}
        for line in applied.told(found.facts):
            self.reporter.note(line)
        self._wanted = stages.share(self.applicable, *self.settings.shard)
        return found

    def _go_on(self, earlier: Run) -> None:
        """Take over what an earlier run measured; refuse where something has changed since."""
        found = resuming.go_on(
            earlier, self.facts, self._planned(earlier.facts.get("plan")), self._force
        )
        self.folder.write_launches(found.launches)
        self.facts, self.launches = found.facts, found.launches
        self.settings = dataclasses.replace(self.settings, configurations=found.configurations)
        self._wanted = found.wanted
        self._earlier = None

    def _refuse(self) -> None:
        """Keep why scenarios do not apply; of a run in parts each says its share."""
        number, parts = self.settings.shard
        journal, now = Journal(self.launches), round(time.time(), 3)
        self._keep([
            Launch(id, c.name, purpose="probe", outcome="unsupported", reason=why, started_s=now)
            for c in self.settings.configurations
            for id, why in list(self.refused.items())[number - 1 :: parts]
            if not journal.probe(id, c.name)
        ])  # fmt: skip

    @property
    def applicable(self) -> tuple[Scenario, ...]:
        """The scenarios that are measured."""
        return tuple(s for s in self.scenarios if s.id not in self.refused)

    def _prepare(self, facts: Facts, plan: Plan) -> None:
        """Make what paths share: initial weights, and a trained baseline where one looks at it."""
        self._plainly.begin(plan.begun, self.settings.configurations)
        self.facts.setdefault("versions", {})
        self._warnings = facts.warnings
        shared = any(s.kind != "input" for s in self.applicable)
        train = applying.looks_at_trained(self.applicable)
        what = "training the shared baseline" if train and facts.learns else "preparing the model"
        for configuration in self.settings.configurations:
            self.facts["versions"][configuration.name] = self._plainly.versions(configuration)
            if not shared:
                continue
            self.reporter.begin(f"{what} (kept for the next run)")
            start = self._plainly.start(configuration)
            found = describing.prepare(start, self.settings.profile, train)
            self._warnings = tuple(dict.fromkeys((*facts.warnings, *found.pop("warnings", ()))))
            self.facts["workload"] |= found
        self._write()

    def _measure_ceilings(self) -> None:
        """The machine's own peaks in each configuration, at the time of this run."""
        known = self.facts.setdefault("ceilings", {})
        if self.settings.profile.trace and self.applicable:
            configurations, place = self.settings.configurations, self.folder.folder
            self._plainly.ceilings(configurations, known, place, self.reporter)

    # --- the plan -----------------------------------------------------------------------------

    def _planned(self, stored: Mapping[str, Any] | None = None) -> Plan:
        """What is to be done; where one goes on, by what the run was begun with."""
        stored = stored or self.facts.get("plan")
        plan, self.facts["plan"] = executing.planned(
            self.settings, self.applicable, self._described_s, self._wanted, stored
        )
        return plan

    def _work(self, plan: Plan) -> None:
        """Do what comes next, until nothing does."""
        executor = self.executor(
            plan, self._pool, self._plainly.environment, self.settings.seed, self._warnings
        )
        known = planning.outline(plan, Journal([]))
        self.reporter.total(len(known.probes) + sum(g.looks[-1] for g in known.groups))
        self.reporter.rows(telling.waiting(plan.measured, self.settings.configurations), False)
        while pieces := planning.next_pieces(plan, self.launches):
            if pieces[0].stage:  # what a reader looks at first comes first
                self._measure_ceilings()
            probes = [piece for piece in pieces if isinstance(piece, Probe)]
            if probes:
                self._probe(executor, probes)
            for piece in pieces:
                if isinstance(piece, Turns):
                    self._take_turns(executor, piece)
            self._write()
        self._measure_ceilings()

    def _probe(self, executor: Executor, pieces: Sequence[Probe]) -> None:
        what = f"{len(pieces)} scenarios: proof, quality and size in {pieces[0].configuration}"
        self.reporter.begin(what)
        for launch in executor.probe(pieces, Journal(self.launches)):
            if launch.outcome != "ok":
                self.reporter.note(f"{launch.scenario}: {launch.outcome}: {launch.reason}")
            self._keep([launch])
            self.reporter.done()

    def _take_turns(self, executor: Executor, piece: Turns) -> None:
        """Launch a group once more; rows of members that are done settle."""
        plan, group = executor.plan, piece.group
        self.reporter.begin(
            f"{group.name}: launch {piece.index + 1} of {group.looks[-1]}, "
            f"{len(piece.seats)} members taking turns"
        )
        # once a group is enough
        traces = self.folder.folder / "traces" if plan.profile.trace and not piece.index else None
        new = executor.turns(piece, traces)
        theirs = Journal([*self.launches, *new]).group(group.name)
        self._keep(budgets.warned(group, theirs, new, plan.technique_s, plan.profile))
        self.reporter.done()
        following = planning.next_launch(plan, group, Journal(self.launches))
        stay = {seat.key for seat in following.seats} if following else set()
        if following is None:
            self.reporter.done(group.looks[-1] - piece.index - 1)
        self._tell([
            x for x in new if key(x) not in stay and not x.side
            and (x.role == "candidate" or not self._by_id[x.scenario].baseline)
        ], ended=True)  # fmt: skip

    # --- pieces -------------------------------------------------------------------------------

    @property
    def _by_id(self) -> dict[str, Scenario]:
        return {s.id: s for s in self.scenarios}

    def _keep(self, launches: Sequence[Launch]) -> None:
        with interrupts.held():
            self.launches += launches
            self.folder.append(launches)
        self._tell(launches)

    def _tell(self, launches: Sequence[Launch], ended: bool = False) -> None:
        """Show the rows of launches that ended; those of failed probes will not change."""
        for row, final in telling.rows(launches, self.launches, self._by_id, ended):
            self.reporter.rows([row], final)
        if self._plan is not None:
            workers = len(slots(self._plan.configurations[0]))
            self.reporter.left(planning.left_s(self._plan, self.launches, workers))

    def _write(self) -> None:
        self.facts["controls"] = controls.verdicts(self.launches)
        self.facts["warnings"] = [
            *controls.warnings(self.facts["controls"]), *resuming.warnings(self.facts),
            *self.facts.get("changed", ()),
        ]  # fmt: skip
        self.folder.write_facts(self.facts)
        if self.launches:
            self.folder.write_effects(self.effects.rows)
