"""Runs are put together: parts and repetitions of one machine, and machines beside each other."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from bench.results.as_json import to_json
from bench.results.effects import Effects
from bench.results.errors import StoreError, UsageError
from bench.results.store import Run
from bench.results.values import Launch
from bench.sweep import recording, stages
from bench.sweep.merging import merge
from bench.sweep.planning import Plan
from bench.sweep.settings import PROFILES

from .standin import SCENARIOS, WORLD
from .worlds import CPU, run, scenario

PLAN = Plan(SCENARIOS, (CPU,), PROFILES["quick"])
ENVIRONMENT = {"host": "a", "cpu": "x", "packages": {"keras": "3.1"}}


def stored(
    name: str, launches: list[Launch], host: str = "a", code: str = "1", **facts: Any
) -> Run:
    later = [dataclasses.replace(x, started_s=float(sum(map(ord, name)))) for x in launches]
    base = {
        "name": name, "started": 1.0, "ended": 2.0, "configurations": [to_json(CPU)],
        "scenarios": [to_json(s) for s in SCENARIOS], "environment": ENVIRONMENT | {"host": host},
        "code": code, "workload_spec": {"model": "net.keras"}, "files": {"net.keras": "1"},
        "settings": {"profile": "quick"}, "selection": {},
    }  # fmt: skip
    return Run(Path(name), json.loads(json.dumps(base | facts)), later)


def part(number: int, parts: int) -> Run:
    wanted = stages.share(SCENARIOS, number, parts)
    return stored(f"part{number}", run(dataclasses.replace(PLAN, wanted=wanted), WORLD)[1])


def rows(found: Any) -> dict[tuple[str, str], Any]:
    effects = Effects(found.launches, PLAN.by_id)
    return {(row.scenario, row.configuration): row for row in effects.rows}


@pytest.mark.parametrize("parts", [2, 3, 4])
def test_parts_become_the_whole(parts: int) -> None:
    whole = stored("whole", run(PLAN, WORLD)[1])
    found = merge([part(number, parts) for number in range(1, parts + 1)])
    expected, got = rows(whole), rows(found)
    assert got.keys() == expected.keys()
    for key, row in expected.items():
        assert got[key].status == row.status
        assert (got[key].speedup is None) == (row.speedup is None)
    assert [c["name"] for c in found.facts["configurations"]] == ["c"]


@pytest.mark.parametrize("parts", [2, 3, 4])
def test_each_scenario_is_in_one_part_and_the_effect_table_is_spread(parts: int) -> None:
    shares = [
        stages.share(SCENARIOS, number, parts) or frozenset() for number in range(1, parts + 1)
    ]
    assert sorted(id for share in shares for id in share) == sorted(s.id for s in SCENARIOS)
    table = {s.id for s in SCENARIOS if s.first}
    assert max(len(share & table) for share in shares) <= -(-len(table) // parts) or parts > 2
    assert sum(bool(share & table) for share in shares) == min(parts, len(table))
    assert stages.share(SCENARIOS, 1, 1) is None
    with pytest.raises(UsageError, match="part 9 of 9 would be empty"):
        stages.share(SCENARIOS, 9, 9)


@pytest.mark.parametrize("parts", [2, 3, 4])
def test_a_part_probes_nothing_that_takes_no_turns(parts: int) -> None:
    """A baseline's own baseline belongs to another part: here its row would be empty."""
    chain = (*SCENARIOS, scenario("infer/h", "infer/g"), scenario("infer/i", "infer/h"))
    for number in range(1, parts + 1):
        plan = dataclasses.replace(PLAN, scenarios=chain, wanted=stages.share(chain, number, parts))
        found = run(plan, WORLD)[1]
        assert {row.status for row in Effects(found, plan.by_id).rows} == {"ok"}


def test_repetitions_are_more_launches_and_are_not_paired_with_each_other() -> None:
    other = dataclasses.replace(WORLD, seed=7, speed={"infer/a": 1.0, "infer/b": 1.0})
    one, two = run(PLAN, WORLD)[1], run(PLAN, other)[1]
    found = merge([stored("one", one), stored("two", two)])
    row = rows(found)["infer/b", "c"]
    assert row.speedup == pytest.approx(1.0, abs=0.05)
    count = sum(x.scenario == "infer/b" and x.purpose == "timing" for x in found.launches)
    assert count == sum(x.scenario == "infer/b" and x.purpose == "timing" for x in one + two)


def test_other_machines_and_other_code_are_columns() -> None:
    launches = run(PLAN, WORLD)[1]
    found = merge([stored("one", launches), stored("two", launches, host="b"),
                   stored("three", launches, code="2"),
                   stored("four", launches, host="b")])  # fmt: skip
    names = [c["name"] for c in found.facts["configurations"]]
    assert names == ["c", "c@b", "c@a"]
    assert [columns["c"] for columns in found.columns] == ["c", "c@b", "c@a", "c@b"]
    assert found.facts["columns"]["c@b"]["environment"]["host"] == "b"
    assert {x.configuration for x in found.launches} == set(names)
    assert {x.group for x in found.launches if x.configuration == "c@b" and x.group} >= {
        "infer/a@c@b of run 2", "infer/a@c@b of run 4"
    }  # fmt: skip


@pytest.mark.faults(
    "Stored files",
    {"runs of other data, models or scenarios are merged": "refused; the difference is named"},
)
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"workload_spec": {"model": "other.keras"}}, "model net.keras → other.keras"),
        ({"files": {"net.keras": "2"}}, "other workloads: files"),
        ({"scenarios": [to_json(s) | ({"baseline": "infer/b"} if s.id == "infer/c" else {})
                        for s in SCENARIOS]}, "another infer/c each: its baseline"),
    ],
)  # fmt: skip
def test_a_mismatch_is_named(changes: dict[str, Any], said: str) -> None:
    launches = run(PLAN, WORLD)[1]
    with pytest.raises(UsageError, match=said):
        merge([stored("one", launches), stored("two", launches, **changes)])


@pytest.mark.parametrize(
    ("workload", "said"),
    [({"classes": 10}, "classes 10 → 7"), ({"train_examples": 50}, "train_examples 50 → 40"),
     ({"line": "classification"}, "line classification → regression"),
     ({"parameters": 5}, "parameters 5 → 6")],
)  # fmt: skip
def test_other_data_and_models_of_one_name_are_named(workload: dict[str, Any], said: str) -> None:
    (name,) = workload
    other = {"classes": 7, "train_examples": 40, "line": "regression", "parameters": 6}[name]
    one, two = run(PLAN, WORLD)[1], run(dataclasses.replace(PLAN), WORLD)[1]
    runs = [stored("one", one, workload=workload), stored("two", two, workload={name: other})]
    with pytest.raises(UsageError, match=f"one and two measured other workloads: {said}"):
        merge(runs)


@pytest.mark.faults(
    "Stored files", {"a run that is merged lacks a field": "refused; file and field are named"}
)
def test_what_cannot_be_merged_is_named() -> None:
    launches = run(PLAN, WORLD)[1]
    whole = stored("whole", launches)
    for name in ("configurations", "environment", "scenarios", "started"):
        cut = stored("cut", launches)
        del cut.facts[name]
        for runs in ([whole, cut], [cut, whole]):
            with pytest.raises(StoreError, match=f"cut/run.json lacks '{name}'"):
                merge(runs)
    with pytest.raises(StoreError, match="other is a guard's"):
        merge([whole, stored("other", launches, guard={})])
    open_ = stored("open", launches)
    del open_.facts["ended"]
    assert "open has not ended" in merge([whole, open_]).facts["warnings"][-1]


def test_a_run_is_given_once_and_what_was_merged_cannot_go_on() -> None:
    one = stored("one", run(PLAN, WORLD)[1])
    with pytest.raises(UsageError, match="hold the same launches"):
        merge([one, one])
    found = merge([one, stored("two", list(one.launches), settings={"profile": "full"})])
    assert "different profiles are put together: quick, full" in found.facts["warnings"][-1]
    with pytest.raises(StoreError, match="put together from several runs"):
        recording.settings_of(found.facts, "merged")
