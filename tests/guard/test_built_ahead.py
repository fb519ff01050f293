"""While one launch takes turns, the next is built on another core; nothing is built in vain."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bench.guard.checkouts.worktrees import Checkout
from bench.guard.sources import launching, turns
from bench.guard.sources.launching import LiveLauncher
from bench.guard.sources.turns import MOST_MEMBER_S, PROFILE
from bench.results.values import Launch, WorkloadSpec
from bench.sweep.progress import Silent
from bench.sweep.settings import Profile
from bench.sweep.starting import Cores
from tests.guard.fakes import subject


@dataclass
class Built:
    """What start_launch gives."""

    name: str
    index: int
    free: Cores | None
    """Cores that it may build on by now; None: where its turns are."""
    cores: list[int]
    """Those at the start."""
    closed: list[bool] = field(default_factory=list)
    seconds: float = 0.0
    places: tuple[str, ...] = ("base", "head")
    member_s: float = 0.0
    """Turns that a side could take."""

    def close(self) -> None:
        self.closed.append(True)


class NoPool:
    """Starts no process."""

    def __init__(self, *arguments: object) -> None: ...

    def process(self, environment: object) -> None: ...

    def starting(self, environment: object) -> None: ...

    def close(self) -> None: ...


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[Built]:
    """Launches in the order in which they were built; ended ones keep `closed` empty."""
    found: list[Built] = []

    def start(name: str, members: Any, index: int, *rest: Any) -> Built:
        cores = rest[2] if len(rest) > 2 else None
        found.append(Built(name, index, cores, list(cores.queue) if cores else []))
        return found[-1]

    monkeypatch.setattr(launching, "Pool", NoPool)
    monkeypatch.setattr(turns, "all_cores", lambda: {0, 1})
    monkeypatch.setattr(turns, "cores_apart", lambda members: [0, 1])
    monkeypatch.setattr(turns, "start_launch", start)
    monkeypatch.setattr(turns, "end_launch", end)
    return found


def end(started: Built, profile: Profile) -> list[Launch]:
    """What end_launch gives."""
    started.member_s = profile.member_s
    return [Launch(started.name, "cpu-1", index=started.index, side=x) for x in started.places]


def begun(built: list[Built], count: int) -> Built:
    """The last of so many launches: one that is built ahead begins in a thread of its own."""
    for _ in range(1000):
        if len(built) == count:
            return built[-1]
        time.sleep(0.01)
    raise AssertionError(built)


@pytest.fixture
def launcher(built: list[Built], tmp_path: Path) -> LiveLauncher:
    side = Checkout("a", tmp_path, "")
    return LiveLauncher(side, side, WorkloadSpec(), 1 << 30, Silent())


def test_the_announced_launch_is_built_once_beside_the_turns(
    launcher: LiveLauncher, built: list[Built]
) -> None:
    one = subject()
    launcher.time(one, "screen", 0, (one, "screen", 1))
    pair = launcher.time(one, "screen", 1)
    assert [x.index for x in pair] == [1, 1]
    assert [(b.index, b.cores) for b in built] == [(0, []), (1, [1])]  # the turns are on core 0
    assert not any(b.closed for b in built)


@pytest.mark.parametrize(
    ("seconds", "member_s"),
    [(0.9, PROFILE.member_s), (3.0, 1.0), (60.0, MOST_MEMBER_S)],
)
def test_turns_may_take_as_long_as_building_did(
    launcher: LiveLauncher, built: list[Built], seconds: float, member_s: float
) -> None:
    one = subject()
    launcher.time(one, "screen", 0, (one, "screen", 1))
    begun(built, 2).seconds = seconds
    launcher.time(one, "screen", 1)
    assert built[1].member_s == member_s


def test_when_the_turns_are_over_their_core_builds_too(
    launcher: LiveLauncher, built: list[Built]
) -> None:
    one = subject()
    launcher.time(one, "screen", 0, (one, "screen", 1))
    launcher.restart()  # waits for what is being built
    free = built[1].free
    assert free is not None
    assert list(free.queue) == [1, 0]


def test_what_was_built_in_vain_is_ended(launcher: LiveLauncher, built: list[Built]) -> None:
    one, two = subject("infer/one"), subject("infer/two")
    launcher.time(one, "screen", 0, (two, "screen", 0))
    launcher.time(one, "screen", 1, (two, "screen", 0))
    with launcher:
        launcher.restart()
    assert [(b.name, bool(b.closed)) for b in built] == [
        ("screen/infer/one@cpu-1", False), ("screen/infer/two@cpu-1", True),
        ("screen/infer/one@cpu-1", False), ("screen/infer/two@cpu-1", True),
    ]  # fmt: skip


def test_nothing_is_built_ahead_where_the_turns_need_all_cores(
    launcher: LiveLauncher, built: list[Built], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "all_cores", lambda: {0})
    launcher.time(subject(), "screen", 0, (subject(), "screen", 1))
    assert len(built) == 1
