"""The table of planted changes."""

from __future__ import annotations

from typing import Any

from benchmarks.guard_experiment import table, tables


def _case(kind: str, number: int, **other: Any) -> dict[str, Any]:
    case = {"kind": kind, "number": number, "commit": "aaa", "seconds": 170.4, "found": False,
            "alarms": [], "rivals": None, "started": 0.0}  # fmt: skip
    return case | other


def test_it_counts_alarms_of_unchanged_code_and_what_was_found_of_changes() -> None:
    rival = {"mean:5%": ["test_step[infer/eager]"], "min:5%": []}
    found = [
        _case("same", 0, rivals=rival),
        _case("same", 1, alarms=["infer/eager latency 0.03"], commit="bbb"),
        _case("core-2", 0, found=True, seconds=150.0),
    ]
    lines = table(found).splitlines()
    same, core = (line for line in lines if line.startswith(("| nothing", "| 2 %")))
    assert "| 1 of 2 |" in same
    assert "| ≤ 170 | 1 of 1 | 0 of 1 |" in same
    assert "| 1 of 1 | 3% to 100% | ≤ 150 |" in core


def test_it_names_the_versions_that_ran() -> None:
    lines = table([_case("same", 0), _case("same", 1, commit="bbb"), _case("same", 2)]).splitlines()
    assert lines[0].endswith("| the guard's version |")
    assert lines[-1].endswith("| 2 × aaa, 1 × bbb |")


def test_the_last_version_stands_apart_from_earlier_ones() -> None:
    old = [_case("same", 0, commit="old", started=1.0, alarms=["x"]), _case("size", 0, started=2.0)]
    last, earlier = tables([*old, _case("same", 0, commit="new", started=3.0)])
    assert "| nothing changed (false alarms) | 0 of 1 |" in last
    assert "old" not in last
    assert "| nothing changed (false alarms) | 1 of 1 |" in earlier
    assert "| model 1 % larger | 0 of 1 |" in earlier


def test_one_version_alone_has_no_earlier_ones() -> None:
    last, earlier = tables([_case("same", 0)])
    assert "nothing changed" in last
    assert earlier == ""
    assert tables([]) == ("", "")
