"""What a run asks before anything is measured: what the workload is, its baseline, the machine."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bench.results.errors import UsageError
from bench.sweep.applying import Facts
from bench.sweep.members import Process
from bench.sweep.running import LaunchFailed
from bench.sweep.settings import Profile

PATIENCE = 6
"""Messages' limits a workload may take to be read and its baseline to be trained."""
SLOW = 20
"""A message may take so many times as long as the workload took to be described."""
CEILINGS_S = 120.0


@dataclass(frozen=True)
class Described:
    """What a describing launch found."""

    facts: Facts
    answer: dict[str, Any]
    seconds: float


def describe(start: Callable[[], Process], profile: Profile) -> Described:
    """What the workload is, by one launch.

    Raises:
        UsageError: It cannot be read, or its parts do not fit.
    """
    begun = time.monotonic()
    answer = _ask(start, "describe", PATIENCE * profile.timeout_s)["facts"]
    return Described(Facts.of(answer), answer, time.monotonic() - begun)


def prepare(start: Callable[[], Process], profile: Profile, train: bool) -> dict[str, Any]:
    """Facts of the shared baseline, which is trained, if wanted, unless the cache holds it.

    Raises:
        UsageError: It cannot be built or trained.
    """
    found: dict[str, Any] = _ask(start, "prepare", PATIENCE * profile.timeout_s, train=train)
    return dict(found["facts"])


def ceilings(start: Callable[[], Process], disk: str) -> dict[str, Any]:
    """The machine's peaks, and what a launch takes to start; raises LaunchFailed."""
    started_s = time.monotonic()
    launch = start()
    try:
        answer = launch.call("ceilings", CEILINGS_S, disk=disk)
    finally:
        launch.close()
    found: dict[str, Any] = answer["ceilings"]
    return found | {"launch_start_ns": 1e9 * (answer["ready_s"] - started_s)}


def scaled(profile: Profile, described_s: float) -> Profile:
    """The profile, with the time limits that a workload of this size needs."""
    limit_s = max(profile.timeout_s, SLOW * described_s)
    return dataclasses.replace(profile, timeout_s=limit_s)


def _ask(
    start: Callable[[], Process], do: str, timeout_s: float, **arguments: Any
) -> dict[str, Any]:
    launch = start()
    try:
        return launch.call(do, timeout_s, **arguments)
    except LaunchFailed as error:
        raise UsageError(error.reason) from None
    finally:
        launch.close()
