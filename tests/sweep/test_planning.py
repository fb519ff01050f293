"""What is measured next: a pure function from the plan and the journal, tried without processes."""

from __future__ import annotations

import dataclasses
import math
import random

import pytest

from bench.results.effects import Effects
from bench.results.values import Configuration, Launch
from bench.sweep import budgets, planning
from bench.sweep.discovery import discover, select
from bench.sweep.pieces import Probe, Turns
from bench.sweep.planning import Plan
from bench.sweep.settings import PROFILES

from .worlds import CPU, World, run, scenario

QUICK = PROFILES["quick"]
SCENARIOS = (
    scenario("train/a"),
    scenario("train/b", "train/a"),
    scenario("infer/a"),
    scenario("infer/b", "infer/a"),
    scenario("infer/c", "infer/a", first=True),
    scenario("infer/d", "infer/b", first=True),
    scenario("infer/e", "infer/a"),
    scenario("input/alone"),
)
PLAN = Plan(SCENARIOS, (CPU,), QUICK)


def names(pieces: list) -> list[str]:
    return [x.scenario if isinstance(x, Probe) else f"{x.group.name}:{x.index}" for x in pieces]


def launches(found: list[Launch], id: str) -> int:
    return sum(x.scenario == id and x.purpose == "timing" and x.role == "candidate" for x in found)


def test_the_effect_table_comes_first() -> None:
    """With what its scenarios are compared with; its groups take turns before others' probes."""
    done, found = run(PLAN, World())
    order = names(done)
    table = ["infer/a", "infer/b", "infer/c", "infer/d"]
    assert order[:4] == table
    assert order[4:12] == [f"{g}:{i}" for g in ("infer/a@c", "infer/b@c") for i in range(4)]
    assert {(r.scenario, r.status) for r in Effects(found, PLAN.by_id).rows} == {
        (s.id, "ok") for s in SCENARIOS
    }


def test_the_whole_suite_s_table_is_the_first_stage() -> None:
    known = discover()
    plan = Plan(tuple(select(known, [])), (CPU,), QUICK)
    groups = [g for g in planning.outline(plan, planning.Journal([])).groups if not g.stage]
    members = {seat.scenario for g in groups for seat in g.seats}
    first = {s.id for s in plan.scenarios if s.first}
    assert first <= members
    assert members - first == {"infer/function", "infer/litert-float32"}


def test_what_answers_most_in_its_time_comes_next() -> None:
    order = names(run(PLAN, World())[0])
    begun = [name.removesuffix(":0") for name in order if name.endswith(":0")]
    table = ["infer/a@c", "infer/b@c"]
    assert begun == [*table, "infer/a@c#2", "train/a@c", "input/alone@c"]


def test_behind_the_table_probes_are_made_at_once_the_longest_first() -> None:
    """Each time that they end the last one runs alone."""
    _, journal = run(PLAN, World())
    table = {s.id for s in PLAN.begun}
    begun = [x for x in journal if x.scenario in table and x.index < 4 and "#" not in x.group]
    left = names(list(planning.next_pieces(PLAN, begun)))
    assert left == ["train/a", "train/b", "infer/e", "input/alone"]


def test_each_baseline_is_controlled_once() -> None:
    done, _ = run(PLAN, World())
    controlled = {
        x.group.name for x in done if isinstance(x, Turns)
        and any(s.role == "control-same" for s in x.seats)
    }  # fmt: skip
    assert controlled == {"infer/a@c#2", "train/a@c"}


@pytest.mark.parametrize("seed", range(5))
def test_any_part_of_a_journal_is_gone_on_from(seed: int) -> None:
    """What was done is not done again, and the end is the same, wherever a run was cut."""
    rng = random.Random(seed)
    world = World(
        noise={s.id: rng.choice((0.001, 0.02, 0.1)) for s in SCENARIOS},
        seed=seed,
        outcome={("infer/e", "timing"): "failed", ("input/alone", "probe"): "failed"},
    )
    plan = dataclasses.replace(PLAN, technique_s=40.0)
    world.build_s["infer/b"] = 8.0
    whole, journal = run(plan, world)
    count, cut = 0, set(rng.sample(range(len(whole)), 12))
    for number, piece in enumerate(whole):
        count += len(world.do(piece))
        if number not in cut:
            continue
        more, again = run(plan, world, journal[:count])
        assert not set(names(more)) & set(names(whole[: number + 1]))
        assert sorted(map(repr, again)) == sorted(map(repr, journal))


def test_who_is_known_well_enough_leaves_and_the_baseline_stays() -> None:
    noise = {f"infer/{n}": 0.3 if n == "e" else 0.001 for n in "abcdef"}
    many = (*(scenario(f"infer/{n}", "infer/a") for n in "bcdef"), scenario("infer/a"))
    plan = Plan(many, (CPU,), dataclasses.replace(QUICK, controls=False))
    done, found = run(plan, World(noise=noise))
    assert launches(found, "infer/e") == 6
    assert launches(found, "infer/b") == launches(found, "infer/f") == 4
    last = next(x for x in reversed(done) if isinstance(x, Turns))
    assert [s.scenario for s in last.seats] == ["infer/a", "infer/e"]


def test_nobody_leaves_because_of_its_effect() -> None:
    """Whatever the speeds are, the same launches are made."""
    rng = random.Random(1)
    made = []
    for _ in range(3):
        speed = {s.id: rng.uniform(-3, 3) for s in SCENARIOS}
        noise = {s.id: 0.015 for s in SCENARIOS}
        made.append(names(run(PLAN, World(speed, noise))[0]))
    assert made[0] == made[1] == made[2]


def test_a_wide_answer_is_narrowed_after_the_others_have_one() -> None:
    world = World(noise={"infer/c": 0.02, "infer/d": 0.02})
    order = names(run(PLAN, world)[0])
    assert order.index("infer/b@c:3") < order.index("infer/a@c:4")


def test_a_useless_answer_is_narrowed_at_once() -> None:
    world = World(noise={"infer/c": 0.3})
    order = names(run(PLAN, world)[0])
    assert order.index("infer/a@c:5") < order.index("infer/b@c:0")


def test_what_fails_is_not_tried_for_ever() -> None:
    world = World(outcome={("infer/c", "timing"): "timeout"})
    assert launches(run(PLAN, world)[1], "infer/c") == 2
    world = World(outcome={("infer/a", "timing"): "failed"})
    assert launches(run(PLAN, world)[1], "infer/e") == 2


def test_a_technique_that_is_slow_gets_fewer_launches_and_says_so() -> None:
    world = World(noise={"infer/c": 0.3, "infer/e": 0.3}, build_s={"infer/c": 20.0})
    plan = dataclasses.replace(PLAN, technique_s=60.0)
    done, found = run(plan, world)
    assert (launches(found, "infer/c"), launches(found, "infer/e")) == (2, 6)
    group = next(x.group for x in done if isinstance(x, Turns))
    own = [x for x in found if x.group == group.name]
    said = {x.scenario: x.warnings for x in budgets.warned(group, own, own[:4], 60.0, QUICK)}
    assert "at most 2 of 6 launches: one takes 20 s" in said["infer/c"][0]
    assert not said["infer/b"]
    assert launches(run(PLAN, world)[1], "infer/c") == 6  # named: no budget


def test_no_technique_takes_more_than_its_share() -> None:
    """Of the planned time; launches of what is slowest are still two, a probe's build is one."""
    assert math.isinf(budgets.technique_s(600.0, 1.0, named=True))
    budget_s = budgets.technique_s(600.0, 1.0, named=False)
    assert budget_s == 60.0
    plan = dataclasses.replace(PLAN, technique_s=budget_s)
    for build_s in (1.0, 5.0, 12.0):
        _, found = run(plan, World(noise={"infer/c": 0.5}, build_s={"infer/c": build_s}))
        assert launches(found, "infer/c") * build_s <= budget_s / 2


def test_in_a_small_selection_nobody_is_slow() -> None:
    """A tenth of a few techniques' time is less than each is expected to take."""
    small = dataclasses.replace(PLAN, scenarios=SCENARIOS[:2])
    largest_s = max(small.expected_s(each) for each in small.scenarios)
    planned_s = planning.left_s(small, [])
    assert budgets.technique_s(planned_s, largest_s, named=False) == 3 * largest_s
    quick = [budgets.training_s(budget_s, QUICK) for budget_s in (10.0, 200.0, math.inf)]
    assert quick == [60.0, 100.0, math.inf]
    assert budgets.training_s(10.0, PROFILES["smoke"]) == 20.0


def test_a_group_whose_launches_take_too_long_has_two() -> None:
    world = World(noise={s.id: 0.3 for s in SCENARIOS})
    slow = dataclasses.replace(QUICK, launch_s=0.5)
    _, found = run(dataclasses.replace(PLAN, profile=slow), world)
    assert max(x.index for x in found) == 1


def test_configurations_are_compared_live_in_the_end() -> None:
    other = Configuration("d", 1, (0,))
    plan = dataclasses.replace(PLAN, configurations=(CPU, other))
    done, found = run(plan, World(outcome={("infer/e", "probe"): "failed"}))
    order = names(done)
    across = [name for name in order if "~configurations" in name]
    assert order[-len(across) :] == across
    assert "infer/b~configurations:3" in across
    assert not any("infer/e" in name for name in across)
    assert any(x.side == "d" for x in found)


@pytest.mark.parametrize("shards", [2, 3, 5])
def test_what_is_wanted_is_measured_with_its_baselines(shards: int) -> None:
    """Parts of a run measure each scenario once."""
    seen: list[str] = []
    for number in range(shards):
        wanted = frozenset(s.id for i, s in enumerate(SCENARIOS) if i % shards == number)
        _, found = run(dataclasses.replace(PLAN, wanted=wanted), World())
        own = {x.scenario for x in found if x.role == "candidate" and x.purpose == "timing"}
        alone = {x.scenario for x in found if x.role == "baseline"
                 and not PLAN.by_id[x.scenario].baseline} & wanted  # fmt: skip
        assert own | alone == wanted
        seen += own
    assert len(seen) == len(set(seen))
