"""What the reference guide's arrows and words mean: the scales, written down once.

The guide gives arrows and "tiny" or "small" without figures. Each arrow here is a doubling,
which fits what it says elsewhere: 8-bit weights take a little over a quarter of the
space (↓↓), 75 % fewer parameters and 80 % zeros reach a quarter or less (↓↓↓).
"""

from __future__ import annotations

import math

ARROW_FACTORS = (1.2, 2.0, 4.0, 8.0)
"""Factor from which one, two, three and four arrows are given (the edge belongs to the arrow)."""
TINY_PP = 0.5
"""Largest accuracy loss called tiny, percentage points."""
SMALL_PP = 2.0
"""Largest accuracy loss called small, percentage points."""
DIFFICULTIES = ("low", "medium", "high")


def arrow_count(factor: float) -> int:
    """Signed number of arrows of a gain: +2 for 2× to 4× better, -1 for 1.2× to 2× worse.

    Args:
        factor: How many times better (faster, smaller); below 1 is worse.

    Raises:
        ValueError: The factor is not a positive number.
    """
    if not factor > 0 or math.isinf(factor):
        raise ValueError(f"a factor of {factor} has no arrows: it must be positive and finite")
    gain = factor if factor >= 1 else 1 / factor
    # A ratio that is 4 up to rounding is 4: 400/100 computed as exp(log) may be 3.9999999.
    count = sum(gain >= edge * (1 - 1e-9) for edge in ARROW_FACTORS)
    return count if factor >= 1 else -count


def least_factor(arrows: int) -> float:
    """Factor from which so many arrows are given; of none, any."""
    return ARROW_FACTORS[arrows - 1] if arrows > 0 else 0.0


def speed_arrows(factor: float) -> str:
    """Arrows of a speed-up: ↑ is faster, ↓ slower, - less than the first step of the scale."""
    count = arrow_count(factor)
    return "↑" * count or "↓" * -count or "-"


def size_arrows(factor: float) -> str:
    """Arrows of a size reduction (plain size ÷ size): ↓ is smaller, ↑ larger."""
    count = arrow_count(factor)
    return "↓" * count or "↑" * -count or "-"


def loss_word(delta_pp: float) -> str:
    """`none`, `tiny`, `small` or `large` for a change of accuracy in percentage points.

    Args:
        delta_pp: Accuracy minus the plain model's; a gain counts as `none`.
    """
    loss = -delta_pp
    if loss <= 0:
        return "none"
    if loss <= TINY_PP + 1e-9:
        return "tiny"
    return "small" if loss <= SMALL_PP + 1e-9 else "large"


def legend() -> str:
    """The scale in a sentence, shown under the effect table."""
    edges = ", ".join(f"{'↑' * n} from {edge:g}×" for n, edge in enumerate(ARROW_FACTORS, start=1))
    return (
        f"Arrows: {edges} (size likewise with ↓); none where the interval includes 1. "
        f"Accuracy loss: tiny up to {TINY_PP:g} pp, small up to {SMALL_PP:g} pp, else large."
    )
