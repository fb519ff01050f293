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


def not_finite(agreement: Mapping[str, float]) -> str | None:
    """Where answers are no numbers, other than the original's; None where all are as they should.

    Args:
        agreement: Of a launch's outputs with the original's.
    """
    for said, each in _outputs(agreement):
        share = each.get("not_finite", 0.0)
        if share:
            return f"{OVER} {100 * share:.2g} % of the values of {said} are not finite"
    return None


def displaced(agreement: Mapping[str, float]) -> str | None:
    """Which output holds another's answers, or whose columns do; None where none does.

    Args:
        agreement: Of a launch's outputs with the original's.
    """
    for said, each in _outputs(agreement):
        held = each.get("displaced", 0.0)
        if held:
            what = f"{held:.0f} columns of {said} hold" if held > 1 else f"{said} holds"
            return f"{OVER} {what} another's answers"
    return None


def shuffled(agreement: Mapping[str, float], precision: str) -> str | None:
    """Why answers vary over the examples as if dealt out at random; None where they may not.

    What noise leaves of the correlation follows from its size. Where that is no more than chance,
    of few examples or of answers that hardly vary, a low correlation says nothing.

    Args:
        agreement: Of a launch's outputs with the original's.
        precision: A key of `NOISE`.
    """
    for said, each in _outputs(agreement):
        found, chance = each.get("correlation"), each.get("correlation_chance", math.inf)
        noise = each.get("relative_error", 0.0) / each.get("variation", 1.0)
        noise_leaves = min(least_correlation(precision), 1 / math.hypot(1, noise))
        if found is not None and found < chance < noise_leaves:
            return (
                f"{OVER} the correlation of {said} with the original's is {found:.2f}, and "
                f"{chance:.2f} is reached by examples in random order"
            )
    return None


def drowned(
    agreement: Mapping[str, float], precision: str, moved: bool = True, where: str = OVER
) -> str | None:
    """Why outputs no longer follow the original's over all test examples, or None.

    Args:
        agreement: Of a launch's outputs with the original's.
        precision: A key of `NOISE`.
        moved: Single answers did, further than the precision explains: then likeness that chance
            explains too excuses nothing.
        where: On which examples.
    """
    limit = NOISE[precision]
    for said, each in _outputs(agreement):
        error = each.get("relative_error", 0.0)
        if not error < limit:
            return (
                f"{where} {said} is off by {error:.0%} of the original's; {precision} may be off "
                f"by {limit:.0%}"
            )
        if not error:
            continue
        found = each.get("correlation")
        if found is None:
            if moved:
                return (
                    f"{said} is off by {error:.0%} of the original's, which hardly vary over the "
                    "examples: nothing tells noise from a fault"
                )
            continue
        least = least_correlation(precision, each.get("variation", 1.0))
        if moved:
            chance = each.get("correlation_chance", 0.0)
            least = max(least, min(chance, least_correlation(precision)))
        if found < least:
            return (
                f"{where} the correlation of {said} with the original's is {found:.2f}; "
                f"{precision} leaves {least:.2f} and more"
            )
        top1, chance = each.get("top1"), each.get("top1_chance", 1.0)
        if moved and top1 is not None and top1 <= chance < 1:
            return f"{where} {said} chooses as the original as often as by chance ({top1:.0%})"
    return None


def rounded_away(agreement: Mapping[str, float], inputs_in: str | None) -> str | None:
    """Why eight bits cannot answer as the original whoever converts it: its inputs are too unlike.

    Args:
        agreement: Of a launch's outputs with the original's, and (`ROUNDED`) of the original's own
            when nothing but its inputs is rounded.
        inputs_in: Precision that the path rounds inputs to, each on one scale.
    """
    alone = {k.removesuffix(ROUNDED): v for k, v in agreement.items() if k.endswith(ROUNDED)}
    if inputs_in != "int8":
        return None
    count = alone.pop("examples", 0.0)
    found = drowned(alone, inputs_in, where=f"on {count:,.0f} test examples" if count else OVER)
    return found and (
        "eight bits hold an input on one scale, and its columns are too unlike for that: with no "
        f"more than inputs rounded, {found}; scale the columns before the model, or quantize what "
        "is behind its normalisation, as infer/qat-int8 does where that is a layer of the model"
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
