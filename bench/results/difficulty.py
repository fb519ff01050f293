"""How hard a technique is to deploy, derived from the facts its scenario states."""

from __future__ import annotations

from collections.abc import Iterable

WEIGHTS = {
    "retraining": 2,  # needs the training data, a schedule and a training library of its own
    "calibration data": 1,  # needs representative examples, but no labels
    "other runtime": 1,  # the application links another library than TensorFlow
    "special hardware": 3,  # runs on some machines only
    "partial converter": 1,  # some models' operations are refused
}
MEDIUM, HIGH = 2, 4


def difficulty(facts: Iterable[str]) -> str:
    """`low`, `medium` or `high`: the sum of the facts' weights against 2 and 4.

    Raises:
        ValueError: A fact is unknown.
    """
    unknown = [fact for fact in facts if fact not in WEIGHTS]
    if unknown:
        raise ValueError(f"unknown deployment fact {unknown[0]!r}: use one of {sorted(WEIGHTS)}")
    score = sum(WEIGHTS[fact] for fact in facts)
    return "high" if score >= HIGH else "medium" if score >= MEDIUM else "low"
