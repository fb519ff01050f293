"""The precision benchmark's own arithmetic, on made-up launches with known answers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from bench.guard.rule.decide import Limit
from bench.results.as_json import to_json
from bench.results.values import Launch
from research.precision import counts, decisions

SIDES = ("same-0", "same-1", "same-2", "same-3", "0.02", "0.05")


def records(
    blocks: int = 4, sd: float = 0.001, seed: int = 0, launches: int = 6, **about: Any
) -> list[dict[str, Any]]:
    """Launches whose members differ by what is injected, and by noise of `sd` a launch."""
    rng = np.random.default_rng(seed)
    case = {"case": "case", "kind": "made up", "configuration": "cpu-1", "noise": "quiet",
            "injection": "busy-waiting", "session": 1.6e9, "cpu": "a"}  # fmt: skip
    found = []
    for number in range(blocks * launches):
        for place, side in enumerate(SIDES):
            effect = 0.0 if side.startswith("same") else float(side)
            level = math.log(1e5) + math.log1p(effect) + rng.normal(0, sd)
            order = place if number % 2 == 0 else len(SIDES) - 1 - place
            launch = Launch("infer/x", "cpu-1", index=number, side=side, level=level,
                            start_order=order, wall_s=3.0)  # fmt: skip
            found.append({
                **case, **about, "block": number // launches, "launches": launches,
                "number": number, "launch": to_json(launch),
            })  # fmt: skip
    return found


def blocks(count: int = 4, sd: float = 0.001, **about: Any) -> list[decisions.Block]:
    return decisions.blocks(records(count, sd, **about))


def test_blocks_hold_every_pair_of_alike_members_and_every_injected_one() -> None:
    (first,) = blocks(1)
    assert [sum(p.effect == e for p in first.pairs) for e in (0.0, 0.02, 0.05)] == [6, 4, 4]
    assert all(len(p.values) == 6 for p in first.pairs)
    assert all(abs(p.error) < 0.003 for p in first.pairs)
    assert first.candidate_s == pytest.approx(6 * 3.0 / len(SIDES))


def test_a_block_that_was_interrupted_is_left_out() -> None:
    assert len(decisions.blocks(records(2)[: -2 * len(SIDES)])) == 1


def test_a_decision_takes_as_many_launches_as_asked_across_blocks() -> None:
    chain = blocks(4)
    parts = decisions.regrouped(chain, 5)
    assert [len(b.launches) for b in parts] == [5, 5, 5, 5]
    values = [x for b in chain for x in b.pairs[0].values]
    assert [x for b in parts for x in b.pairs[0].values] == values[:20]


def test_launches_on_two_machines_make_no_decision_together() -> None:
    both = blocks(1) + blocks(1, session=1.8e9, cpu="b")
    assert len(list(decisions.chains(both))) == 2
    assert counts.called(both, 0.05).of == 0  # nothing confirms either
    assert counts.coverage(both).of == 2 * 14
    assert counts.grouped(both, 12) == []


def test_blocks_with_other_members_are_no_part_of_a_decision() -> None:
    """A case whose injected effects were changed between two sessions."""
    before = records(4)
    after = [r | {"session": 1.8e9} for r in before if r["launch"]["side"] != "0.02"]
    both = decisions.blocks(before + after)
    assert [len(chain) for chain in decisions.chains(both)] == [4, 4]
    trials = counts.called(both, 0.02, go_on=True).of
    assert trials == counts.called(decisions.blocks(before), 0.02, go_on=True).of > 0


def test_the_guard_s_rule_calls_what_is_there_and_nothing_else() -> None:
    done = blocks(6)
    alarms = counts.called(done, 0.0)
    assert (alarms.hits, alarms.of, alarms.independent) == (0, 36, 18)
    for effect in (0.02, 0.05):
        found = counts.called(done, effect)
        assert (found.hits, found.of, found.independent, found.launches) == (24, 24, 6, 24 * 12)


def test_noise_hides_effects_and_a_single_block_confirms_nothing() -> None:
    assert counts.called(blocks(4, sd=0.2), 0.02).share < 1 / 4
    assert counts.called(blocks(1), 0.05).of == 0
    assert math.isnan(counts.called(blocks(1), 0.05).share)


def test_a_decision_goes_on_until_it_is_sharp_as_the_guard_does() -> None:
    quiet = counts.called(blocks(16), 0.02, go_on=True)
    assert (quiet.hits, quiet.launches) == (quiet.of, 12 * quiet.of)  # both stages: first look
    assert quiet.independent == quiet.of / 4
    noisy = counts.called(blocks(16, sd=0.006), 0.02, go_on=True)
    assert noisy.share >= 0.9
    assert noisy.launches > 12 * noisy.of
    assert counts.called(blocks(16, sd=0.006), 0.0, go_on=True).hits == 0


def test_what_stays_too_noisy_with_all_launches_counts_as_not_found() -> None:
    found = counts.called(blocks(6, sd=0.2), 0.02, go_on=True)
    assert (found.hits, found.of, found.launches) == (0, 4, 4 * 36)  # half of 36 for each stage


def test_records_that_leave_nothing_to_go_on_with_decide_nothing() -> None:
    chain, limit = blocks(4), Limit.of(0.05, 0.0025)
    assert decisions.decisions(chain, 0.05, limit, go_on=True)
    assert decisions.decisions(chain[:3], 0.05, limit, go_on=True) == []
    assert decisions.decisions([], 0.05, limit, go_on=False) == []


def test_the_default_margin_is_the_guard_s() -> None:
    assert decisions.default_limit("cpu-1").margin == 0.02
    assert decisions.default_limit("cpu-all").margin == 0.05


def test_coverage_and_spread_are_those_of_the_noise() -> None:
    done = blocks(40, sd=0.002)
    held = counts.coverage(done)
    assert 0.92 <= held.share <= 0.98
    assert held.independent == 40 * 5
    pairs = [p for b in done for p in b.pairs]
    assert counts.spread(pairs) == pytest.approx(0.002 * math.sqrt(2 / 6), rel=0.1)
    assert counts.launch_spread(pairs) == pytest.approx(0.002 * math.sqrt(2), rel=0.1)


def test_shares_of_fewer_independent_decisions_have_wider_intervals() -> None:
    assert counts.Count(0, 500, 500).interval() == pytest.approx((0, 0.00735), abs=1e-4)
    assert counts.Count(0, 500, 250).interval()[1] == pytest.approx(0.0146, abs=2e-4)
    assert counts.Count(500, 500, 125).interval()[1] == 1.0
    assert counts.Count().interval() == (0.0, 1.0)
