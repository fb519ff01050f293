"""Functions as members of a group: launched and timed as scenarios are."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from bench.plugin import callables, effects
from bench.results.errors import Unsupported
from bench.sweep.groups import run_launch
from bench.sweep.running import LaunchFailed


def quick() -> int:
    return sum(range(2000))


def slow() -> int:
    return sum(range(20_000))


@pytest.fixture(autouse=True)
def forkable(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process of users' tests: other tests of ours may have started TensorFlow in this."""
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)


def test_functions_take_the_turns_of_any_group() -> None:
    own = os.sched_getaffinity(0)
    base, new = run_launch("test", callables.members(quick, slow), 0, callables.PROFILE, 0)
    assert (base.scenario, new.scenario) == ("slow", "quick")
    assert (base.role, new.role) == ("baseline", "candidate")
    assert base.outcome == new.outcome == "ok", (base.reason, new.reason)
    assert {t.round for t in new.turns} <= {t.round for t in base.turns}
    assert base.level is not None
    assert base.turns[0].steps >= 1
    assert len(base.probes["pages_remapped"]) == callables.PROFILE.placements - 1
    assert {base.start_order, new.start_order} == {0, 1}
    assert os.sched_getaffinity(0) == own  # the tests' process is where it was


def refuses() -> None:
    raise Unsupported("needs a flux capacitor")


def raises() -> None:
    print("last words")
    raise ValueError("no such thing")


def dies() -> None:
    os._exit(3)


@pytest.mark.parametrize(
    ("broken", "outcome", "reason"),
    [
        (refuses, "unsupported", "refuses: needs a flux capacitor"),
        (raises, "failed", "raises: ValueError: no such thing"),
        (dies, "failed", "dies: the launch ended with exit status 3"),
    ],
)
def test_a_function_that_fails_says_how(
    broken: Callable[[], Any], outcome: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    launch = effects.launcher(callables.members(broken, slow), callables.PROFILE)
    with pytest.raises(LaunchFailed) as caught:
        launch(0)
    assert (caught.value.outcome, caught.value.reason) == (outcome, reason)
    shown = capsys.readouterr().err
    if broken is raises:
        assert "last words" in shown
        assert 'raise ValueError("no such thing")' in shown  # the traceback, with its line


def test_tensorflow_that_runs_already_is_not_forked(monkeypatch: pytest.MonkeyPatch) -> None:
    started = SimpleNamespace(_context=SimpleNamespace(_context_handle=object()))
    monkeypatch.setitem(sys.modules, "tensorflow", SimpleNamespace())
    monkeypatch.setitem(sys.modules, "tensorflow.python.eager.context", started)
    with pytest.raises(Unsupported, match="already runs"):
        effects.launcher(callables.members(quick, slow), callables.PROFILE)(0)
