"""Turns with a fake clock: what is timed, what is not, and when a turn ends."""

from __future__ import annotations

from typing import Any

import pytest

from bench.launch import devices
from bench.launch.timing import turns
from bench.results.histogram import bucket


class Machine:
    """A clock in ns that only work moves; reading it costs `tick`."""

    def __init__(self, tick: int = 0) -> None:
        self.now, self.tick, self.steps = 0, tick, 0

    def clock(self) -> int:
        self.now += self.tick
        return self.now

    def step(self, cost: int = 1000) -> int:
        self.steps += 1
        self.now += cost
        return self.steps


class Device:
    """An asynchronous device: a step returns at once, its result exists when the queue is done."""

    def __init__(self, machine: Machine, cost: int = 50_000) -> None:
        self.machine, self.cost, self.done_at = machine, cost, 0

    def launch(self) -> int:
        self.machine.now += 10
        self.done_at = max(self.done_at, self.machine.now) + self.cost
        return self.done_at

    def wait(self, done_at: int) -> None:
        self.machine.now = max(self.machine.now, done_at)


def timer(machine: Machine, **settings: Any) -> turns.Timer:
    return turns.Timer(machine.step, lambda _: None, clock=machine.clock, **settings)


@pytest.mark.parametrize("each", [False, True])
def test_a_turn_is_the_time_of_its_steps(each: bool) -> None:
    machine = Machine()
    assert timer(machine, each=each).turn(20) == 20_000
    assert machine.steps == 20


@pytest.mark.parametrize("each", [False, True])
def test_a_turn_ends_only_when_the_results_of_an_asynchronous_step_exist(each: bool) -> None:
    machine = Machine()
    device = Device(machine)
    one = turns.Timer(device.launch, device.wait, each=each, clock=machine.clock)
    elapsed = one.turn(8)
    assert elapsed >= 8 * device.cost
    assert machine.now >= device.done_at  # nothing is left for the next turn to pay


def test_a_timer_that_does_not_wait_would_see_next_to_nothing() -> None:
    machine = Machine()
    device = Device(machine)
    careless = turns.Timer(device.launch, lambda _: None, clock=machine.clock)
    assert careless.turn(8) < device.cost


def test_reading_back_waits_for_every_tensor_of_a_nest() -> None:
    waited = []

    class Tensor:
        def __init__(self, name: str) -> None:
            self.name = name

        def numpy(self) -> None:
            waited.append(self.name)

    class Replicas:
        values = (Tensor("replica 0"), Tensor("replica 1"))

    turns.read({"loss": Tensor("loss"), "rest": [Tensor("a"), (Tensor("b"),)], "per": Replicas()})
    assert waited == ["loss", "a", "b", "replica 0", "replica 1"]


def test_finishing_waits_for_the_queue_of_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys
    import types

    synced = []
    testing = types.SimpleNamespace(
        experimental=types.SimpleNamespace(sync_devices=lambda: synced.append(1))
    )
    monkeypatch.setitem(sys.modules, "tensorflow", types.SimpleNamespace(test=testing))
    monkeypatch.setattr(devices, "_gpus", True)
    devices.finish(3.0)
    assert synced == [1]


# --- effects of known size --------------------------------------------------------------------


@pytest.mark.parametrize("each", [False, True])
@pytest.mark.parametrize("share", [0.01, 0.02, 0.05, 0.1])
def test_an_injected_slow_down_is_exact(each: bool, share: float) -> None:
    plain = timer(Machine(tick=1), each=each).turn(400)
    slow = timer(Machine(tick=1), each=each, slowdown=share).turn(400)
    assert slow / plain == pytest.approx(1 + share, abs=2e-4)


def test_a_slow_down_is_exact_where_reading_the_clock_takes_long() -> None:
    """A clock that takes 7 % of a step to read would make a spin after each step too long."""
    plain = timer(Machine(tick=70), each=True).turn(1000)
    slow = timer(Machine(tick=70), each=True, slowdown=0.01).turn(1000)
    assert slow / plain == pytest.approx(1.01, abs=2e-4)


def test_the_histogram_holds_steps_and_no_spin() -> None:
    slowed = timer(Machine(tick=1), each=True, slowdown=0.5)
    assert slowed.turn(8) == pytest.approx(12_000, rel=0.01)
    assert slowed.histogram == {bucket(1001): 8}


@pytest.mark.parametrize("each", [False, True])
def test_more_work_makes_whole_steps_that_are_not_counted(each: bool) -> None:
    machine = Machine()
    assert timer(machine, each=each, more_work=0.02).turn(100) == 102_000
    assert machine.steps == 102


def test_more_work_is_rounded_to_whole_steps() -> None:
    assert timer(Machine(), more_work=0.01).turn(20) == 20_000


# --- single steps -----------------------------------------------------------------------------


def test_single_steps_are_counted_by_duration() -> None:
    machine = Machine()
    costs = iter([1000, 1000, 5000] * 4)
    one = turns.Timer(
        lambda: machine.step(next(costs)), lambda _: None, each=True, clock=machine.clock
    )
    assert one.turn(12) == 28_000
    assert one.histogram == {bucket(1000): 8, bucket(5000): 4}


def test_blocks_count_no_single_steps() -> None:
    one = timer(Machine())
    one.turn(10)
    assert one.histogram == {}


def test_the_lead_in_is_neither_timed_nor_counted() -> None:
    machine = Machine()
    one = turns.Timer(lambda: machine.step(500_000), lambda _: None, True, clock=machine.clock)
    one.lead_in(100)
    assert machine.steps == 100 * turns.LEAD_IN_SHARE
    assert one.histogram == {}
    one.lead_in(1)  # a turn of one long step has none
    assert machine.steps == 100 * turns.LEAD_IN_SHARE


class Pipeline:
    """Its threads make a batch in `cost` ns, up to `room` of them ahead; to draw one takes time."""

    DRAW = 250_000

    def __init__(self, machine: Machine, cost: int = 4_000_000, room: int = 16) -> None:
        self.machine, self.cost, self.room = machine, cost, room
        self.ready = self.since = 0

    def draw(self) -> None:
        made = (self.machine.now - self.since) // self.cost
        self.since += made * self.cost
        self.ready += made
        if self.ready >= self.room:
            self.ready, self.since = self.room, self.machine.now
        if not self.ready:
            self.machine.now, self.ready = self.since + self.cost, 1
            self.since = self.machine.now
        self.ready -= 1
        self.machine.now += self.DRAW


@pytest.mark.parametrize("pause_ms", [0, 5, 30, 300])
@pytest.mark.parametrize("steps", [1, 2, 10])
def test_a_turn_finds_no_batches_that_were_made_while_nothing_was_drawn(
    pause_ms: int, steps: int
) -> None:
    machine = Machine()
    pipeline = Pipeline(machine)
    one = turns.Timer(pipeline.draw, lambda _: None, ahead=True, clock=machine.clock)
    machine.now += pause_ms * 1_000_000
    one.lead_in(steps, one.made_ahead(pause_ms * 1_000_000, pipeline.cost))
    assert one.turn(steps) == steps * pipeline.cost
    assert one.histogram == {}


def test_without_drawing_them_a_turn_would_find_its_batches_ready() -> None:
    machine = Machine()
    pipeline = Pipeline(machine)
    one = turns.Timer(pipeline.draw, lambda _: None, ahead=True, clock=machine.clock)
    machine.now += 300_000_000
    one.lead_in(1)
    assert one.turn(2) == 2 * pipeline.DRAW


def test_most_paths_make_nothing_ahead() -> None:
    assert timer(Machine()).made_ahead(300_000_000, 1000) == 0


def test_short_steps_lead_in_for_a_millisecond() -> None:
    machine = Machine()
    timer(machine).lead_in(10)
    assert machine.now == turns.LEAD_IN_NS
