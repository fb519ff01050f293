"""The same model saved again has the same canonical digest; a changed one has another."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.sweep.preloaded import Pool
from tests.checks import saw

CHANGES = {
    "weight": {"weight": 1.5},
    "operation": {"activation": "tanh"},
    "order": {"swap": True},
    "entry": {"entry": "other"},
}


@pytest.fixture(scope="module")
def digests(
    pool: Pool, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, list[str]], ...]:
    """Canonical and exact digests of what two processes saved."""
    found = []
    for traced, changes in (
        (0, {"same": {}}),
        (7, {"before": {"weight": 2.0}, "same": {}, **CHANGES}),
    ):
        folder = tmp_path_factory.mktemp("saved")
        given = str(folder), str(traced), json.dumps(changes)
        found.append(saw(pool, "tests.launch.canonical_checks", *given))
    return tuple(found)


def test_saved_again_it_is_the_same(digests: tuple[dict[str, list[str]], ...]) -> None:
    one, again = digests
    assert one["same"][1] != again["same"][1]  # counters and random numbers differ
    assert one["same"][0] == again["same"][0]
    assert one["frozen.pb"][0] == again["frozen.pb"][0]


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_seen(digests: tuple[dict[str, list[str]], ...], change: str) -> None:
    _, again = digests
    assert again[change][0] != again["same"][0]


def test_a_frozen_graph_of_another_constant_is_another(
    digests: tuple[dict[str, list[str]], ...],
) -> None:
    one, _ = digests
    assert one["frozen.pb"][0] != one["other.pb"][0]


def test_other_files_are_their_contents(tmp_path: Path) -> None:
    from bench.launch.analysis import canonical, files

    file = tmp_path / "model.tflite"
    file.write_bytes(b"TFL3")
    assert canonical.digest(file) == files.content_digest(file)
