"""Findings that need no statistics, through the whole guard on invented probes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from bench.guard.comparison import exact
from bench.guard.comparison.launcher import Side, Subject
from bench.guard.comparison.values import Comparison, Judgement
from bench.guard.rule.limits import Limits
from bench.results.values import Launch
from tests.guard.fakes import Effect, FakeLauncher, compare, subject, verdicts


def guarded(effect: Effect, **options: object) -> dict[str, str]:
    guard, _ = compare({"infer/one": effect}, **options)  # type: ignore[arg-type]
    return {j.metric: j.verdict for j in guard.judgements if j.verdict != "no change"}


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"artifact_bytes": 101_000}, {"size": "regression"}),
        ({"artifact_bytes": 100_001}, {"size": "regression"}),
        ({"artifact_bytes": 99_000}, {"size": "improved"}),
        ({"multiply_adds": 50_001}, {"operations": "regression"}),
        ({"parameters": 1001}, {"parameters": "regression"}),
        ({"probes": {"traces": 2}}, {"traces": "regression"}),
        ({"peak_memory_bytes": 22_100_000}, {"peak_memory": "regression"}),
        ({"peak_memory_bytes": 20_500_000}, {}),
        ({"peak_memory_bytes": 15_000_000}, {"peak_memory": "improved"}),
        (
            {"accuracy": 0.88, "correct": (1,) * 880 + (0,) * 120},
            {"accuracy": "regression"},
        ),
        ({"accuracy": 0.895, "correct": (1,) * 895 + (0,) * 105}, {}),
    ],
)
def test_exact_figures(fields: dict[str, object], found: dict[str, str]) -> None:
    assert guarded(Effect(head=fields)) == found


def test_content_that_changed_at_the_same_size_is_reported() -> None:
    sides = [{"probes": {"artifact_sha256": digest}} for digest in ("aa", "bb")]
    assert guarded(Effect(base=sides[0], head=sides[1])) == {"artifact": "changed"}


def test_a_model_saved_anew_is_no_change() -> None:
    """Its bytes differ by counters in names, and sometimes their number does."""
    sides = [
        {
            "artifact_bytes": size,
            "probes": {"artifact_sha256": exact, "artifact_canonical_sha256": canonical},
        }
        for size, exact, canonical in ((1000, "a", "x"), (1002, "b", "x"), (1000, "c", "y"))
    ]
    assert guarded(Effect(base=sides[0], head=sides[1])) == {}
    assert guarded(Effect(base=sides[0], head=sides[2])) == {"artifact": "changed"}
    assert guarded(Effect(base=sides[1], head=sides[2])) == {"size": "improved"}


def test_losses_that_leave_the_bases_are_reported() -> None:
    base = {"step_losses": (2.3, 2.0, 1.8)}
    assert guarded(Effect(base=base, head={"step_losses": (2.3, 2.0, 1.8)})) == {}
    assert guarded(Effect(base=base, head={"step_losses": (2.3, 2.1, 1.8)})) == {
        "losses": "changed"
    }


def test_few_examples_leave_a_loss_open() -> None:
    base = {"accuracy": 0.9, "correct": (1,) * 45 + (0,) * 5}
    head = {"accuracy": 0.88, "correct": (1,) * 44 + (0,) * 6}
    assert guarded(Effect(base=base, head=head))["accuracy"] == "inconclusive"


def peaks(peak: Callable[[FakeLauncher, Side], int | None]) -> tuple[Judgement, FakeLauncher]:
    """What is said of memory where some probes have a peak of their own."""
    guard, launcher = compare({"infer/one": Effect()})
    real = launcher._probe

    def probe(subject: Subject, side: Side) -> Launch:
        launch, own = real(subject, side), peak(launcher, side)
        return dataclasses.replace(launch, peak_memory_bytes=own) if own else launch

    launcher._probe = probe  # type: ignore[method-assign]
    launcher.probed.clear()
    launcher.restarts = 0
    guard.judgements.clear()
    guard.run()
    (found,) = [j for j in guard.judgements if j.metric == "peak_memory"]
    return found, launcher


def test_a_cold_first_probe_is_not_a_change_of_memory() -> None:
    """The first launch converts its artifact, which leaves less memory to grow into."""
    found, launcher = peaks(
        lambda launcher, side: (
            300_000 if side == "head" and launcher.probed["infer/one", "head"] == 1 else None
        )
    )
    assert found.verdict == "no change"
    assert launcher.probed["infer/one", "head"] == 2


def test_a_change_of_memory_has_to_be_seen_again_in_new_processes() -> None:
    """Where memory has two levels, four pairs of probes may differ by chance."""
    found, _ = peaks(
        lambda launcher, side: 22_100_000 if side == "head" and not launcher.restarts else None
    )
    assert found.verdict == "inconclusive"
    assert "did not show it again" in found.reason


def test_a_scenario_that_vanished_is_a_regression_and_a_new_one_is_reported() -> None:
    effects = {"infer/old": Effect(), "infer/new": Effect()}
    subjects = [subject("infer/old", head=False), subject("infer/new", base=False)]
    guard, launcher = compare(effects, subjects=subjects)
    assert verdicts(guard, "presence") == {"infer/old": "regression", "infer/new": "changed"}
    assert not launcher.timed


def fails(side: Side, times: int) -> Effect:
    return Effect(fails=lambda s, n: "it broke" if s == side and n <= times else "")


def test_a_scenario_that_newly_fails_is_a_regression() -> None:
    guard, _ = compare({"infer/one": fails("head", 9)})
    (found,) = guard.judgements
    assert (found.metric, found.verdict) == ("outcome", "regression")
    assert "it broke" in found.reason


def test_a_failure_by_chance_is_launched_again() -> None:
    guard, _ = compare({"infer/one": fails("head", 1)})
    assert verdicts(guard) == {"infer/one": "no change"}


def test_a_scenario_that_fails_anyway_is_not_this_changes_doing() -> None:
    guard, _ = compare({"infer/one": Effect(fails=lambda side, number: "no GPU driver")})
    assert guard.judgements == []
    assert guard.failed == ["infer/one@cpu-1: failed: no GPU driver"]


def test_limits_are_by_metric_and_scenario() -> None:
    limits = Limits(scenarios={"infer/*": {"size": 0.02, "latency": None}})
    guard, _ = compare({"infer/one": Effect(head={"artifact_bytes": 101_000})},
                              limits=limits)  # fmt: skip
    assert verdicts(guard, "size") == {"infer/one": "changed"}
    assert verdicts(guard) == {}


@pytest.mark.parametrize(
    ("verdicts_", "failed", "code"),
    [
        (["no change", "improved", "changed"], (), 0),
        (["no change", "inconclusive"], (), 3),
        (["no change", "inconclusive"], ("infer/x: failed",), 4),
        (["regression", "inconclusive"], ("infer/x: failed",), 1),
    ],
)
def test_exit_codes(verdicts_: list[str], failed: tuple[str, ...], code: int) -> None:
    found = tuple(Judgement("infer/x", "cpu-1", "latency", v) for v in verdicts_)  # type: ignore[arg-type]
    assert Comparison("a", "b", found, 1, 1, failed).exit_code == code


def test_a_figure_is_a_number() -> None:
    """What else stands in a proof, or was written there, is none."""
    for found in (["1"], "1", True, {}, None):
        assert exact.figure(Launch("infer/x", "cpu-1", probes={"traces": found}), "traces") is None
    assert exact.figure(Launch("infer/x", "cpu-1", proof={"traces": 2}), "traces") == 2.0
