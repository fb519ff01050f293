"""What a probe does, on invented paths."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest


@pytest.mark.parametrize(("examples", "steps"), [(8, 2), (9, 3), (11, 3)])
def test_training_reaches_the_batch_that_an_epoch_leaves_over(examples: int, steps: int) -> None:
    """There a tf.function that is traced for each shape is traced once more."""
    from bench.launch.analysis import probes

    made: list[float] = []

    def advance() -> float:
        made.append(1.0 / (1 + len(made)))
        return made[-1]

    path = SimpleNamespace(advance=advance, updates=1, examples=4)
    workload = SimpleNamespace(train_examples=examples)
    assert probes.trained(path, workload, 0, 1) == {"final_loss": made[-1]}
    assert len(made) == steps
    assert probes.trained(path, workload, steps, 1) == {}


def test_training_ends_with_its_budget_and_says_how_much_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from bench.launch.analysis import probes

    clock = SimpleNamespace(now=0.0)

    def advance() -> float:
        clock.now += 4.0
        return 0.5

    monkeypatch.setattr(probes.time, "monotonic", lambda: clock.now)
    path = SimpleNamespace(advance=advance, updates=1, examples=4)
    workload = SimpleNamespace(train_examples=400)
    found = probes.trained(path, workload, 5, 1, 10.0)
    assert found["final_loss"] == 0.5
    assert found["warnings"] == [
        "its quality is that of 8 updates, not 100: training may take 10 s (--train-budget)"
    ]
    assert "warnings" not in probes.trained(path, workload, 0, 1, 1000.0)
    found = probes.trained(path, workload, 5, 1, 1000.0, share_s=10.0)
    assert found["warnings"][0].endswith("training may take 10 s (name it to train it longer)")


@pytest.mark.parametrize(("epochs", "steps"), [(1, 1), (3, 3), (10, 10)])
def test_a_path_that_makes_whole_epochs_trains_no_epoch_longer(epochs: int, steps: int) -> None:
    """28 batches of 32 in an epoch of 898 examples, of which two are left over."""
    from bench.launch.analysis import probes

    made: list[float] = []
    path = SimpleNamespace(advance=lambda: made.append(0.5) or 0.5, updates=28, examples=28 * 32)
    workload = SimpleNamespace(train_examples=898)
    probes.trained(path, workload, 0, epochs)
    assert len(made) == steps


@pytest.mark.parametrize(("updates", "steps"), [(1, 20), (5, 4), (28, 1)])
def test_the_losses_of_the_first_updates_are_those_that_steps_return(
    updates: int, steps: int
) -> None:
    """A step of several updates returns the loss of each, or (`fit`) one for all."""
    from bench.launch.analysis import probes

    each = 1 if updates == 28 else updates
    path = SimpleNamespace(advance=lambda: np.full(each, 0.5), updates=updates)
    assert probes.step_losses(path, 20) == ([0.5] * each * steps, updates * steps)
    fewer = probes.step_losses(path, 20, within_s=0.0)[1]
    assert fewer == {1: 5, 5: 5, 28: 28}[updates], "no time for more than the least"


class Pipeline:
    """Makes a batch in `cost` ns, up to 16 of them ahead, on a clock that only work moves."""

    def __init__(self, cost: int) -> None:
        self.now, self.cost, self.ready, self.since = 0, cost, 0, 0

    def pass_time(self, ns: int) -> None:
        self.now += ns
        made = (self.now - self.since) // self.cost
        self.since += made * self.cost
        self.ready = min(self.ready + made, 16)

    def advance(self) -> tuple[str]:
        if not self.ready:
            self.pass_time(self.since + self.cost - self.now)
        self.ready -= 1
        return ("batch",)

    def train(self, _: str) -> float:
        self.pass_time(2_000_000)
        return 0.5


def on_its_clock(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    from bench.launch import devices
    from bench.launch.analysis import probes

    clock = SimpleNamespace(
        perf_counter_ns=lambda: pipeline.now,
        perf_counter=lambda: pipeline.now / 1e9,
        process_time=lambda: 0.0,
        sleep=lambda s: pipeline.pass_time(round(s * 1e9)),
    )
    monkeypatch.setattr(probes, "time", clock)
    monkeypatch.setattr(devices, "_gpus", False)


@pytest.mark.parametrize(("cost_ms", "waits"), [(1, 0.0), (4, 0.5), (8, 0.75)])
def test_training_is_seen_to_wait_for_a_pipeline_that_is_slower(
    cost_ms: int, waits: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it makes ahead beside the cached batch does not hide it."""
    from bench.launch.analysis import probes

    pipeline = Pipeline(cost_ms * 1_000_000)
    on_its_clock(pipeline, monkeypatch)
    found = probes.after_turns(pipeline, pipeline.cost)
    assert found["input_wait_share"] == pytest.approx(waits, abs=0.02)
    assert found["training_step_cached_ns"] == 2_000_000


@pytest.mark.parametrize(("cost_ms", "ready"), [(1, 15), (4, 0)])
def test_training_begins_with_buffers_as_full_as_they_always_are(
    cost_ms: int, ready: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Full where the pipeline is faster than the training of 2 ms, empty where it is slower."""
    from bench.launch.analysis import probes

    pipeline = Pipeline(cost_ms * 1_000_000)
    on_its_clock(pipeline, monkeypatch)
    found: list[int] = []
    train = pipeline.train
    monkeypatch.setattr(pipeline, "train", lambda x: found.append(pipeline.ready) or train(x))
    monkeypatch.setattr(probes, "_rest", lambda: pipeline.pass_time(100_000_000))
    probes.after_turns(pipeline, pipeline.cost)
    assert found[1 + probes.INSIDE_STEPS] == ready  # after the first one and the cached batch's


def test_buffers_are_full_before_the_cached_batch_is_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads that fill them would take the core from the training beside them."""
    from bench.launch.analysis import probes

    busy = iter([0.0, 0.01, 0.01, 0.02, 0.02, 0.0201])  # a core, a core, 1 % of one
    slept: list[float] = []
    clock = SimpleNamespace(
        perf_counter=lambda: sum(slept), process_time=lambda: next(busy), sleep=slept.append
    )
    monkeypatch.setattr(probes, "time", clock)
    probes._rest()
    assert slept == [probes.REST_S] * 3
