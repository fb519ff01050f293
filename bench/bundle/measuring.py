"""A bundle's file against its baseline, live, by turns, with the baseline against itself beside."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.bundle.claim import Claim, Form
from bench.results import statistics
from bench.results.effects import launch_effect
from bench.results.errors import Unsupported, UsageError
from bench.results.values import Configuration, Estimate, Launch, Scenario, WorkloadSpec
from bench.sweep.discovery import ROOT
from bench.sweep.groups import run_launch
from bench.sweep.interpreter import Environment
from bench.sweep.members import Member
from bench.sweep.preloaded import Pool
from bench.sweep.progress import Reporter
from bench.sweep.running import LaunchFailed
from bench.sweep.settings import PROFILES, Profile

MODULE = "scenarios.bundles.workloads"
PROFILE = dataclasses.replace(PROFILES["quick"], trace=False, controls=False)
LOOKS = (4, 6, 8, 12, 16)
"""Launches after which it is asked whether they suffice."""
MEMORY_SHARE = 0.4
"""Of the machine's memory; a launch that grows beyond it is ended."""
Answered = Callable[["Pair"], bool]


@dataclass(frozen=True)
class Pair:
    """What the launches so far showed, as ln(time ÷ baseline's time), one value a launch."""

    effects: tuple[float, ...]
    controls: tuple[float, ...]
    """The baseline against itself."""
    orders: tuple[int, ...]

    def speedup(self, confidence: float = 0.95) -> Estimate:
        """The candidate's speed-up over the baseline."""
        return statistics.as_speedup(
            statistics.over_launches(self.effects, self.orders, confidence)
        )

    def control(self, confidence: float = 0.95) -> Estimate:
        """The baseline's speed-up over itself: 1, but for noise."""
        return statistics.as_speedup(statistics.over_launches(self.controls, None, confidence))


class Launches:
    """Launches of a bundle's files; the preloaded processes live until `close`.

    Args:
        bundle: Its folder.
        claim: What it says of its files.
        configuration: Where they run.
        data: What quality is measured on, by name; empty: nothing.
    """

    def __init__(
        self, bundle: Path, claim: Claim, configuration: Configuration, data: str = ""
    ) -> None:
        self.configuration = configuration
        self._claim = claim
        known = {k: claim.workload[k] for k in ("seed", "task", "target") if k in claim.workload}
        # a metric of the user's own is a function in a file: a bundle may name no code
        metric = str(claim.workload.get("metric", ""))
        spec = WorkloadSpec(
            data=data, model=str(bundle.resolve()), metric="" if ":" in metric else metric,
            workloads=f"{MODULE}:Workloads", **known,
        )  # fmt: skip
        self._pool = Pool(spec, memory_bytes())

    def pair(self, answered: Answered, until_s: float, reporter: Reporter) -> Pair | None:
        """What launches of both files show; see `by_turns`."""
        assert self._claim.model is not None
        assert self._claim.baseline_model is not None
        return by_turns(
            [
                self._member(self._claim.baseline_model, "baseline"),
                self._member(self._claim.model, "candidate"),
                self._member(self._claim.baseline_model, "control-same"),
            ],
            answered,
            until_s,
            reporter,
        )

    def ask(self, form: Form, function: str) -> dict[str, Any]:
        """What a function of `scenarios.bundles` makes of a file's path."""
        with self._built(form) as launch:
            return dict(launch.call("apply", PROFILE.timeout_s, function=f"{MODULE}:{function}"))

    def probe(self, form: Form) -> Launch:
        """A file's quality on the data."""
        with self._built(form) as launch:
            found = launch.call("probe", PROFILE.timeout_s, first=1, epochs=1)
        names = {field.name for field in dataclasses.fields(Launch)}
        found = {k: tuple(v) if isinstance(v, list) else v for k, v in found.items() if k in names}
        return Launch(form.place, self.configuration.name, purpose="probe", **found)

    @contextmanager
    def _built(self, form: Form) -> Iterator[Any]:
        scenario = scenario_of(form)
        environment = Environment.of(scenario, self.configuration, "", ROOT)
        launch = self._pool.launch(environment, scenario, self.configuration)
        try:
            launch.call("build", PROFILE.timeout_s, first_step=False)
            yield launch
        finally:
            launch.close()

    def _member(self, form: Form, role: Any) -> Member:
        scenario = scenario_of(form)
        environment = Environment.of(scenario, self.configuration, "", ROOT)
        return Member(scenario, self.configuration, self._pool.starting(environment), role)

    def close(self) -> None:
        """End the preloaded processes."""
        self._pool.close()

    def __enter__(self) -> Launches:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def by_turns(
    members: Sequence[Member], answered: Answered, until_s: float, reporter: Reporter
) -> Pair | None:
    """Launch baseline, candidate and control until that is answered, or the time is over.

    Args:
        members: These three, in this order.
        answered: Whether what there is suffices.
        until_s: Monotonic time at which the last launch should have ended.
        reporter: Told what happens.

    Returns:
        None where the time did not suffice for two launches.

    Raises:
        LaunchFailed: One of them could not be launched.
        Unsupported: One of them cannot run here.
    """
    made: list[list[Launch]] = []
    longest_s = 0.0
    while len(made) < LOOKS[-1] and time.monotonic() + longest_s < until_s:
        begun = time.monotonic()
        reporter.begin(f"launch {len(made) + 1} of {LOOKS[-1]} at most: 3 taking turns")
        made.append(_launched(members, len(made)))
        longest_s = max(longest_s, time.monotonic() - begun)
        if len(made) in LOOKS and answered(_pair(made)):
            break
    return _pair(made) if len(made) > 1 else None


def memory_bytes() -> int:
    """What a launch may take of this machine's memory."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return int(memory * MEMORY_SHARE)


def scenario_of(form: Form) -> Scenario:
    """A file of a bundle as a scenario."""
    arguments = {
        "place": form.place, "runtime": form.runtime, "batch": form.batch, "xla": form.xla,
    }  # fmt: skip
    return Scenario(
        f"bundle/{form.place}", "infer", "A file of a bundle.", MODULE, "path", MODULE, 1,
        arguments=arguments,
    )  # fmt: skip


def configuration_here(claimed: Configuration) -> Configuration:
    """The claim's configuration on this machine: as many threads, on cores that are there.

    Raises:
        UsageError: This machine has too few cores, or not the device.
    """
    from bench.sweep.settings import find_configuration

    available = tuple(sorted(os.sched_getaffinity(0)))
    if claimed.device != "cpu":
        return find_configuration(claimed.name, {})
    cores = max(1, len(claimed.cpus))
    if cores > len(available):
        raise UsageError(f"the claim is for {cores} cores, {len(available)} are available here")
    return Configuration(
        claimed.name, max(1, claimed.threads), available[-cores:], "cpu",
        {"CUDA_VISIBLE_DEVICES": "-1"},
    )  # fmt: skip


def _launched(members: Sequence[Member], index: int, profile: Profile = PROFILE) -> list[Launch]:
    launches = run_launch("bundle", members, index, profile, 0)
    for each in launches:
        if each.outcome == "unsupported":
            raise Unsupported(each.reason)
        if each.outcome != "ok":
            raise LaunchFailed(each.outcome, f"{each.scenario}: {each.reason}")
    return launches


def _pair(made: Sequence[Sequence[Launch]]) -> Pair:
    effects, controls, orders = [], [], []
    for base, own, same in made:
        effect, control = launch_effect(base, own), launch_effect(base, same)
        if effect is not None and control is not None:
            effects.append(effect)
            controls.append(control)
            orders.append(int(own.start_order < base.start_order))
    return Pair(tuple(effects), tuple(controls), tuple(orders))
