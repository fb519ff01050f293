"""How closely losses and outputs must follow the baseline's for two paths to do the same work.

Two correct loops never agree to the last bit: graph, eager and XLA sum in different orders. The
limits below lie above what correct loops were seen to differ by and below what the usual mistakes
cause (another dropout seed, batch norm in the wrong mode, a loss divided twice: all above 1e-2
within a few steps of the reference guide's CNN).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

FIRST_LOSSES = 20
"""Updates over which a training path's losses must follow its baseline's."""


@dataclass(frozen=True)
class Tolerance:
    """Limits of one precision; a difference counts when it exceeds them."""

    first_loss: float
    """Relative difference of the first loss: one forward pass, no update yet."""
    growth: float
    """What each update adds to that limit. Adam divides a gradient by its own size, so that an
    update amplifies the rounding of gradients near 0; differences grow with the steps."""
    output: float
    """Largest difference of an output, of the largest of the baseline's outputs."""
    mean_output: float
    """Mean absolute difference of the outputs, of the largest of the baseline's."""


TOLERANCES: dict[str, Tolerance] = {
    # Unit roundoff 6e-8; sums of some thousand terms: 1e-5 of a loss around 2.
    "float32": Tolerance(first_loss=1e-5, growth=6e-4, output=1e-3, mean_output=2e-4),
    # 11 bits of mantissa: unit roundoff 4.9e-4; each layer rounds activations and gradients.
    "float16": Tolerance(first_loss=2e-3, growth=1e-3, output=0.03, mean_output=5e-3),
    # 8 bits of mantissa: unit roundoff 3.9e-3, eight times float16's.
    "bfloat16": Tolerance(first_loss=1e-2, growth=2e-3, output=0.15, mean_output=2e-2),
    # Weights and activations on 255 levels: 2e-3 of the range at each layer, and an uncertain
    # example's probability moves by tens of points while its class and the mean hardly move.
    "int8": Tolerance(first_loss=0.1, growth=2e-2, output=0.5, mean_output=0.05),
}


UNIT_ROUNDOFF = {"float32": 2.0**-24, "float16": 2.0**-11, "bfloat16": 2.0**-8}
"""Largest relative error of one rounding to nearest: half the gap behind 1 (IEEE 754; bfloat16 has
8 bits of significand)."""

FURTHER = 4.0
"""How much further than the furthest of some disturbed trainings another one may part. Of twelve of
MobileNetV2 (224×224, batches of 4), each judged by any three of the others, 17 % went beyond twice
the furthest within 20 updates, 0.35 % beyond four times it."""

NOISE = {"float16": 0.25, "bfloat16": 0.5, "int8": 1.0}
"""Norm of the error ÷ norm of the original's outputs, over all test examples, from which on a
reduced precision no longer answers as the original. At 1 the noise is as loud as the signal: what
answering 0 has. Below, what the precision costs is a result, which its quality tells, if answers
still vary over the examples as the original's do (`bench.results.likeness`)."""


def first_difference(
    losses: Sequence[float],
    baseline_losses: Sequence[float],
    precision: str,
    moved: Sequence[float] = (),
) -> int | None:
    """Index of the first loss that leaves the baseline's by more than `precision` allows.

    Args:
        losses: Losses of the first steps, from the shared initial weights.
        baseline_losses: The baseline's; the common beginning is compared.
        precision: A key of `TOLERANCES`.
        moved: What the model's own updates make of one rounding (`moved_by`), allowed besides.

    Returns:
        The step, counted from 0; None where all follow. A loss that is not finite differs,
        and with nothing to compare step 0 differs.
    """
    tolerance = TOLERANCES[precision]
    pairs = list(zip(losses, baseline_losses, strict=False))
    if not pairs:
        return 0
    for step, (own, base) in enumerate(pairs):
        limit = tolerance.first_loss + tolerance.growth * step
        limit += moved[step] if step < len(moved) else 0.0
        if not (math.isfinite(own) and abs(own - base) <= limit * _size(base, baseline_losses)):
            return step
    return None


def moved_by(disturbed: Iterable[Sequence[float]], baseline_losses: Sequence[float]) -> list[float]:
    """How far two paths may part where each rounds at another place, at each step.

    `FURTHER` times what the training makes of one rounding of its initial weights: the largest
    relative difference that the disturbed trainings have shown up to the step.

    Args:
        disturbed: The baseline's first losses from weights that were moved by one rounding, for
            some roundings.
        baseline_losses: The baseline's.

    Returns:
        Relative differences; none where a rounding led to losses that are not finite, or missing.
    """
    moved = np.zeros(len(baseline_losses))
    for losses in disturbed:
        if len(losses) != len(baseline_losses) or not np.isfinite(losses).all():
            return []
        pairs = zip(losses, baseline_losses, strict=True)
        own = [abs(own - base) / _size(base, baseline_losses) for own, base in pairs]
        moved = np.maximum(moved, np.maximum.accumulate(own))
    return [float(FURTHER * each) for each in moved]


def _size(loss: float, losses: Sequence[float]) -> float:
    """What differences of a loss are relative to: near 0 late in a training, 1 % of the first."""
    return max(abs(loss), 0.01 * abs(losses[0]))


def losses_differ(
    losses: Sequence[float],
    baseline_losses: Sequence[float],
    precision: str,
    moved: Sequence[float] = (),
) -> str | None:
    """What differs between a path's first losses and its baseline's, or None.

    Args:
        losses: Of the first updates, from the shared initial weights.
        baseline_losses: The baseline's.
        precision: A key of `TOLERANCES`.
        moved: As in `first_difference`.
    """
    if len(losses) != len(baseline_losses) or not losses:
        return f"{len(losses)} losses, the baseline has {len(baseline_losses)}"
    step = first_difference(losses, baseline_losses, precision, moved)
    if step is None:
        return None
    return (
        f"its loss differs first at step {step + 1} "
        f"({losses[step]:.6g} against {baseline_losses[step]:.6g})"
    )


def outputs_differ(
    outputs: Sequence[float], baseline_outputs: Sequence[float], precision: str
) -> str | None:
    """What differs between a path's outputs and its baseline's on the same inputs, or None.

    Differences are judged against the largest of the baseline's outputs: some 1 where they are
    class probabilities, whatever the model's scale where they are logits or amounts.

    Args:
        outputs: On fixed inputs, flattened.
        baseline_outputs: The baseline's.
        precision: A key of `TOLERANCES`.
    """
    tolerance = TOLERANCES[precision]
    own, base = np.asarray(outputs, np.float64), np.asarray(baseline_outputs, np.float64)
    if own.shape != base.shape or own.size == 0:
        return f"{own.size} outputs, the baseline has {base.size}"
    for whose, values in (("", own), ("the baseline's ", base)):
        if not np.isfinite(values).all():
            return (
                f"{int((~np.isfinite(values)).sum())} of {whose}{own.size} outputs are not finite"
            )
    difference, scale = np.abs(own - base), float(np.abs(base).max())
    if difference.max() > tolerance.output * scale:
        return (
            f"an output differs by {difference.max():.2g}; {precision} may differ by "
            f"{tolerance.output * scale:.2g}"
        )
    if difference.mean() > tolerance.mean_output * scale:
        return (
            f"outputs differ by {difference.mean():.2g} on average; {precision} may differ by "
            f"{tolerance.mean_output * scale:.2g}"
        )
    return None
