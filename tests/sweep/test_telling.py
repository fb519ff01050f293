"""What is known of a scenario while a run goes on."""

from __future__ import annotations

from bench.results.values import Launch, Scenario, Turn
from bench.sweep import telling


def scenario(id: str, baseline: str | None = None) -> Scenario:
    return Scenario(id, "infer", "", "module", "function", "module.py", 1, baseline)


KNOWN = {s.id: s for s in (scenario("infer/a"), scenario("infer/b", "infer/a"))}
PROBES = [
    Launch(id, "c", purpose="probe", artifact_bytes=size, quality_metric="accuracy", quality=0.5,
           accuracy=0.5, correct=(0, 1), scores=(0.0, 1.0), quality_examples=2)
    for id, size in (("infer/a", 100), ("infer/b", 40))
]  # fmt: skip


def timed(index: int, faster: float) -> list[Launch]:
    turns = (Turn(0, 0, 1, 1000), Turn(1, 0, 1, 1000))
    ones = {"infer/a": 1.0, "infer/b": faster}
    return [
        Launch(id, "c", "infer/a@c", "candidate" if id == "infer/b" else "baseline", index=index,
               turns=tuple(Turn(t.round, t.position, 1, int(t.elapsed_ns / by)) for t in turns),
               examples_per_step=1)
        for id, by in ones.items()
    ]  # fmt: skip


def test_a_probed_row_has_size_and_quality_and_no_speed() -> None:
    row = telling.row(KNOWN["infer/b"], "c", PROBES, KNOWN)
    assert (row.status, row.size_bytes, row.speedup) == (telling.PROBED, 40, None)
    assert row.quality == 0.5
    assert row.quality_delta == 0.0


def test_the_interval_comes_with_the_second_launch() -> None:
    once = telling.row(KNOWN["infer/b"], "c", PROBES + timed(0, 2.0), KNOWN)
    assert (once.status, once.speedup_low) == ("ok", None)
    assert once.speedup is not None
    twice = telling.row(KNOWN["infer/b"], "c", PROBES + timed(0, 2.0) + timed(1, 2.2), KNOWN)
    assert twice.speedup_low is not None
    assert twice.speedup_low < 2.1 < (twice.speedup_high or 0)


def test_a_failed_probe_says_why() -> None:
    launch = Launch("infer/b", "c", purpose="probe", outcome="failed", reason="it broke")
    row = telling.row(KNOWN["infer/b"], "c", [PROBES[0], launch], KNOWN)
    assert (row.status, row.reason) == ("failed", "it broke")


def test_a_run_begins_with_rows_that_wait() -> None:
    assert telling.waiting(list(KNOWN.values()), []) == []
