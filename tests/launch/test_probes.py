"""What a probe does, on invented paths."""

from __future__ import annotations

from types import SimpleNamespace

import pytest


@pytest.mark.parametrize(("examples", "steps"), [(8, 2), (9, 3), (11, 3)])
def test_training_reaches_the_batch_that_an_epoch_leaves_over(examples: int, steps: int) -> None:
    """There a tf.function that is traced for each shape is traced once more."""
    from bench.launch import probes

    made: list[float] = []

    def advance() -> float:
        made.append(1.0 / (1 + len(made)))
        return made[-1]

    path = SimpleNamespace(advance=advance, updates=1, examples=4, losses=None)
    workload = SimpleNamespace(data=SimpleNamespace(x_train=range(examples)))
    assert probes.trained(path, workload, 0, 1) == {"final_loss": made[-1]}
    assert len(made) == steps
    assert probes.trained(path, workload, steps, 1) == {}


@pytest.mark.parametrize(("epochs", "steps"), [(1, 1), (3, 3), (10, 10)])
def test_a_path_that_makes_whole_epochs_trains_no_epoch_longer(epochs: int, steps: int) -> None:
    """28 batches of 32 in an epoch of 898 examples, of which two are left over."""
    from bench.launch import probes

    made: list[float] = []
    path = SimpleNamespace(
        advance=lambda: made.append(0.5) or 0.5, updates=28, examples=28 * 32, losses=None
    )
    workload = SimpleNamespace(data=SimpleNamespace(x_train=range(898)))
    probes.trained(path, workload, 0, epochs)
    assert len(made) == steps
