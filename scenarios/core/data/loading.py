"""Loading data by name: each scheme has one loader."""

from __future__ import annotations

from collections.abc import Callable

from bench.results.data_names import source
from bench.results.errors import UsageError
from bench.results.values import WorkloadSpec
from scenarios.core.data import arrays, builtin, folders, functions, records, tables
from scenarios.core.data.signature import Signature
from scenarios.core.data.values import Data

LOADERS: dict[str, Callable[[str, WorkloadSpec], Data]] = {
    "digits": builtin.digits,
    "synthetic": builtin.synthetic,
    "npz": arrays.npz,
    "csv": tables.csv,
    "images": folders.images,
    "tfrecord": records.tfrecord,
    "mnist": builtin.mnist,
    "cifar10": builtin.cifar10,
    "function": functions.function,
}


def load(spec: WorkloadSpec, signature: Signature | None = None) -> Data:
    """Data as they lie in their source: `fit` makes them what the model takes.

    Args:
        spec: Its `data` is digits, mnist, cifar10, synthetic:HxWxC, npz:PATH, csv:PATH, images:DIR,
            tfrecord:GLOB, PATH.npz, PATH.csv or FILE.py:function.
        signature: The model's inputs, where they are known: images of various sizes are read in
            that size at once.

    Raises:
        UsageError: The name is unknown, or the place holds nothing usable.
    """
    scheme, place = source(spec.data)
    loader = LOADERS.get(scheme)
    if loader is None:
        raise UsageError(f"unknown data {spec.data!r}: use one of {', '.join(sorted(LOADERS))}")
    if scheme == "images":
        return folders.images(place, spec, signature)
    return loader(place, spec)
