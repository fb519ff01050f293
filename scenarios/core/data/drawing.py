"""Drawing examples: for calibration from the training part, or from a model's own signature."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from scenarios.core.data import nests, targets
from scenarios.core.data.nests import Nest
from scenarios.core.data.signature import Signature, Spec, said
from scenarios.core.data.values import Data, Part

OPEN_IMAGE, OPEN_LENGTH, OPEN_SIGNAL = 224, 64, 16_000
"""What open dimensions become: rows and columns of an image, a sequence, a signal's samples."""
CHANNELS = (1, 3, 4)
"""Of grey, colour and transparent images: in front, they are no rows."""
MOST_SAMPLE_BYTES = 64 << 20
LEAST_COVERED = 0.9
WORDS = ("it", "was", "a", "quiet", "day", "and", "the", "long", "road", "led", "to", "the", "sea")


def samples(signature: Signature, count: int = 256, seed: int = 0) -> Data:
    """Inputs drawn from a model's own signature, no targets: for a model that comes alone.

    Values are uniform in the range that the first layers are made for, where they tell; else in
    0..1 (images), standard normal (other real numbers), or 0 and 1 (whole numbers). Large examples
    are fewer.
    """
    rng = np.random.default_rng(seed)
    notes = ["inputs were drawn from the model's own signature: their values mean nothing"]
    shapes = {name: _closed(name, spec, notes) for name, spec in signature.items()}
    bytes_each = sum(int(np.prod(shape)) * 4 for shape in shapes.values())
    count = max(8, min(count, MOST_SAMPLE_BYTES // max(bytes_each, 1)))
    drawn = {
        name: _drawn(name, spec, (count, *shapes[name]), rng, notes)
        for name, spec in signature.items()
    }
    inputs: Nest = next(iter(drawn.values())) if len(drawn) == 1 else drawn
    return Data("samples", "samples", None, Part(inputs), notes=tuple(notes))


@dataclass(frozen=True)
class Calibration:
    """Examples by which a converter finds the range of each tensor."""

    inputs: Nest
    warnings: tuple[str, ...] = ()


def calibration(data: Data, count: int = 100, seed: int = 0) -> Calibration:
    """Examples drawn over the training part: the same whatever the order in which it lies.

    Where targets are classes each gets its share, and at least one. Without a training part the
    test part is drawn from, with a warning.
    """
    part = data.train if data.train is not None else data.test
    warnings = []
    if data.train is None and data.kind != "samples":
        warnings.append("calibrated with test inputs, because there is no training data")
    usable = nests.finite(part.inputs)  # one nan hides the range of a tensor
    usable |= not usable.any()
    if data.shuffled and data.train is not None:  # a random, stratified order: the first are a draw
        chosen = np.flatnonzero(usable)[:count]
    else:
        strata = targets.strata(part.targets, data.classes)
        order = _ranks(part.inputs, seed)
        chosen = _spread(order[usable[order]], strata, min(count, int(usable.sum())))
    inputs = nests.take(part.inputs, chosen)
    warnings += _uncovered(inputs, data.test.inputs)
    return Calibration(inputs, tuple(warnings))


def _ranks(inputs: Nest, seed: int) -> np.ndarray:
    """A random order of examples that depends on what they hold, not on where they lie."""
    each = list(nests.arrays(inputs))
    key = seed.to_bytes(8, "little", signed=True)

    def rank(i: int) -> bytes:
        digest = hashlib.blake2b(key=key, digest_size=8)
        for array in each:
            digest.update(nests.contents(array[i : i + 1]))
        return digest.digest()

    ranks = np.array([int.from_bytes(rank(i)) for i in range(nests.length(inputs))], np.uint64)
    return np.argsort(ranks, kind="stable")


def _spread(order: np.ndarray, strata: np.ndarray | None, count: int) -> np.ndarray:
    """The first `count` of an order, each class in its share of the whole."""
    if strata is None:
        return order[:count]
    place = np.empty(len(strata))
    for label in np.unique(strata):
        own = order[strata[order] == label]
        place[own] = (np.arange(len(own)) + 0.5) / len(own)  # evenly over the draw
        place[own[0]] = -1 / len(own)  # one of each class comes first, rare ones before others
    return np.array(sorted(order, key=lambda i: place[i])[:count])


def _uncovered(drawn: Nest, test: Nest) -> list[str]:
    """A warning for each input of which the drawn examples miss part of the test inputs' range."""
    found = []
    own, others = nests.named(drawn, "the input"), nests.named(test, "the input")
    for name, array in others.items():
        if array.dtype.kind not in "fiu" or not array.size or not own[name].size:
            continue
        low, high = float(array.min()), float(array.max())
        least, most = float(own[name].min()), float(own[name].max())
        covered = min(high, most) - max(low, least)
        if high > low and covered < LEAST_COVERED * (high - low):
            found.append(
                f"calibration examples of {name} lie in {least:.3g}..{most:.3g}, test inputs in "
                f"{low:.3g}..{high:.3g}: what lies beyond is cut off by 8-bit paths"
            )
    return found


def _closed(name: str, spec: Spec, notes: list[str]) -> tuple[int, ...]:
    """The shape with its open dimensions filled in."""
    if None not in spec.shape:
        return tuple(n or 0 for n in spec.shape)
    rank = len(spec.shape)
    if rank == 3:
        size = OPEN_IMAGE
    elif rank == 1 and not (spec.takes_integers or spec.takes_strings):
        size = OPEN_SIGNAL
    else:
        size = OPEN_LENGTH
    channels_first = rank == 3 and spec.shape[0] in CHANNELS
    features = None if rank == 1 or channels_first else rank - 1
    last = 3 if rank == 3 else 1
    shape = tuple(
        n if n is not None else (last if i == features else size) for i, n in enumerate(spec.shape)
    )
    way = f"; --data synthetic:{'x'.join(map(str, shape))} names another" if rank == 3 else ""
    notes.append(
        f"input {name!r} is open ({said(spec.shape)}): {said(shape)} was taken, because no data "
        f"say more{way}"
    )
    return shape


def _drawn(
    name: str, spec: Spec, shape: tuple[int, ...], rng: np.random.Generator, notes: list[str]
) -> np.ndarray:
    if spec.takes_strings:
        notes.append(f"input {name!r} takes text: sentences of {len(WORDS)} words were made up")
        count = int(np.prod(shape))
        return np.array([" ".join(rng.permutation(WORDS)) for _ in range(count)]).reshape(shape)
    kind = np.dtype(spec.dtype)
    if kind.kind == "b":
        return rng.random(shape) < 0.5
    if kind.kind in "iu":
        low = 0 if spec.low is None else int(spec.low)
        default = 255 if kind == np.uint8 and len(shape) == 4 else 1
        high = default if spec.high is None else int(spec.high)
        if spec.high is None and default == 1:
            notes.append(f"input {name!r} takes whole numbers of unknown range: 0 and 1 were drawn")
        return rng.integers(low, high + 1, shape).astype(kind)
    if spec.low is not None and spec.high is not None:
        return rng.uniform(spec.low, spec.high, shape).astype(kind)
    if len(shape) == 4:
        return rng.random(shape, np.float32).astype(kind)
    return rng.standard_normal(shape, np.float32).astype(kind)
