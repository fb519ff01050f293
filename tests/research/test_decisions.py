"""The precision benchmark's own arithmetic, on made-up launches with known answers."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest

from bench.results.levels import levels
from bench.results.values import Launch, Turn, to_json
from research.precision import counts, decisions, estimators, required, rival_tables, tables

SIDES = ("same-0", "same-1", "same-2", "same-3", "0.02", "0.05")


def records(
    blocks: int = 4,
    sd: float = 0.001,
    case: str = "case",
    configuration: str = "cpu-1",
    launches: int = 8,
    rounds: int = 10,
    seed: int = 0,
) -> list[dict[str, Any]]:
    """Launches whose members differ by what is injected, and by noise of `sd` a launch."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(blocks * launches):
        walk = np.cumsum(rng.normal(0, 0.002, (rounds, len(SIDES))).ravel())  # common to all
        drift = np.exp(walk).reshape(rounds, len(SIDES))
        for place, side in enumerate(SIDES):
            effect = 0.0 if side.startswith("same") else float(side)
            own = math.exp(rng.normal(0, sd)) * (1 + effect)
            places = [place if r % 2 == 0 else len(SIDES) - 1 - place for r in range(rounds)]
            turns = tuple(
                Turn(r, at, 100, round(1e7 * drift[r, at] * own)) for r, at in enumerate(places)
            )
            order = place if number % 2 == 0 else len(SIDES) - 1 - place
            launch = Launch("infer/x", configuration, index=number, side=side, turns=turns,
                            start_order=order, wall_s=3.0)  # fmt: skip
            found.append({
                "case": case, "kind": "made up", "configuration": configuration, "noise": "quiet",
                "injection": "spin", "block": number // launches, "launches": launches,
                "number": number, "session": 1.6e9, "cpu": "a", "launch": to_json(launch),
            })  # fmt: skip
    return found


def test_blocks_hold_every_pair_of_alike_members_and_every_injected_one() -> None:
    first, *_ = decisions.blocks(records(1))
    assert len(first.aa) == 6
    assert len([p for p in first.pairs if p.effect == 0.05]) == 4
    assert all(len(p.values) == 8 for p in first.pairs)
    assert all(abs(p.error) < 0.003 for p in first.pairs)


def test_what_a_launch_is_off_by_as_a_whole_is_no_error_of_its_turns() -> None:
    (calm,), (wild,) = decisions.blocks(records(1, sd=0.001)), decisions.blocks(records(1, sd=0.05))
    assert len(wild.within()) == 6 * len(wild.launches)
    assert wild.within() == pytest.approx(calm.within(), abs=2e-3)
    assert max(abs(p.error) for p in wild.aa) > 0.01


def test_a_spread_of_nothing_is_a_dash() -> None:
    short = [dict(r, launch=dict(r["launch"], turns=r["launch"]["turns"][:1])) for r in records(1)]
    last = tables.turn_length_table(short).splitlines()[-1]
    assert last.endswith("| – |")
    assert "nan" not in last


def test_sessions_of_the_same_work_are_told_apart() -> None:
    noisy, calm = records(2, sd=0.02), records(4, sd=0.001, seed=1)[len(records(2)) :]
    assert tables.session_table(decisions.blocks(noisy)) == ""
    later = [record | {"session": 1.8e9} for record in calm]
    *_, before, after = tables.session_table(decisions.blocks(noisy + later)).splitlines()
    assert "| 2020-09-13 12:26 UTC | a | 2 |" in before
    assert "| 2027-01-15 08:00 UTC | a | 2 |" in after
    sds = [float(row.split("|")[-2].strip(" %")) for row in (before, after)]
    assert sds[0] > 3 * sds[1]
    least, largest = counts.session_spreads(decisions.blocks(noisy + later), 16)
    assert largest == pytest.approx(sds[0] / 100, abs=1e-4)
    assert least == pytest.approx(sds[1] / 100, abs=1e-4)
    assert counts.session_spreads(decisions.blocks(noisy + later), 17) == []


def test_tfbench_stands_first_where_rivals_had_its_work_on_the_same_machine() -> None:
    own = decisions.blocks([r | {"kind": "LiteRT int8"} for r in records(4)])
    rival = {"rival": "tool", "cpu": "a", "effect": 0.05, "wall_s": 5.0, "ln": 0.04,
             "flags": {"rule": True}}  # fmt: skip
    lines = rival_tables.decision_table([rival, rival | {"ln": 0.1}], own).splitlines()
    _, _, first, second = lines
    assert first.startswith("| tfbench | a | guard, default margin | 16.0 s | 0.0")
    assert "| 0 of 24 (" in first
    assert "| 16 of 16 (" in first
    assert second.startswith("| tool | a | rule | 5.0 s | 3.00 % | 4.45 % | – | – | – | 2 of 2")
    (only,) = rival_tables.decision_table([rival | {"cpu": "b"}], own).splitlines()[2:]
    assert only.startswith("| tool | b |")
    assert rival_tables.decision_table([rival], own, "bursts") == ""
    beside = rival_tables.decision_table([rival, rival | {"noise": "bursts"}], own, "bursts")
    (only,) = beside.splitlines()[2:]  # quiet blocks and decisions stand in a table of their own
    assert only.endswith("| – | – | – | 1 of 1 (2.5 to 100.0 %; 1 effective) | – |")


def test_a_decision_takes_as_many_launches_as_asked_across_blocks() -> None:
    chain = decisions.blocks(records(3))
    parts = decisions.regrouped(chain, 5)
    assert [len(b.launches) for b in parts] == [5, 5, 5, 5]
    values = [x for b in chain for x in b.pairs[0].values]
    assert [x for b in parts for x in b.pairs[0].values] == values[:20]


def test_precision_is_told_of_all_sessions_and_of_each() -> None:
    done = records(2, sd=0.02) + [r | {"session": 1.8e9} for r in records(2, seed=1)]
    (row,) = required._sds(decisions.blocks(done), "cpu-1", "made up", 0.002, 4.4, "decision")
    assert re.search(r"% at 4.0 s \(4 times 8 launches; by session 0.\d+ % to \d.\d+ %\)", row[2])
    assert row[3] == "**no**"
    (row,) = required._sds(decisions.blocks(records(1)), "cpu-1", "made up", 0.002, 60, "decision")
    assert row[3] == "not run"  # not the 120 launches that the time would allow


def test_launches_on_two_machines_make_no_decision_together() -> None:
    here = records(1)
    there = [record | {"session": 1.8e9, "cpu": "b"} for record in records(1)]
    assert len(decisions.chains(decisions.blocks(here + there))) == 2
    assert counts.power(decisions.blocks(here + there), 0.05)[1] == 0  # nothing confirms either
    assert counts.coverage(decisions.blocks(here + there))[1] == 2 * 14


def test_blocks_with_other_members_are_no_part_of_a_decision() -> None:
    """A case whose injected effects were changed between two sessions."""
    before = records(3)
    after = [r | {"session": 1.8e9} for r in records(3) if r["launch"]["side"] != "0.02"]
    both = decisions.blocks(before + after)
    assert [len(chain) for chain in decisions.chains(both)] == [3, 3]
    _, trials, *_ = counts.guarded_counts(both, 0.02)
    assert trials == counts.guarded_counts(decisions.blocks(before), 0.02)[1] > 0


def test_quiet_cases_come_first_and_like_ones_together() -> None:
    def of(noise: str, kind: str, injection: str) -> list[dict[str, Any]]:
        own = {"case": f"{noise}{kind}{injection}", "noise": noise, "kind": kind}
        return [r | own | {"injection": injection} for r in records(1)]

    found = decisions.blocks(
        of("bursts", "b", "work") + of("quiet", "b", "work") + of("quiet", "a", "work")
        + of("quiet", "b", "turn spin")
    )  # fmt: skip
    order = [(noise, kind, by) for kind, _, noise, by in decisions.by_case(found)]
    assert order == [("quiet", "b", "turn spin"), ("quiet", "b", "work"), ("quiet", "a", "work"),
                     ("bursts", "b", "work")]  # fmt: skip


def test_a_block_that_was_interrupted_is_left_out() -> None:
    assert len(decisions.blocks(records(2)[: -2 * len(SIDES)])) == 1


def test_the_guard_s_rule_calls_what_is_there_and_nothing_else() -> None:
    done = decisions.blocks(records(6))
    flagged, confirmed, total, effective = counts.alarm_counts(done)
    assert (confirmed, total, effective) == (0, 36, 18)
    assert flagged <= 1
    for effect in (0.02, 0.05):
        hits, trials, _ = counts.power(done, effect)
        assert (hits, trials) == (24, 24)


def test_what_was_decided_is_told_of_each_case() -> None:
    found = {n: tables.matrix_table(decisions.blocks(records(n))).splitlines()[-1] for n in (1, 6)}
    case = "| made up | cpu-1 | quiet | spin |"
    assert found[6] == f"{case} 0 of 36 | – | 24 of 24 | 24 of 24 | – |"
    assert found[1] == f"{case} – | – | – | – | – |"


def test_noise_hides_effects_and_a_single_block_confirms_nothing() -> None:
    noisy = decisions.blocks(records(4, sd=0.2))
    hits, trials, _ = counts.power(noisy, 0.02)
    assert hits < trials / 4
    assert counts.power(decisions.blocks(records(1)), 0.05)[0] == 0


def test_a_decision_goes_on_until_it_is_sharp_as_the_guard_does() -> None:
    quiet, noisy = decisions.blocks(records(12)), decisions.blocks(records(12, sd=0.006))
    hits, trials, effective, launches = counts.guarded_counts(quiet, 0.02)
    assert (hits, launches) == (trials, 12)  # both stages end at their first look
    assert effective < trials
    hits, trials, _, launches = counts.guarded_counts(noisy, 0.02)
    assert hits >= 0.9 * trials
    assert launches > 12
    assert counts.guarded_counts(noisy, 0.0, default=True)[0] == 0


def test_what_stays_too_noisy_with_all_launches_counts_as_not_found() -> None:
    hopeless = decisions.blocks(records(4, sd=0.2))
    hits, trials, _, launches = counts.guarded_counts(hopeless, 0.02)
    assert (hits, trials, launches) == (0, 4, 32)  # half of 32 launches for each stage
    assert decisions.guarded([], 0.02, decisions.sharp_limit(0.02)) == []


def test_records_that_leave_nothing_to_go_on_with_decide_nothing() -> None:
    chain, limit = decisions.blocks(records(3)), decisions.sharp_limit(0.05)
    assert len(chain) * len(chain[0].launches) == 24
    assert decisions.guarded(chain, 0.05, limit)
    assert decisions.guarded(chain[:2], 0.05, limit) == []


def test_the_default_margin_is_the_guard_s() -> None:
    assert decisions.default_limit("cpu-1").margin == 0.02
    assert decisions.default_limit("cpu-all").margin == 0.05
    assert decisions.sharp_limit(0.01).floor == 0.005


def test_coverage_and_spread_are_those_of_the_noise() -> None:
    done = decisions.blocks(records(40, sd=0.002))
    hits, total, _ = counts.coverage(done)
    assert 0.92 <= hits / total <= 0.98
    pairs = [p for b in done for p in b.pairs]
    assert counts.spread(pairs) == pytest.approx(0.002 * math.sqrt(2 / 8), rel=0.1)


def test_four_decisions_on_one_slowed_member_count_as_fewer() -> None:
    chain = decisions.blocks(records(40))
    effective = counts.effective_injected(chain, 0.05)
    assert 160 / effective == pytest.approx(1 + 3 * 0.5, rel=0.3)  # half of the noise is shared
    assert counts.effective_injected(chain, 0.1) == 0


def test_proportions_at_fewer_effective_trials_are_wider() -> None:
    assert counts.proportion(0, 500, 500) == pytest.approx((0, 0.00735), abs=1e-4)
    assert counts.proportion(0, 500, 250)[1] == pytest.approx(0.0146, abs=2e-4)
    assert counts.proportion(3, 0, 0) == (0.0, 1.0)


@pytest.mark.parametrize("name", estimators.ESTIMATORS)
def test_every_estimator_finds_a_clean_effect(name: str) -> None:
    base = Launch("x", "cpu-1", turns=tuple(Turn(r, r % 2, 10, 10_000) for r in range(12)))
    slow = Launch("x", "cpu-1", turns=tuple(Turn(r, 1 - r % 2, 10, 10_500) for r in range(12)))
    sides = estimators.table(base, slow, members=2)
    assert estimators.ESTIMATORS[name](*sides) == pytest.approx(math.log(1.05))


def test_other_ways_to_take_levels_of_a_group_are_what_they_say() -> None:
    parts = [*((n, 1.2, 0) for n in range(6)), *((n, 0.9, 5000) for n in range(7, 13))]
    base = [Turn(n, n % 2, 1, 10_000) for n, _, _ in parts]
    other = [Turn(n, 1 - n % 2, 1, round(10_000 * ratio), held) for n, ratio, held in parts]

    def difference(way: decisions.Levels) -> float:
        first, second = way([base, other])
        assert first is not None
        assert second is not None
        return second - first

    assert difference(levels) == pytest.approx(math.log(1.2), abs=1e-6)
    mean = (math.log(1.2) + math.log(0.9)) / 2
    assert difference(estimators.levels_by_part) == pytest.approx(mean, abs=1e-6)
    between = difference(estimators.levels_of_all_turns)
    assert math.log(0.9) < between < math.log(1.2) - 0.01


def test_interpolation_follows_a_drift_that_neighbours_do_not() -> None:
    """With a fixed order the candidate always comes later on a machine that slows down."""

    def drifting(place: int) -> Launch:
        times = [round(1e6 * 1.02 ** (2 * r + place)) for r in range(20)]
        return Launch("x", "c", turns=tuple(Turn(r, place, 1, t) for r, t in enumerate(times)))

    base, later = drifting(0), drifting(1)
    sides = estimators.table(base, later, members=2)
    assert estimators.neighbours(*sides) == pytest.approx(math.log(1.02), abs=1e-5)
    assert estimators.interpolated(*sides) == pytest.approx(0, abs=1e-5)


def test_disturbed_rounds_can_be_left_out_or_corrected() -> None:
    def turn(number: int, delayed: int) -> Turn:
        return Turn(number, 0, 10, 10_000 + delayed, delayed)

    base = Launch("x", "c", turns=tuple(turn(r, 0) for r in range(12)))
    held = Launch("x", "c", turns=tuple(turn(r, 5000 if r < 7 else 0) for r in range(12)))
    sides = estimators.table(base, held, members=2)
    assert estimators.neighbours(*sides) == pytest.approx(math.log(1.5))
    assert estimators.undisturbed(*sides) == 0
    assert estimators.without_delay(*sides) == 0


def test_turns_are_merged_into_longer_ones() -> None:
    base = Launch("x", "c", turns=tuple(Turn(r, 0, 10, 1000 * (r + 1)) for r in range(5)))
    left, _ = estimators.table(base, base, members=2, merge=2)
    assert list(left[:, 1]) == [150, 350]  # the fifth is left over
