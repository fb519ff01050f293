"""What the guard's experiment counts as found."""

from __future__ import annotations

from research.planted.plants import SUITE, sharing


def test_a_slow_function_slows_every_scenario_that_it_builds() -> None:
    assert sharing("infer/eager") == ("infer/eager",)
    batches = ("infer/function", "infer/function-b8", "infer/function-b32")
    assert {sharing(id) for id in batches} == {batches}
    assert all(id in sharing(id) for id in SUITE)
