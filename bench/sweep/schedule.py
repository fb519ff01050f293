"""The sweep: prepare, probe, take turns, store. Reads as the order in which a run happens."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
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
    controls,
    describing,
    grouping,
    outlook,
    probing,
    remaining,
    stopping,
    telling,
)
from bench.sweep.applying import Facts
from bench.sweep.describing import Described
from bench.sweep.discovery import ROOT
from bench.sweep.environment import fingerprint, git_state, peak_memory_bytes
from bench.sweep.groups import run_launch
from bench.sweep.interpreter import Environment
from bench.sweep.members import Member, Process
from bench.sweep.outlook import Outlook
from bench.sweep.preloaded import Pool
from bench.sweep.progress import Reporter
from bench.sweep.remaining import Group, Plan, Probe
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
        self._probed: dict[str, set[str]] = {}
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
            self._measure_ceilings()
            self.reporter.total(self._units())
            self._plan = self._planned()
            self.reporter.rows(
                telling.waiting(self.applicable, self.settings.configurations), False
            )
            for configuration in self.settings.configurations:
                probed = self._probe_all(configuration)
                self._probed[configuration.name] = probed
                self._plan = self._planned()
                for name, members in self._groups(configuration, probed):
                    self._measure_group(name, members)
                    self._write()
            for name, members in self._across():
                self._measure_group(name, members)
                self._write()
        self.facts["ended"] = time.time()
        self.facts["harness"] = {"peak_memory_bytes": peak_memory_bytes()}
        self._write()
        return self.effects

    def foretell(self) -> Outlook:
        """What `run` would do; only the workload is looked at."""
        with self._pool:
            found = self._describe()
        every = {s.id for s in self.applicable}
        groups = [
            [m.scenario for m in members if m.role in ("baseline", "candidate")]
            for c in self.settings.configurations for _, members in self._groups(c, every)
        ]  # fmt: skip
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

    def _probe_all(self, configuration: Configuration) -> set[str]:
        """Probe every scenario, as many at once as there are cores: nothing is timed here.

        Returns:
            Ids of those that may take turns.
        """
        workers = max(1, min(len(configuration.cpus), 4))
        if configuration.device != "cpu":
            workers = 1
        found: dict[str, Launch] = {}
        unchecked: list[Launch] = []
        good = set()
        bases = {s.id: s.baseline for s in self.scenarios}
        with ThreadPoolExecutor(workers) as executor:
            for launch in executor.map(lambda s: self._probe(s, configuration), self.applicable):
                found[launch.scenario] = launch
                unchecked.append(launch)
                ready = [x for x in unchecked if (bases[x.scenario] or x.scenario) in found]
                unchecked = [x for x in unchecked if x not in ready]
                checked = [self._checked(x, found.get(bases[x.scenario] or "")) for x in ready]
                self._keep(checked)
                good |= {x.scenario for x in checked if x.outcome == "ok"}
        return good

    def _probe(self, scenario: Scenario, configuration: Configuration) -> Launch:
        self.reporter.begin(f"{scenario.id}: proof, quality and size in {configuration.name}")
        record = Launch(
            scenario.id, configuration.name, purpose="probe", warnings=self._warnings,
            started_s=round(time.time(), 3),
        )  # fmt: skip
        environment = self._environment(scenario, configuration)
        start = partial(self._pool.launch, environment, scenario, configuration)
        followed = {s.baseline for s in self.scenarios if s.follows}
        record = probing.probe(
            start, record, scenario, self.settings.profile,
            compared=bool(scenario.follows) or scenario.id in followed,
        )  # fmt: skip
        if record.outcome != "ok":
            self.reporter.note(f"{scenario.id}: {record.outcome}: {record.reason}")
        self.reporter.done()
        return record

    def _checked(self, launch: Launch, base: Launch | None) -> Launch:
        info = next(s for s in self.scenarios if s.id == launch.scenario)
        checked = probing.checked(launch, base, info)
        if checked is not launch:
            self.reporter.note(f"{launch.scenario}: failed: {checked.reason}")
        return checked

    def _groups(
        self, configuration: Configuration, probed: set[str]
    ) -> Iterable[tuple[str, list[Member]]]:
        """Baselines with their candidates; large groups in parts, the baseline in each."""
        chosen = [s for s in self.applicable if s.id in probed]
        controlled = controls.baselines(chosen) if self.settings.profile.controls else set()
        for base in chosen:
            rest = [self._member(s, configuration) for s in chosen if s.baseline == base.id]
            if base.id in controlled:
                start = self._pool.starting(self._environment(base, configuration))
                rest = controls.members(base, configuration, start) + rest
            if not rest and base.baseline:
                continue  # measured as a candidate of its own baseline
            held = {x.scenario: int(x.probes.get("own_bytes", 0)) for x in self.launches
                    if (x.purpose, x.configuration) == ("probe", configuration.name)}  # fmt: skip
            parts = grouping.parts(base.id, rest, held, self.settings)
            for number, part in enumerate(parts):
                name = f"{base.id}@{configuration.name}"
                name = f"{name}#{number + 1}" if len(parts) > 1 else name
                yield name, [self._member(base, configuration, "baseline"), *part]

    def _across(self) -> Iterable[tuple[str, list[Member]]]:
        """Each scenario in the first configuration against itself in every other one, live."""
        first, *others = self.settings.configurations
        good = {(r.scenario, r.configuration) for r in self.effects.rows if r.status == "ok"}
        for scenario in self.scenarios:
            rest = [c for c in others if (scenario.id, c.name) in good]
            if rest and (scenario.id, first.name) in good:
                members = [self._member(scenario, c) for c in (first, *rest)]
                sided = [dataclasses.replace(m, side=m.configuration.name) for m in members]
                sided[0] = dataclasses.replace(sided[0], role="baseline")
                yield f"{scenario.id}~configurations", sided

    def _measure_group(self, name: str, members: list[Member]) -> None:
        """Launch the group until its intervals suffice or its launches are spent."""
        looks = self.settings.profile.looks
        if any(m.scenario.unit == "job" for m in members):
            looks = looks[:1]
        number, warning = 0, ""
        while number < looks[-1]:
            what = (
                f"{name}: launch {number + 1} of {looks[-1]}, {len(members)} members taking turns"
            )
            self.reporter.begin(what)
            begun = time.monotonic()
            traces = self.folder.folder / "traces" if self._traced(number) else None
            launches = run_launch(
                name, members, number, self.settings.profile, self.settings.seed, traces
            )
            if not number:
                fewer, warning = grouping.affordable(
                    looks, time.monotonic() - begun, self.settings.profile
                )
                self.reporter.done(looks[-1] - fewer[-1])
                looks = fewer
            self._keep([grouping.warned(x, warning) for x in launches])
            self.reporter.done()
            number += 1
            if number in looks and stopping.suffices(
                [x for x in self.launches if x.group == name], self.settings.profile.half_width
            ):
                self.reporter.done(looks[-1] - number)
                break
        measured = [
            m.scenario.id for m in members if m.role == "candidate" or not m.scenario.baseline
        ]
        if not members[0].side:
            self._tell([x for x in launches if x.scenario in measured], ended=True)

    def _traced(self, number: int) -> bool:
        """Whether this launch is traced after its last turn: once a group is enough."""
        return self.settings.profile.trace and number == 0

    # --- pieces -------------------------------------------------------------------------------

    def _environment(self, scenario: Scenario | None, configuration: Configuration) -> Environment:
        """A scenario's, or that of the workload itself."""
        own = scenario or dataclasses.replace(self.scenarios[0], environment={}, keras=self._keras)
        return Environment.of(own, configuration, configuration.python, ROOT)

    def _plainly(self, configuration: Configuration) -> Callable[[], Process]:
        """Starts launches that look at the workload or the machine, not at a scenario."""
        environment = self._environment(None, configuration)
        return partial(self._pool.launch, environment, self.scenarios[0], configuration)

    def _member(
        self, scenario: Scenario, configuration: Configuration, role: Any = "candidate"
    ) -> Member:
        start = self._pool.starting(self._environment(scenario, configuration))
        return Member(scenario, configuration, start, role)

    def _units(self) -> int:
        every = {s.id for s in self.applicable}
        groups = sum(len(list(self._groups(c, every))) for c in self.settings.configurations)
        if len(self.settings.configurations) > 1:
            groups += len(every)
        probes = len(every) * len(self.settings.configurations)
        return probes + groups * self.settings.profile.looks[-1]

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
            self.reporter.left(remaining.left_s(self._plan, self.launches))

    def _planned(self) -> Plan:
        """The run as pieces of work, with the times that the profile expects."""
        profile, start_s = self.settings.profile, self._described_s
        every = {s.id for s in self.applicable}
        probes, groups = [], []
        for c in self.settings.configurations:
            for s in self.applicable:
                cost_s = start_s + profile.trainings * start_s * (s.kind == "train")
                probes.append(Probe(s.id, c.name, s.path_kind, cost_s))
            for name, members in self._groups(c, self._probed.get(c.name, every)):
                turns_s = profile.warmup_s + profile.member_s + start_s
                job = any(m.scenario.unit == "job" for m in members)
                looks = profile.looks[:1] if job else profile.looks
                kind = members[0].scenario.path_kind
                groups.append(Group(name, kind, turns_s * len(members), looks))
        first = self.settings.configurations[0]
        workers = max(1, min(len(first.cpus), 4)) if first.device == "cpu" else 1
        return Plan(tuple(probes), tuple(groups), workers)

    def _write(self) -> None:
        self.facts["controls"] = controls.verdicts(self.launches)
        self.facts["warnings"] = controls.warnings(self.facts["controls"])
        self.folder.write_facts(self.facts)
        if self.launches:
            self.folder.write_effects(self.effects.rows)


def default_folder() -> Path:
    """runs/<time>-<host>."""
    return Path("runs") / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.uname().nodename}"
