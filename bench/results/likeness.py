"""Whether answers over all test examples are still the original's: not drowned, not shuffled."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from bench.results.tolerance import NOISE

OVER = "over all test examples"
ROUNDED = "@rounded_inputs"
"""End of the names of what is known of the original's own outputs on rounded inputs."""


def least_correlation(precision: str, variation: float = 1.0) -> float:
    """What noise as loud as `NOISE` allows leaves of the correlation with the original.

    Noise of r times the signal's norm, which does not follow the signal: 1 / √(1 + r²). Against
    the part of the original's answers that varies, the noise that is allowed to the whole is r ÷
    that part.

    Args:
        precision: A key of `NOISE`.
        variation: Norm of the original's answers without each position's mean ÷ their norm.
    """
    return 1 / math.hypot(1, NOISE[precision] / variation)


def shuffled(agreement: Mapping[str, float], precision: str) -> str | None:
    """Why answers are not the original's, however small their error; None where they may be.

    Args:
        agreement: Of a launch's outputs with the original's.
        precision: A key of `NOISE`.
    """
    for said, each in _outputs(agreement):
        held = each.get("displaced", 0.0)
        if held:
            what = f"{held:.0f} columns of {said} hold" if held > 1 else f"{said} holds"
            return f"{OVER} {what} another's answers"
        found, chance = each.get("correlation"), each.get("correlation_chance", math.inf)
        # Of few examples chance reaches what noise may leave: they tell nothing.
        if found is not None and found < chance < least_correlation(precision):
            return (
                f"{OVER} the correlation of {said} with the original's is {found:.2f}, and "
                f"{chance:.2f} is reached by examples in random order"
            )
    return None


def drowned(agreement: Mapping[str, float], precision: str) -> str | None:
    """Why outputs no longer follow the original's over all test examples, or None.

    Args:
        agreement: Of a launch's outputs with the original's.
        precision: A key of `NOISE`.
    """
    limit = NOISE[precision]
    for said, each in _outputs(agreement):
        error = each.get("relative_error", 0.0)
        if error >= limit:
            return (
                f"{OVER} {said} is off by {error:.0%} of the original's; {precision} may be off by "
                f"{limit:.0%}"
            )
        if not error:
            continue
        found = each.get("correlation")
        if found is None:
            return (
                f"{said} is off by {error:.0%} of the original's, which hardly vary over the "
                "examples: nothing tells noise from a fault"
            )
        shuffled_ones = min(each.get("correlation_chance", 0.0), least_correlation(precision))
        least = max(least_correlation(precision, each.get("variation", 1.0)), shuffled_ones)
        if found < least:
            return (
                f"{OVER} the correlation of {said} with the original's is {found:.2f}; {precision} "
                f"leaves {least:.2f} and more"
            )
        top1, chance = each.get("top1"), each.get("top1_chance")
        if top1 is not None and chance is not None and top1 <= chance < 1:
            return f"{OVER} {said} chooses as the original as often as by chance ({top1:.0%})"
    return None


def rounded_away(agreement: Mapping[str, float], precision: str) -> str | None:
    """Why eight bits cannot answer as the original whoever converts it: its inputs are too unlike.

    Args:
        agreement: Of a launch's outputs with the original's, and (`ROUNDED`) of the original's own
            when nothing but its inputs is rounded.
        precision: A key of `NOISE`.
    """
    alone = {k.removesuffix(ROUNDED): v for k, v in agreement.items() if k.endswith(ROUNDED)}
    found = drowned(alone, precision) if precision == "int8" else None
    return found and (
        "eight bits hold an input on one scale, and its columns are too unlike for that: with no "
        f"more than inputs rounded, {found}; scale the columns before the model, or quantize what "
        "is behind its normalisation"
    )


def _outputs(agreement: Mapping[str, float]) -> Iterator[tuple[str, Mapping[str, float]]]:
    """Each output as it is called in a sentence, with what is known of it."""
    parts: dict[str, dict[str, float]] = {}
    for key, value in agreement.items():
        name, _, what = key.rpartition("/")
        if key.endswith(ROUNDED):
            continue
        parts.setdefault(name, {})[what] = value
    if len(parts) > 1:
        parts.pop("", None)  # the worst of them
    for name, each in parts.items():
        yield (f"output {name!r}" if name else "the output"), each
