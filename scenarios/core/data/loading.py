"""Loading data by name: each scheme has one loader."""

from __future__ import annotations

from collections.abc import Callable

from bench.results.errors import UsageError
from bench.results.values import WorkloadSpec
from scenarios.core.data import arrays, builtin, folders, records
from scenarios.core.data.values import Data

LOADERS: dict[str, Callable[[str, int], Data]] = {
    "digits": builtin.digits,
    "synthetic": builtin.synthetic,
    "npz": arrays.npz,
    "images": folders.images,
    "tfrecord": records.tfrecord,
    "mnist": builtin.mnist,
    "cifar10": builtin.cifar10,
}


def load(spec: WorkloadSpec) -> Data:
    """Load digits, mnist, cifar10, npz:PATH, images:DIR, tfrecord:GLOB or synthetic:HxWxC.

    Raises:
        UsageError: The name is unknown, or the place holds nothing usable.
    """
    name = spec.data
    scheme, _, place = name.partition(":")
    loader = LOADERS.get(scheme)
    if loader is None:
        raise UsageError(f"unknown data {name!r}: use one of {', '.join(sorted(LOADERS))}")
    data = loader(place, spec.seed)
    if min(len(data.x_train), len(data.x_test)) < 2 or data.classes < 2:
        raise UsageError(
            f"data {name!r} has {len(data.x_train)} training and {len(data.x_test)} test examples "
            f"of {data.classes} classes: at least 2 of each are needed"
        )
    return data
