"""A file run by its runtime: inputs and outputs by name, real values in and out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.results.errors import Unsupported, UsageError
from scenarios.core.data import nests
from scenarios.core.quality import in_blocks

Named = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Running:
    """A loaded file. One call takes `batch` examples."""

    inputs: list[dict[str, Any]]
    """Facts of each input: `name`, `shape` of one call, `dtype`, and what its runtime needs."""
    outputs: list[dict[str, Any]]
    batch: int
    prepare: Callable[[Named], Any]
    """Arrays of one call by name as the runtime takes them: done before, not in an answer."""
    infer: Callable[[Any], Any]
    finish: Callable[[Any], dict[str, np.ndarray]]
    """Real values by name of what `infer` gave."""

    def bound(self, given: Any) -> dict[str, np.ndarray]:
        """Arrays by this file's names; a single array, or one under another name, is the only."""
        return bound(given, [each["name"] for each in self.inputs])

    def answer(self, given: Any) -> dict[str, np.ndarray]:
        """Outputs of any number of examples, by name."""

        def call(block: Any) -> dict[str, np.ndarray]:
            return self.finish(self.infer(self.prepare(block)))

        found: dict[str, np.ndarray] = in_blocks(call, self.bound(given), self.batch)
        return found

    def predict(self, given: Any) -> Any:
        """The same; of a single output its array."""
        found = self.answer(given)
        return next(iter(found.values())) if len(found) == 1 else found


def bound(given: Any, names: list[str]) -> dict[str, np.ndarray]:
    """Arrays under these names.

    Raises:
        UsageError: They have other names.
    """
    arrays = nests.named(given, names[0])
    if set(arrays) == set(names):
        return {name: arrays[name] for name in names}
    if len(arrays) == len(names) == 1:
        return {names[0]: next(iter(arrays.values()))}
    raise UsageError(f"inputs are named {', '.join(arrays)}, the file's {', '.join(names)}")


def load(runtime: str, place: Path, threads: int, given: Any, xla: bool = False) -> Running:
    """Load a file for calls of the shape of `given`, arrays by name or one.

    Raises:
        Unsupported: The runtime is not installed.
        UsageError: The file cannot be read, or takes other inputs.
    """
    from scenarios.bundles import litert, onnxruntime, openvino, tensorflow

    loaders: dict[str, Callable[..., Running]] = {
        "litert": litert.load,
        "onnxruntime": onnxruntime.load,
        "openvino": openvino.load,
        "tensorflow": tensorflow.load,
    }
    try:
        return loaders[runtime](place, threads, given, xla)
    except (ModuleNotFoundError, Unsupported, UsageError):
        raise
    except Exception as error:  # each runtime has its own kinds
        first = (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
        raise UsageError(f"{place.name} cannot be run by {runtime}: {first}") from error


def port(name: str, array: np.ndarray | tuple[int | None, ...], dtype: Any) -> dict[str, Any]:
    """Facts of an input or output whose values are what they are."""
    shape = array.shape if isinstance(array, np.ndarray) else array
    return {"name": name, "shape": list(shape), "dtype": str(np.dtype(dtype))}
