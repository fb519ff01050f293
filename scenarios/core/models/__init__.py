"""Models in whatever form they come: each form is a source that knows its inputs and weights."""

from scenarios.core.models.cnn import BATCH_NORM_MOMENTUM, cnn, convolution, normalised
from scenarios.core.models.finding import find
from scenarios.core.models.finished import FinishedSource
from scenarios.core.models.sources import Network, Source

__all__ = [
    "BATCH_NORM_MOMENTUM",
    "FinishedSource",
    "Network",
    "Source",
    "cnn",
    "convolution",
    "find",
    "normalised",
]
