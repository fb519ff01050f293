"""How much training fits into a budget of time: measured on the first updates, then bounded."""

from __future__ import annotations

import json
import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import tensorflow as tf

MEASURED_S, MEASURED_UPDATES = 2.0, 3
"""What the pace is measured on at least, the first update left out: it compiles."""
BASELINE = 10
"""The shared baseline may train as long as so many techniques: all are compared with it."""


@dataclass(frozen=True)
class Training:
    """One training as it was done."""

    updates: int
    wanted: int
    seconds: float
    budget_s: float = 0.0
    """What it was bounded by; 0: nothing."""

    @property
    def cut(self) -> bool:
        """Whether it ended before all that was wanted."""
        return self.updates < self.wanted

    def __str__(self) -> str:
        said = f"trained {self.updates:,} updates in {self.seconds:.0f} s"
        return f"{said} (budget; {self.wanted:,} wanted: --train-budget)" if self.cut else said

    def suffices(self, budget_s: float) -> bool:
        """Whether a training with this budget (0: none) would not be longer."""
        return not self.cut or (0 < budget_s <= self.budget_s)


def affordable(budget_s: float, spent_s: float, update_s: float) -> int:
    """Updates that a budget has room for, of which some time is spent; one at least."""
    return max(1, math.floor((budget_s - spent_s) / max(update_s, 1e-9)))


class Pace(tf.keras.callbacks.Callback):
    """Ends a training that would not keep to its budget, as soon as its pace is known.

    Attributes:
        updates: All that were made.
        fitting: Updates that a training from the start has room for; 0: all that are wanted.
    """

    def __init__(self, wanted: int, budget_s: float) -> None:
        super().__init__()
        self.wanted, self.budget_s = wanted, budget_s
        self.updates = self.fitting = 0
        self.begun_s = time.monotonic()
        self._first_s = self.begun_s

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Look at the clock."""
        self.updates += 1
        now_s = time.monotonic()
        measured = self.updates - 1
        if measured == 0:
            self._first_s = now_s
            return
        enough = measured >= MEASURED_UPDATES and now_s - self._first_s >= MEASURED_S
        late = now_s - self.begun_s > self.budget_s
        if self.fitting or not (enough or late):
            return
        update_s = (now_s - self._first_s) / measured
        if now_s - self.begun_s + (self.wanted - self.updates) * update_s > self.budget_s:
            self.fitting = affordable(self.budget_s, self._first_s - self.begun_s, update_s)
            self.model.stop_training = True


class Until(tf.keras.callbacks.Callback):
    """Ends a training after so many updates."""

    def __init__(self, updates: int) -> None:
        super().__init__()
        self.left = updates

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Count."""
        self.left -= 1
        if self.left <= 0:
            self.model.stop_training = True


class StopsAtNaN(tf.keras.callbacks.Callback):
    """Ends a training whose loss is not a number.

    Attributes:
        update: The update that it was seen at, counted from 1; 0: never.
    """

    def __init__(self) -> None:
        super().__init__()
        self.update = self._made = 0

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Look at the loss."""
        self._made += 1
        if not self.update and not math.isfinite(float((logs or {}).get("loss", 0.0))):
            self.update = self._made
            self.model.stop_training = True


def beside(file: Path) -> Path:
    """Where is kept how a trained file was trained."""
    return file.with_name(f"{file.name}.training.json")


def keep(file: Path, trainings: list[Training]) -> None:
    """Keep how a file was trained; nothing where it was not."""
    if trainings:
        beside(file).write_text(json.dumps([asdict(each) for each in trainings]))


def kept(file: Path) -> list[Training]:
    """How a file was trained."""
    if not beside(file).exists():
        return []
    return [Training(**each) for each in json.loads(beside(file).read_text())]
