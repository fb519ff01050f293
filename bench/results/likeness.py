"""Whether answers over all test examples are still the original's: not drowned, not shuffled."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from bench.results.tolerance import NOISE

OVER = "over all test examples"


def least_correlation(precision: str) -> float:
    """What noise as loud as `NOISE` allows leaves of the correlation with the original.

    Noise of r times the signal's norm, which does not follow the signal: 1 / √(1 + r²).
    """
    return 1 / math.hypot(1, NOISE[precision])


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
    limit, least = NOISE[precision], least_correlation(precision)
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
        agreement: Of a launch's outputs with the original's, which tells what becomes of the
            original's own when nothing but its inputs is rounded.
        precision: A key of `NOISE`.
    """
    error = agreement.get("rounded_inputs_error", 0.0)
    found = agreement.get("rounded_inputs_correlation", 1.0)
    if precision != "int8" or (error < NOISE["int8"] and found >= least_correlation("int8")):
        return None
    return (
        "eight bits hold an input on one scale, and its columns are too unlike for that: rounding "
        f"the inputs alone moves the original's outputs by {error:.0%} (correlation {found:.2f}); "
        "scale the columns before the model, or quantize what is behind its normalisation"
    )


def _outputs(agreement: Mapping[str, float]) -> Iterator[tuple[str, Mapping[str, float]]]:
    """Each output as it is called in a sentence, with what is known of it."""
    parts: dict[str, dict[str, float]] = {}
    for key, value in agreement.items():
        name, _, what = key.rpartition("/")
        parts.setdefault(name, {})[what] = value
    if len(parts) > 1:
        parts.pop("", None)  # the worst of them
    for name, each in parts.items():
        yield (f"output {name!r}" if name else "the output"), each
