"""The sweep: prepare, probe, take turns, store. Reads as the order in which a run happens."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from bench.results import tolerance
from bench.results.effects import Effects
from bench.results.errors import UsageError
from bench.results.store import RunFolder
from bench.results.values import Configuration, Launch, Scenario, to_json
from bench.sweep import controls, stopping
from bench.sweep.discovery import ROOT
from bench.sweep.environment import fingerprint, git_state, peak_memory_bytes
from bench.sweep.groups import run_launch
from bench.sweep.interpreter import Environment
from bench.sweep.members import Member
from bench.sweep.preloaded import Pool
from bench.sweep.probing import probe
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
    """

    def __init__(
        self,
        settings: Settings,
        scenarios: Sequence[Scenario],
        folder: RunFolder,
        reporter: Reporter,
        command: str = "",
    ) -> None:
        self.settings = settings
        self.scenarios = tuple(scenarios)
        self.folder = folder
        self.reporter = reporter
        self.launches: list[Launch] = []
        self._pool = Pool(settings.workload, settings.memory_bytes)
        self.facts: dict[str, Any] = {
            "name": folder.folder.name,
            "started": time.time(),
            "command": command,
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
        with self._pool:
            self._prepare()
            self._measure_ceilings()
            self.reporter.total(self._units())
            for configuration in self.settings.configurations:
                probed = self._probe_all(configuration)
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

    @property
    def effects(self) -> Effects:
        """The effects of what is measured so far."""
        scenarios = {s.id: s for s in self.scenarios}
        return Effects(self.launches, scenarios, self.facts["warnings"])

    # --- parts of a run -----------------------------------------------------------------------

    def _prepare(self) -> None:
        """Train the shared baseline, or find it in the cache. Without it there is no run."""
        self.facts["versions"] = {}
        for configuration in self.settings.configurations:
            environment = self._environment(None, configuration)
            self.facts["versions"][configuration.name] = self._pool.process(environment).versions
            self.reporter.begin("training the shared baseline (kept for the next run)")
            launch = self._pool.launch(environment, self.scenarios[0], configuration)
            try:
                facts = launch.call("prepare", 6 * self.settings.profile.timeout_s)["facts"]
            except LaunchFailed as error:
                raise UsageError(error.reason) from None
            finally:
                launch.close()
            self.facts.setdefault("workload", {**to_json(self.settings.workload), **facts})
        self._write()

    def _measure_ceilings(self) -> None:
        """The machine's own peaks in each configuration, at the time of this run."""
        self.facts["ceilings"] = {}
        if not self.settings.profile.trace:
            return
        for configuration in self.settings.configurations:
            self.reporter.begin(f"measuring the machine's ceilings in {configuration.name}")
            environment = self._environment(None, configuration)
            started_s = time.monotonic()
            launch = self._pool.launch(environment, self.scenarios[0], configuration)
            try:
                answer = launch.call("ceilings", 120.0, disk=str(self.folder.folder.resolve()))
                start = {"launch_start_ns": 1e9 * (answer["ready_s"] - started_s)}
                self.facts["ceilings"][configuration.name] = answer["ceilings"] | start
            except LaunchFailed as error:
                self.reporter.note(f"ceilings of {configuration.name}: {error.reason}")
            finally:
                launch.close()

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
            for launch in executor.map(lambda s: self._probe(s, configuration), self.scenarios):
                found[launch.scenario] = launch
                unchecked.append(launch)
                ready = [x for x in unchecked if (bases[x.scenario] or x.scenario) in found]
                unchecked = [x for x in unchecked if x not in ready]
                checked = [self._checked(x, found) for x in ready]
                self._keep(checked)
                good |= {x.scenario for x in checked if x.outcome == "ok"}
        return good

    def _probe(self, scenario: Scenario, configuration: Configuration) -> Launch:
        self.reporter.begin(f"{scenario.id}: proof, quality and size in {configuration.name}")
        record = Launch(
            scenario.id, configuration.name, purpose="probe", started_s=round(time.time(), 3)
        )
        environment = self._environment(scenario, configuration)
        start = partial(self._pool.launch, environment, scenario, configuration)
        followed = {s.baseline for s in self.scenarios if s.follows}
        record = probe(
            start, record, scenario, self.settings.profile,
            compared=bool(scenario.follows) or scenario.id in followed,
        )  # fmt: skip
        if record.outcome != "ok":
            self.reporter.note(f"{scenario.id}: {record.outcome}: {record.reason}")
        self.reporter.done()
        return record

    def _checked(self, launch: Launch, probes: dict[str, Launch]) -> Launch:
        """The probe, failed where its losses or outputs leave the baseline's."""
        info = next(s for s in self.scenarios if s.id == launch.scenario)
        base = probes.get(info.baseline or "")
        if launch.outcome != "ok" or base is None or base.outcome != "ok" or not info.follows:
            return launch
        if info.kind == "train":
            found = tolerance.losses_differ(launch.losses, base.losses, info.follows)
            reason = f"does other work than {base.scenario}: {found}" if found else ""
        else:
            found = tolerance.outputs_differ(launch.outputs, base.outputs, info.follows)
            reason = f"does not answer as {base.scenario}: {found}" if found else ""
        if not reason:
            return launch
        self.reporter.note(f"{launch.scenario}: failed: {reason}")
        return dataclasses.replace(launch, outcome="failed", reason=reason)

    def _groups(
        self, configuration: Configuration, probed: set[str]
    ) -> Iterable[tuple[str, list[Member]]]:
        """Baselines with their candidates; large groups in parts, the baseline in each."""
        chosen = [s for s in self.scenarios if s.id in probed]
        controlled = controls.baselines(chosen) if self.settings.profile.controls else set()
        for base in chosen:
            rest = [self._member(s, configuration) for s in chosen if s.baseline == base.id]
            if base.id in controlled:
                start = self._pool.starting(self._environment(base, configuration))
                rest = controls.members(base, configuration, start) + rest
            if not rest and base.baseline:
                continue  # measured as a candidate of its own baseline
            size = self.settings.members - 1
            parts = [rest[i : i + size] for i in range(0, len(rest), size)] or [[]]
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
        for number in range(looks[-1]):
            what = (
                f"{name}: launch {number + 1} of {looks[-1]}, {len(members)} members taking turns"
            )
            self.reporter.begin(what)
            last = number + 1 in looks
            traces = self.folder.folder / "traces" if self._traced(number) else None
            launches = run_launch(
                name, members, number, self.settings.profile, self.settings.seed, traces
            )
            self._keep(launches)
            self.reporter.done()
            if last and stopping.suffices(
                [x for x in self.launches if x.group == name], self.settings.profile.half_width
            ):
                self.reporter.done(looks[-1] - number - 1)
                break

    def _traced(self, number: int) -> bool:
        """Whether this launch is traced after its last turn: once a group is enough."""
        return self.settings.profile.trace and number == 0

    # --- pieces -------------------------------------------------------------------------------

    def _environment(self, scenario: Scenario | None, configuration: Configuration) -> Environment:
        return Environment.of(scenario, configuration, configuration.python, ROOT)

    def _member(
        self, scenario: Scenario, configuration: Configuration, role: Any = "candidate"
    ) -> Member:
        start = self._pool.starting(self._environment(scenario, configuration))
        return Member(scenario, configuration, start, role)

    def _units(self) -> int:
        every = {s.id for s in self.scenarios}
        groups = sum(len(list(self._groups(c, every))) for c in self.settings.configurations)
        if len(self.settings.configurations) > 1:
            groups += len(every)
        probes = len(self.scenarios) * len(self.settings.configurations)
        return probes + groups * self.settings.profile.looks[-1]

    def _keep(self, launches: Sequence[Launch]) -> None:
        self.launches += launches
        self.folder.append(launches)

    def _write(self) -> None:
        self.facts["controls"] = controls.verdicts(self.launches)
        self.facts["warnings"] = controls.warnings(self.facts["controls"])
        self.folder.write_facts(self.facts)
        if self.launches:
            self.folder.write_effects(self.effects.rows)


def default_folder() -> Path:
    """runs/<time>-<host>."""
    return Path("runs") / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.uname().nodename}"
