"""Data of every source in one form: examples with or without targets, in two parts."""

from scenarios.core.data.drawing import calibration, samples
from scenarios.core.data.fitting import fit, looked_up
from scenarios.core.data.loading import LOADERS, load
from scenarios.core.data.signature import Signature, Spec
from scenarios.core.data.values import Data, Part

__all__ = [
    "LOADERS",
    "Data",
    "Part",
    "Signature",
    "Spec",
    "calibration",
    "fit",
    "load",
    "looked_up",
    "samples",
]
