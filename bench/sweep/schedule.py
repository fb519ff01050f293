"""The sweep: describe, prepare, then do what the plan says next until it is done, and store it."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from bench.results import cache_folder
from bench.results.as_json import to_json
from bench.results.effects import Effects
from bench.results.store import RunFolder
from bench.results.values import Configuration, Launch, Scenario
from bench.sweep import (
    applying,
    budgets,
    controls,
    describing,
    outlook,
    planning,
    telling,
)
from bench.sweep.applying import Facts
from bench.sweep.describing import Described
from bench.sweep.discovery import ROOT
from bench.sweep.environment import fingerprint, git_state, peak_memory_bytes
from bench.sweep.executing import Executor, slots
from bench.sweep.interpreter import Environment
from bench.sweep.journal import Journal
from bench.sweep.members import Process
from bench.sweep.outlook import Outlook
from bench.sweep.pieces import Probe, Turns, key
from bench.sweep.planning import Plan
from bench.sweep.preloaded import Pool
from bench.sweep.progress import Reporter
from bench.sweep.running import LaunchFailed
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
    """

    def __init__(
        self,
        settings: Settings,
        scenarios: Sequence[Scenario],
        folder: RunFolder,
        reporter: Reporter,
        command: str = "",
        known: Mapping[str, Scenario] | None = None,
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
        self._keras = 3
        self._described_s = 1.0
        self._plan: Plan | None = None
        self._pool = Pool(settings.workload, settings.memory_bytes)
        self.facts: dict[str, Any] = {
            "name": folder.folder.name,
            "started": time.time(),
            "command": command,
            "workload_spec": to_json(settings.workload),
            "settings": {**to_json(settings.profile), "seed": settings.seed,
                         "profile": settings.profile.name},
            "configurations": [to_json(c) for c in settings.configurations],
            "scenarios": [to_json(s) for s in self.scenarios],
            "environment": fingerprint(),
            "git": git_state(ROOT),
            "warnings": [],
        }  # fmt: skip

    def run(self) -> Effects:
        """Do it all; what is measured is on the disk as each part ends."""
        with cache_folder.used(self.settings.workload.cache), self._pool:
            self._prepare(self._describe().facts)
            self._plan = plan = self._planned()
            self._work(plan)
        self.facts["ended"] = time.time()
        self.facts["harness"] = {"peak_memory_bytes": peak_memory_bytes()}
        self._write()
        return self.effects

    def foretell(self) -> Outlook:
        """What `run` would do; only the workload is looked at."""
        with self._pool:
            found = self._describe()
        groups = [
            [self._scenario(x.scenario) for x in g.seats if x.role in ("baseline", "candidate")]
            for g in planning.outline(self._planned(), Journal([])).groups
        ]
        trains = found.facts.learns and applying.looks_at_trained(self.applicable)
        return outlook.look(
            self.scenarios, self.refused, groups, self.settings, found.facts, found.seconds, trains
        )

    @property
    def effects(self) -> Effects:
        """The effects of what is measured so far."""
        scenarios = {s.id: s for s in self.scenarios}
        return Effects(self.launches, scenarios, self.facts["warnings"])

    # --- parts of a run -----------------------------------------------------------------------

    def _describe(self) -> Described:
        """What the workload is, and which scenarios apply: before any other time is spent."""
        self.reporter.begin("looking at the workload")
        first = self.settings.configurations[0]
        _ = self._pool.process(self._environment(None, first)).versions  # it is ready: not timed
        found = describing.describe(self._plainly(first), self.settings.profile)
        applied = applying.decide(self.scenarios, self.known, found.facts)
        self.scenarios, self.refused = applied.scenarios, applied.refused
        self._keras = found.facts.keras
        self._described_s = found.seconds
        profile = describing.scaled(self.settings.profile, found.seconds)
        self.settings = dataclasses.replace(self.settings, profile=profile)
        self.facts["scenarios"] = [to_json(s) for s in self.scenarios]
        self.facts["workload"] = {**to_json(self.settings.workload), **found.answer}
        for line in applied.told(found.facts):
            self.reporter.note(line)
        now = round(time.time(), 3)
        self._keep([
            Launch(id, c.name, purpose="probe", outcome="unsupported", reason=why, started_s=now)
            for c in self.settings.configurations for id, why in applied.refused.items()
        ])  # fmt: skip
        return found

    @property
    def applicable(self) -> tuple[Scenario, ...]:
        """The scenarios that are measured."""
        return tuple(s for s in self.scenarios if s.id not in self.refused)

    def _prepare(self, facts: Facts) -> None:
        """Make what paths share: initial weights, and a trained baseline where one looks at it."""
        self.facts["versions"] = {}
        self._warnings = facts.warnings
        shared = any(s.kind != "input" for s in self.applicable)
        train = applying.looks_at_trained(self.applicable)
        what = "training the shared baseline" if train and facts.learns else "preparing the model"
        for configuration in self.settings.configurations:
            process = self._pool.process(self._environment(None, configuration))
            self.facts["versions"][configuration.name] = process.versions
            if not shared:
                continue
            self.reporter.begin(f"{what} (kept for the next run)")
            start = self._plainly(configuration)
            found = describing.prepare(start, self.settings.profile, train)
            self._warnings = tuple(dict.fromkeys((*facts.warnings, *found.pop("warnings", ()))))
            self.facts["workload"] |= found
        self._write()

    def _measure_ceilings(self) -> None:
        """The machine's own peaks in each configuration, at the time of this run."""
        self.facts["ceilings"] = {}
        if not self.settings.profile.trace or not self.applicable:
            return
        for configuration in self.settings.configurations:
            self.reporter.begin(f"measuring the machine's ceilings in {configuration.name}")
            disk = str(self.folder.folder.resolve())
            try:
                found = describing.ceilings(self._plainly(configuration), disk)
                self.facts["ceilings"][configuration.name] = found
            except LaunchFailed as error:
                self.reporter.note(f"ceilings of {configuration.name}: {error.reason}")

    # --- the plan -----------------------------------------------------------------------------

    def _planned(self) -> Plan:
        """What is to be done, as far as it can be known before anything is found."""
        settings = self.settings
        plan = Plan(
            self.applicable, settings.configurations, settings.profile, self._described_s,
            settings.members, settings.group_bytes,
        )  # fmt: skip
        seconds = planning.left_s(plan, [], self._workers)
        named = bool(settings.patterns)
        return dataclasses.replace(plan, technique_s=budgets.technique_s(seconds, named))

    def _work(self, plan: Plan) -> None:
        """Do what comes next, until nothing does."""
        executor = Executor(plan, self._pool, self._environment, self.settings.seed, self._warnings)
        known = planning.outline(plan, Journal([]))
        self.reporter.total(len(known.probes) + sum(g.looks[-1] for g in known.groups))
        self.reporter.rows(telling.waiting(self.applicable, self.settings.configurations), False)
        ceilings = False
        while pieces := planning.next_pieces(plan, self.launches):
            if pieces[0].stage and not ceilings:  # what a reader looks at first comes first
                self._measure_ceilings()
                ceilings = True
            probes = [piece for piece in pieces if isinstance(piece, Probe)]
            if probes:
                self._probe(executor, probes)
            for piece in pieces:
                if isinstance(piece, Turns):
                    self._take_turns(executor, piece)
            self._write()
        if not ceilings:
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
        before = Journal([*self.launches, *new]).group(group.name)
        self._keep(budgets.warned(group, before, new, plan.technique_s, plan.profile))
        self.reporter.done()
        following = planning.next_launch(plan, group, Journal(self.launches))
        stay = {seat.key for seat in following.seats} if following else set()
        if following is None:
            self.reporter.done(group.looks[-1] - piece.index - 1)
        self._tell([
            x for x in new if key(x) not in stay and not x.side
            and (x.role == "candidate" or not self._scenario(x.scenario).baseline)
        ], ended=True)  # fmt: skip

    # --- pieces -------------------------------------------------------------------------------

    def _environment(self, scenario: Scenario | None, configuration: Configuration) -> Environment:
        """A scenario's, or that of the workload itself."""
        own = scenario or dataclasses.replace(self.scenarios[0], environment={}, keras=self._keras)
        return Environment.of(own, configuration, configuration.python, ROOT)

    def _plainly(self, configuration: Configuration) -> Callable[[], Process]:
        """Starts launches that look at the workload or the machine, not at a scenario."""
        environment = self._environment(None, configuration)
        return partial(self._pool.launch, environment, self.scenarios[0], configuration)

    def _scenario(self, id: str) -> Scenario:
        return next(s for s in self.scenarios if s.id == id)

    @property
    def _workers(self) -> int:
        """Probes that run at once."""
        return len(slots(self.settings.configurations[0]))

    def _keep(self, launches: Sequence[Launch]) -> None:
        self.launches += launches
        self.folder.append(launches)
        self._tell(launches)

    def _tell(self, launches: Sequence[Launch], ended: bool = False) -> None:
        """Show the rows of launches that ended; those of failed probes will not change."""
        known = {s.id: s for s in self.scenarios}
        keys = dict.fromkeys(
            (x.scenario, x.configuration) for x in launches
            if x.role in ("baseline", "candidate") and not x.side
        )  # fmt: skip
        rows = [telling.row(known[id], c, self.launches, known) for id, c in keys]
        for row in rows:
            final = ended or (row.status not in ("ok", telling.PROBED) and not launches[0].group)
            self.reporter.rows([row], final)
        if self._plan is not None:
            self.reporter.left(planning.left_s(self._plan, self.launches, self._workers))

    def _write(self) -> None:
        self.facts["controls"] = controls.verdicts(self.launches)
        self.facts["warnings"] = controls.warnings(self.facts["controls"])
        self.folder.write_facts(self.facts)
        if self.launches:
            self.folder.write_effects(self.effects.rows)


def default_folder() -> Path:
    """runs/<time>-<host>."""
    return Path("runs") / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.uname().nodename}"
