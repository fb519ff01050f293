"""Taking a step apart: its variants are members of one launch, and take turns as any group does."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.explain import traces
from bench.results.values import Configuration, Launch, Scenario
from bench.sweep.members import Member, Place, Process
from bench.sweep.rounds import take_turns
from bench.sweep.running import LaunchFailed
from bench.sweep.settings import Profile
from bench.sweep.starting import warm

PROFILE = Profile(
    "diagnosis", (1,), 1.0, turn_ms=100, rounds=7, member_s=0.7, warmup_s=0.6, epochs=1,
    timeout_s=900, trace=False, controls=False,
)  # fmt: skip
LEAST_ROUNDS = 5
BUDGET_S = 12.0
"""Fewer rounds where the turns would take longer than this in all."""


@dataclass(frozen=True)
class Apart:
    """What a step takes, whole and with one part taken away."""

    seconds: Mapping[str, Sequence[float]]
    """A step's by variant, one value a round."""
    facts: Mapping[str, Any]
    trace: Mapping[str, Any]
    """Of the whole step, as `bench.launch.analysis.trace` records it."""
    missing: Mapping[str, str]
    """Why a variant has no times."""


class Variant:
    """One variant of a launch, asked as if it were a launch of its own."""

    def __init__(self, launch: Process, name: str) -> None:
        self._launch, self.name = launch, name

    @property
    def waited_s(self) -> float:
        """Wall time spent in waiting for the launch."""
        return self._launch.waited_s

    @property
    def waited_cpu_s(self) -> float:
        """CPU time of it."""
        return self._launch.waited_cpu_s

    @property
    def stood_still_s(self) -> float:
        """Wall time in which the launch stood still, and this process with it."""
        return self._launch.stood_still_s

    def call(self, do: str, timeout_s: float, **arguments: Any) -> dict[str, Any]:
        """Send the launch a message for this variant."""
        return self._launch.call(do, timeout_s, variant=self.name, **arguments)

    def pause(self) -> None:
        """Stop the launch."""
        self._launch.pause()

    def output(self) -> str:
        """The end of what the launch printed."""
        return self._launch.output()

    def close(self) -> None:
        """Leave the launch to the other variants."""


def take(
    start: Callable[[], Process], scenario: Scenario, configuration: Configuration, folder: Path
) -> Apart:
    """Launch a path, let its variants take turns, and trace the whole.

    Args:
        start: Makes a launch of the path.
        scenario: The path's.
        configuration: Where it runs.
        folder: Where the trace goes.

    Raises:
        LaunchFailed: The path cannot be built, or not be taken apart.
    """
    label = traces.label_of("path", configuration.name)
    timeout_s = PROFILE.timeout_s
    launch = start()
    try:
        launch.call("prepare", timeout_s)
    finally:
        launch.close()
    launch = start()
    try:
        launch.call("build", timeout_s, first_step=False)
        answer = launch.call("take_apart", timeout_s)
        peaks = [launch.call("peaks", timeout_s)["peaks"]]
        places = [_place(launch, name, scenario, configuration) for name in answer["variants"]]
        _turns(places)
        peaks.append(launch.call("peaks", timeout_s)["peaks"])
        done = {p.member.side: p for p in places if p.alive}
        seconds = {name: [t.step_ns / 1e9 for t in p.turns] for name, p in done.items()}
        missing = {p.member.side: p.launch.reason for p in places if not p.alive}
        recorded = launch.call(
            "trace", timeout_s, variant=places[0].member.side, folder=str(folder / label),
            host=label, fastest_s=min(seconds[places[0].member.side]),
        )  # fmt: skip
    finally:
        launch.close()
    best = {name: max(each[name] for each in peaks) for name in peaks[0]}
    return Apart(seconds, answer["facts"] | best, recorded["trace"], answer["missing"] | missing)


def _place(launch: Process, name: str, scenario: Scenario, configuration: Configuration) -> Place:
    variant = Variant(launch, name)
    member = Member(scenario, configuration, lambda *_: variant, side=name)
    return Place(member, Launch(scenario.id, configuration.name, side=name), variant)


def _turns(places: Sequence[Place]) -> None:
    """Warm up and take turns; the whole step is everybody's neighbour."""
    for place in places:
        warm(place, PROFILE)
    round_s = sum(place.steps * place.step_ns for place in places) / 1e9
    rounds = max(LEAST_ROUNDS, min(PROFILE.rounds, int(BUDGET_S / max(round_s, 1e-9))))
    take_turns(places, rounds, PROFILE, random.Random(0))
    whole = places[0]
    if not whole.alive:
        raise LaunchFailed(whole.launch.outcome, whole.launch.reason)
