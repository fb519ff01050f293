"""How closely outputs follow the original network's, where there is nothing else to judge by."""

from __future__ import annotations

import math

import numpy as np

from scenarios.core.data import nests
from scenarios.core.data.nests import Nest
from scenarios.core.tasks import forms, likeness


def agreement(outputs: Nest, reference: Nest) -> dict[str, float]:
    """Agreement of outputs with a reference's on the same inputs.

    Returns:
        `relative_error` (norm of the difference ÷ norm of the reference), `snr_db` (the same as
        signal-to-noise, absent where nothing differs), `not_finite` (the share of values that one
        of the two has and the other has not), what `likeness.of_outputs` tells, and `top1`
        where outputs choose among classes: the share of examples (or pixels) with the same choice;
        `top1_chance` is what random choices hardly exceed, of one choice an example. Of several
        outputs each is `NAME/…`, and the plain names hold the worst.
    """
    own, others = nests.named(outputs), nests.named(reference)
    found: dict[str, dict[str, float]] = {
        name: _of_one(np.asarray(own[name]), np.asarray(array)) for name, array in others.items()
    }
    if len(found) == 1:
        return next(iter(found.values()))
    for name in likeness.displaced({name: np.asarray(own[name]) for name in others}, others):
        found[name]["displaced"] = 1.0
    answer = {f"{name}/{key}": value for name, each in found.items() for key, value in each.items()}
    for key, worst in (("relative_error", max), ("snr_db", min), ("top1", min)):
        values = [each[key] for each in found.values() if key in each]
        if values:
            answer[key] = worst(values)
    return answer


def _of_one(own: np.ndarray, reference: np.ndarray) -> dict[str, float]:
    if own.shape != reference.shape:
        raise ValueError(f"outputs of {own.shape} beside a reference of {reference.shape}")
    a, b = own.astype(np.float64), reference.astype(np.float64)
    numbers = np.isfinite(a) & np.isfinite(b)
    alike = numbers | (a == b) | (np.isnan(a) & np.isnan(b))
    if not alike.all():
        return {"relative_error": math.inf, "not_finite": float(np.mean(~alike))}
    a, b = np.where(numbers, a, 0), np.where(numbers, b, 0)  # what neither has tells nothing
    noise, signal = float(np.linalg.norm(a - b)), float(np.linalg.norm(b))
    answer = {"relative_error": noise / signal if signal else (math.inf if noise else 0.0)}
    if noise and signal:
        answer["snr_db"] = 20 * math.log10(signal / noise)
    if noise:
        answer |= likeness.of_outputs(a, b)
    form = forms.form_of(reference)
    if form in ("probabilities", "sigmoid"):
        yes = form == "sigmoid"
        chosen, wanted = (x > 0.5 if yes else x.argmax(axis=-1) for x in (a, b))
        answer["top1"] = float(np.mean(chosen == wanted))
        one_each = noise and chosen.size == len(chosen)  # of masks the correlation tells
        chance = likeness.by_chance(chosen.ravel(), wanted.ravel()) if one_each else None
        answer |= {} if chance is None else {"top1_chance": chance}
    return answer
