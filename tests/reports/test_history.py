import json
from itertools import pairwise

import numpy as np
import pytest

from bench.results.errors import UsageError
from bench.results.store import write_effects
from bench.results.values import Effect
from reports.facts.history import LEAST_RUNS, change_points, history, levels
from reports.forms.history import write_history

DAY = 86_400


def past(folder, count=40, scenarios=2, change=None, other=(), seed=0):
    """Runs whose first scenario changes its speed-up by a factor at a run."""
    draw = np.random.default_rng(seed)
    for run in range(count):
        place = folder / f"run-{run:04d}"
        place.mkdir(parents=True)
        environment = {"cpu": "B" if run in other else "A"}
        facts = {"schema": 1, "started": 1.7e9 + DAY * run, "environment": environment}
        (place / "run.json").write_text(json.dumps(facts))
        rows = []
        for number in range(scenarios):
            speedup = 2.0 * np.exp(draw.normal(0, 0.005))
            if change and number == 0 and run >= change[0]:
                speedup *= change[1]
            rows.append(
                Effect(f"infer/s{number}", "cpu-1", "infer/function",
                       latency_ns=1e6 * np.exp(draw.normal(0, 0.03)), speedup=speedup)
            )  # fmt: skip
        write_effects(place / "effects.csv", rows)
    return folder


def test_a_change_of_level_is_found_and_dated(tmp_path):
    found = history(past(tmp_path / "runs", change=(25, 0.9)))
    (change,) = (c for line in found.lines for c in line.changes)
    assert (change.scenario, change.metric, change.run) == ("infer/s0", "speed-up", "run-0025")
    assert change.ratio == pytest.approx(0.9, abs=0.01)
    assert change.at_s == 1.7e9 + 25 * DAY


def test_noise_alone_changes_no_level():
    draw = np.random.default_rng(5)
    false = sum(bool(change_points(draw.normal(0, 0.01, 60).tolist())) for _ in range(300))
    assert false <= 6


@pytest.mark.parametrize("sd", [0.002, 0.01, 0.05])
def test_a_change_of_four_sd_is_found_within_two_runs(sd):
    draw = np.random.default_rng(2)
    hits = 0
    for _ in range(50):
        series = draw.normal(0, sd, 60)
        series[30:] += max(4 * sd, 0.02)
        points = change_points(series.tolist())
        hits += len(points) == 1 and abs(points[0] - 30) <= 2
    assert hits >= 47


def test_a_change_below_one_percent_is_not_worth_a_word():
    draw = np.random.default_rng(3)
    series = draw.normal(0, 0.0005, 60)
    series[30:] += 0.005
    assert change_points(series.tolist()) == []


def test_a_constant_series_and_a_short_one_have_no_change():
    assert change_points([0.0] * 50) == []
    assert change_points([0.0, 1.0, 0.0]) == []


def squares(series, edges, penalty):
    parts = [series[start:end] for start, end in pairwise(edges)]
    return sum(float(np.sum((p - p.mean()) ** 2)) for p in parts) + penalty * (len(parts) - 1)


def ways(count, start=0):
    """All edges of levels that are long enough."""
    yield [start, count]
    for edge in range(start + LEAST_RUNS, count - LEAST_RUNS + 1):
        for rest in ways(count, edge):
            yield [start, *rest]


def test_no_other_levels_explain_a_series_better():
    draw = np.random.default_rng(8)
    seen = set()
    for number in range(40):
        series = 100 * (number % 2) + draw.normal(0, 0.01, 22)
        series[draw.integers(22) :] += 0.03
        series[draw.integers(22) :] -= 0.02
        penalty = draw.choice([1e-5, 1e-3, 1e-2])
        found = levels(series, penalty)
        best = min(ways(22), key=lambda edges: squares(series, edges, penalty))
        assert found == best
        seen.add(len(found))
    assert len(seen) > 2


def test_a_change_of_level_must_pass_welchs_test():
    """One level of few, scattered runs: far apart on average, and not surely."""
    scattered = [0.0, 0.3, -0.1, 0.35, 0.1]
    assert change_points([0.0, 0.001] * 10 + scattered) == []
    assert change_points([0.0, 0.001] * 10 + [0.3, 0.301, 0.3, 0.299, 0.3]) == [20]


def test_runs_of_other_environments_are_left_out_and_counted(tmp_path):
    folder = past(tmp_path / "runs", other=(1, 2, 3))
    assert len(history(folder).runs) == 37
    assert history(folder).left_out == 3
    assert len(history(folder, every_environment=True).runs) == 40


def test_a_damaged_run_is_counted_not_fatal(tmp_path):
    folder = past(tmp_path / "runs", 12)
    (folder / "run-0003" / "run.json").write_text("{")
    assert history(folder).damaged == 1


def test_no_runs_is_wrong_usage(tmp_path):
    with pytest.raises(UsageError, match="holds no runs"):
        history(tmp_path)


def test_the_forms_are_written_and_show_the_change(tmp_path):
    files = write_history(past(tmp_path / "runs", change=(25, 1.2)), tmp_path / "out")
    text = (tmp_path / "out" / "history.md").read_text(encoding="utf-8")
    assert "`run-0025`" in text
    assert "+20." in text or "+19." in text
    assert {f.suffix for f in files} == {".md", ".html", ".csv", ".png", ".svg"}
    assert "run-0025" in (tmp_path / "out" / "history.html").read_text(encoding="utf-8")


def test_a_thousand_runs_need_no_launches(tmp_path):
    """What makes it fast is held here; the seconds are not: they are the machine's."""
    folder = past(tmp_path / "runs", 120, scenarios=10)
    for place in folder.iterdir():
        (place / "launches.jsonl").mkdir()  # reading it would fail
    assert len(history(folder).lines) == 20
