"""Models under load: what the load generator measured, and not how long its job took."""

from __future__ import annotations

from pathlib import Path

from reports.facts.derive import facts_of
from reports.tables.live import serving_table
from tests.reports.fabricate import Spec, fabricate

FIGURES = {
    "p50_ns": 2.5e6, "p90_ns": 4e6, "p99_ns": 9e6, "valid": 0.0,
    "answers_per_s": 1704.8, "offered_per_s": 1733.6, "bound_ns": 2.9e6,
}  # fmt: skip


def test_the_figures_are_the_load_generator_s(tmp_path: Path) -> None:
    specs = [
        Spec("serve/server", probes={"figures": FIGURES}, summary="Poisson arrivals."),
        Spec("serve/multi-stream", probes={"figures": {"p50_ns": 1e6, "valid": 1.0}}),
    ]
    facts = facts_of(fabricate(tmp_path / "run", specs, launches=2))
    server, streams = serving_table(facts, "cpu-1").rows
    said = [cell.text for cell in server.cells]
    assert said[2:] == [
        "Poisson arrivals.", "1,700", "1,730", "2.50 ms", "4.0 ms", "9.0 ms", "2.90 ms", "0 of 2",
    ]  # fmt: skip
    assert [cell.text for cell in streams.cells][3:6] == ["–", "–", "1.00 ms"]
    assert streams.cells[-1].text == "2 of 2"


def test_a_load_without_figures_has_no_row(tmp_path: Path) -> None:
    facts = facts_of(fabricate(tmp_path / "run", [Spec("serve/offline")]))
    (m,) = facts.of("serve")
    assert m.load == {}
    assert serving_table(facts, "cpu-1").rows == ()
