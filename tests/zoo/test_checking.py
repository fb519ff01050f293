"""What the zoo complains of, on rows made up here."""

from __future__ import annotations

import fnmatch

import pytest

from bench.results.values import Effect
from bench.sweep.discovery import discover
from research.zoo import checking
from research.zoo.models import EVERYWHERE, MODELS, Model

MODEL = Model(
    "one", "a model", "net.keras", least_ok=2, required=("infer/xla", "infer/litert-*"),
    refusals={"no layers": "infer/pruned infer/qat-*"},
)  # fmt: skip


def row(scenario: str, status: str = "ok", reason: str = "") -> Effect:
    return Effect(scenario, "cpu-all", status=status, reason=reason)


GOOD = [row("infer/xla"), row("infer/litert-int8")]


def test_a_model_that_is_as_wanted_gives_no_complaint() -> None:
    refused = row("infer/qat-int8", "unsupported", "it has no layers: give some")
    assert not checking.complaints(MODEL, [*GOOD, refused])


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([*GOOD, row("infer/onnx", "failed", "it broke")], "infer/onnx failed: it broke"),
        ([*GOOD, row("infer/onnx", "timeout", "too slow")], "infer/onnx timeout: too slow"),
        ([row("infer/function"), row("infer/xla")], "infer/litert-* is not ok"),
        ([*GOOD, row("infer/pruned", "unsupported", "a typo")], "not expected: a typo"),
        ([*GOOD, row("infer/frozen", "unsupported", "no layers")], "not expected: no layers"),
    ],
)
def test_what_is_not_as_wanted_is_said(rows: list[Effect], sentence: str) -> None:
    found = checking.complaints(MODEL, rows)
    assert len(found) == 1
    assert sentence in found[0]


def test_a_part_of_the_suite_need_not_hold_all_that_is_wanted() -> None:
    assert not checking.certain(MODEL, GOOD[:1])
    assert checking.certain(MODEL, [row("infer/xla", "failed", "it broke")])


def test_only_rows_that_are_counted_count() -> None:
    model = Model("one", "a model", "net.keras", least_ok=2, counted="infer/*")
    found = checking.complaints(model, [row("infer/xla"), row("train/xla")])
    assert found == ["1 rows of infer/* are ok, at least 2 are wanted"]
    assert not checking.complaints(model, [*GOOD, row("train/xla")])


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_entries_name_scenarios_that_exist(model: Model) -> None:
    known = discover()
    globs = [g for given in (EVERYWHERE, model.refusals) for text in given.values()
             for g in text.split()]  # fmt: skip
    for each in (*globs, *model.required, *model.also, model.counted):
        assert fnmatch.filter(known, each), each


def test_names_are_distinguished() -> None:
    assert len({model.name for model in MODELS}) == len(MODELS)
