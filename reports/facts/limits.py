"""What a choice may not exceed."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from bench.results.errors import UsageError

_LOSS = re.compile(r"\s*([\d.]+(?:e[+-]?\d+)?)\s*(pp|%|)\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Loss:
    """Most quality that may be lost, in the metric's own direction."""

    percent: float
    relative: bool = False
    """Of the plain model's quality; else percentage points where that is a share (accuracy, F1),
    and percent of it where it is not."""

    @classmethod
    def read(cls, given: str | float | None, name: str = "max_loss") -> Loss | None:
        """`0.5pp` or 0.5: percentage points; `1%`: of the plain model's quality; None: any.

        Args:
            given: The limit as a user writes it.
            name: Of the option, for the error.

        Raises:
            UsageError: It cannot be read.
        """
        if given is None:
            return None
        found = _LOSS.fullmatch(str(given))
        try:
            percent = float(found[1]) if found else math.nan
        except ValueError:
            percent = math.nan
        if not found or not math.isfinite(percent):
            raise UsageError(
                f"{name} {given!r} cannot be read: write 0.5pp (points of accuracy) or 1% (of the "
                "plain model's quality)"
            )
        return cls(percent, found[2] == "%")


@dataclass(frozen=True)
class Limits:
    """Of a recommendation; None is no limit."""

    loss: Loss | None = None
    size_bytes: float | None = None
    memory_bytes: float | None = None
    latency_ns: float | None = None
