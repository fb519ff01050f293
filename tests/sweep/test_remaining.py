"""The time left: planned pieces, corrected by what was seen of each kind."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from bench.results.values import Launch
from bench.sweep.pieces import Group, Outline, Probe
from bench.sweep.remaining import left_s
from bench.sweep.settings import PROFILES

TIMELINE = Path(__file__).with_name("timeline.csv")
"""Of a quick run of 25 scenarios on two cores that other programs used meanwhile, cut in its last
groups."""

PLAN = Outline(
    tuple(Probe(f"infer/{i}", "c", "infer", 2.0) for i in range(10))
    + tuple(Probe(f"train/{i}", "c", "train", 10.0) for i in range(4)),
    (Group("infer/a@c", "c", "infer", (), (4, 6), 5.0),
     Group("train/a@c", "c", "train", (), (4, 6), 8.0)),
)  # fmt: skip


def probe(scenario: str, took_s: float) -> Launch:
    return Launch(scenario, "c", purpose="probe", wall_s=took_s)


def launch(group: str, index: int, took_s: float) -> list[Launch]:
    ids = ("one", "two")
    return [Launch(x, "c", group, index=index, wall_s=took_s) for x in ids]


def test_without_a_journal_it_is_the_plan() -> None:
    assert left_s(PLAN, []) == pytest.approx(10 * 2 + 4 * 10 + 5 * 5 + 5 * 8)


def test_probes_beside_each_other_take_less() -> None:
    two = Outline(PLAN.probes, ())
    assert left_s(two, [], workers=2) == pytest.approx((10 * 2 + 4 * 10) / 2)


def test_a_kind_that_is_slow_lengthens_itself_more_than_the_others() -> None:
    plan = Outline(PLAN.probes, ())
    journal = [probe(f"train/{i}", 60.0) for i in range(3)]
    left = left_s(plan, journal)
    one_train = left_s(Outline(PLAN.probes[-4:], ()), journal)
    assert 35 < one_train <= 60
    assert left > one_train + 20  # the others follow, as long as none of them was seen


def test_what_was_seen_of_a_kind_outweighs_the_others() -> None:
    journal = [*(probe(f"train/{i}", 100.0) for i in range(4)),
               *(probe(f"infer/{i}", 2.0) for i in range(9))]  # fmt: skip
    assert left_s(Outline(PLAN.probes, ()), journal) < 5.0


def test_a_launch_counts_once_whatever_its_members() -> None:
    journal = [x for i in range(4) for x in launch("infer/a@c", i, 5.0)]
    one = Outline((), PLAN.groups[:1])
    assert left_s(one, journal) == pytest.approx(2 * 5.0)


def test_a_group_that_ended_early_leaves_nothing() -> None:
    journal = [x for i in range(4) for x in launch("infer/a@c", i, 5.0)]
    journal += launch("train/a@c", 0, 8.0)
    # the first needed no launch beyond the first look, so that the second is not expected to either
    assert left_s(Outline((), PLAN.groups), journal, ["infer/a@c"]) == pytest.approx(
        (3 + 2 / 6) * 8.0
    )


def test_the_end_is_the_end() -> None:
    journal = [probe(p.scenario, 1.0) for p in PLAN.probes]
    for group in PLAN.groups:
        journal += [x for i in range(6) for x in launch(group.name, i, 3.0)]
    assert left_s(PLAN, journal, [group.name for group in PLAN.groups]) == 0.0


@pytest.mark.parametrize("start_s", [1.0, 3.0])
def test_a_recorded_run_s_estimates_are_near_the_truth(start_s: float) -> None:
    """Within a factor of 1.5 at nine of ten moments, whatever a launch's start was taken for."""
    rows = list(csv.DictReader(TIMELINE.open()))
    plan, journal = recorded(rows, start_s)
    end_s = max(x.started_s + x.wall_s for x in journal)
    near = []
    for done in range(1, len(journal)):
        last = journal[done - 1]
        true_s = end_s - last.started_s - last.wall_s
        if true_s > 60:
            launched = list(dict.fromkeys(x.group for x in journal[:done] if x.group))
            left = left_s(plan, journal[:done], launched[:-1], workers=2)
            near.append(1 / 1.5 <= left / true_s <= 1.5)
    assert len(near) > 40
    assert sum(near) / len(near) >= 0.9


def recorded(rows: list[dict[str, str]], start_s: float) -> tuple[Outline, list[Launch]]:
    """The plan that a sweep makes of such a run, and its launches in the order they ended."""
    profile = PROFILES["quick"]
    probes = tuple(
        Probe(row["scenario"], "c", row["kind"],
              start_s * (1 + profile.trainings * (row["kind"] == "train")))
        for row in rows if row["purpose"] == "probe"
    )  # fmt: skip
    groups = {row["group"]: (row["kind"], int(row["members"])) for row in rows if row["members"]}
    member_s = profile.warmup_s + profile.member_s + start_s
    planned = tuple(
        Group(n, "c", k, (), profile.looks, m * member_s) for n, (k, m) in groups.items()
    )
    launches = [
        Launch(row["scenario"], "c", row["group"], purpose=row["purpose"],  # type: ignore[arg-type]
               index=int(row["index"]), started_s=float(row["started_s"]),
               wall_s=float(row["wall_s"]))
        for row in rows
    ]  # fmt: skip
    ordered = sorted(launches, key=lambda x: x.started_s + x.wall_s)
    return Outline(probes, planned), ordered
