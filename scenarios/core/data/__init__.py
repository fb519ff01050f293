"""Data of every source in one form: examples with or without targets, in two parts."""

from scenarios.core.data.loading import LOADERS, load
from scenarios.core.data.values import Data, Part

__all__ = ["LOADERS", "Data", "Part", "load"]
