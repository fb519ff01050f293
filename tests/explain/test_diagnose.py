"""A diagnosis's parts that need no launch, and one launch that takes a real path apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from rich.console import Console

from bench.explain import diagnose
from bench.results.errors import LaunchError, UsageError
from bench.results.values import Effect, Scenario
from bench.sweep import settings
from bench.sweep.discovery import discover
from bench.sweep.preloaded import Pool
from tfbench.command import diagnose as command

pytestmark = pytest.mark.usefixtures("lasting")
IDS = [
    "train/eager", "train/mixed-float16", "train/xla", "input/prefetch", "infer/separable",
    "infer/litert-int8", "infer/xla",
]  # fmt: skip


def test_one_scenario_of_each_step_comes_before_a_second_of_any() -> None:
    found = [("a", "train/a1"), ("a", "train/a2"), ("b", "train/b1"), ("c", "train/c1")]
    assert diagnose.one_of_each(found, 3) == [found[0], found[2], found[3]]
    assert diagnose.one_of_each(found, 4) == found
    assert diagnose.one_of_each(found, 0) == []


def test_next_steps_come_in_the_documents_order() -> None:
    found = [id for _, id in diagnose.candidates("compute", "infer", IDS)]
    assert found == ["infer/separable", "infer/litert-int8", "infer/xla"]
    assert diagnose.candidates("input", "train", IDS) == [("input pipeline", "input/prefetch")]
    assert [id for _, id in diagnose.candidates("overhead", "train", IDS)] == [
        "train/eager", "train/xla",
    ]  # fmt: skip


def test_every_next_step_is_a_scenario_with_a_baseline() -> None:
    """One without could show no gain."""
    found = discover()
    for _, _, patterns in diagnose.STEPS:
        for pattern in patterns:
            assert any(s.baseline for id, s in found.items() if fnmatchcase(id, pattern)), pattern
    assert all(found[id].baseline for id in diagnose.PIPELINES)


def test_a_slower_path_shows_its_baseline_as_the_step() -> None:
    eager = Effect("train/eager", "cpu-1", "train/function", speedup=0.25, accuracy_delta_pp=1.5)
    step = diagnose.NextStep.of("graphs instead of Python", eager)
    assert (step.scenario, step.against) == ("train/function", "train/eager")
    assert (step.speedup, step.accuracy_pp) == (4.0, -1.5)


def test_a_step_without_a_figure_says_why() -> None:
    failed = Effect("train/xla", "cpu-1", "train/function", "failed", "it broke", speedup=2.0)
    step = diagnose.NextStep.of("compilation", failed)
    assert (step.speedup, step.reason) == (None, "failed: it broke")


def test_a_missing_file_is_named() -> None:
    with pytest.raises(UsageError, match=r"nowhere\.py does not exist"):
        diagnose.subject("nowhere.py:path")


def test_an_unknown_scenario_suggests_one() -> None:
    with pytest.raises(UsageError, match="did you mean train/function"):
        diagnose.subject("train/functoin")


TakeApart = Callable[[str], diagnose.Diagnosis]
PLANTED = str(Path(__file__).with_name("planted.py"))


def planted(function: str) -> Scenario:
    """A path of planted.py; those that take minutes are `python -m tests.explain.planted`."""
    return Scenario(function, "train", "", PLANTED, function, PLANTED, 1)


@pytest.fixture(scope="module")
def chosen(cache: Path) -> settings.Settings:
    """The workload of planted paths, on one core."""
    flags = {"configuration": "cpu-1", "cache": str(cache), "data": "synthetic:8x8x3"}
    return settings.load(None, flags)


@pytest.fixture(scope="module")
def take_apart(chosen: settings.Settings) -> Iterator[TakeApart]:
    """Diagnoses a planted path, in launches of one preloaded process."""
    with Pool(chosen.workload, chosen.memory_bytes) as pool:
        yield lambda function: diagnose.diagnose(
            planted(function), chosen, chosen.configurations[0], pool=pool
        )


@pytest.mark.launches
def test_a_planted_bottleneck_is_found(take_apart: TakeApart) -> None:
    found = take_apart("eager_loop")
    assert found.verdict.bound == "overhead"
    assert found.trace is not None
    assert found.trace.shares["python"] > 0.5
    assert found.missing == {}


def test_a_path_that_cannot_be_taken_apart_says_why(take_apart: TakeApart) -> None:
    """Refuses half a batch: the verdict stands on the rest, and the reason is shown."""
    found = take_apart("whole_batches")
    assert found.missing["half"].startswith("ValueError: Cannot reshape")
    out = Console(record=True, width=200)
    command.show(found, out)
    assert "no time of the step on half a batch: ValueError: Cannot reshape" in out.export_text()


def test_a_path_that_cannot_be_built_says_why(chosen: settings.Settings) -> None:
    with pytest.raises(LaunchError, match="no_such_path cannot be diagnosed: AttributeError"):
        diagnose.diagnose(planted("no_such_path"), chosen, chosen.configurations[0])
