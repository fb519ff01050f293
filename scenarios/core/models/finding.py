"""From the name of a model to its source; the name decides the form."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.results.errors import UsageError
from bench.results.values import WorkloadSpec
from scenarios.core import composition
from scenarios.core.models import safety
from scenarios.core.models.cnn import cnn
from scenarios.core.models.sources import Source

KERAS_FILES = (".keras", ".h5", ".hdf5")


def find(spec: WorkloadSpec, input_shape: tuple[int, ...], classes: int) -> Source:
    """The source of `spec.model`.

    Args:
        spec: Names the model, and its signature and weights where these need a name.
        input_shape: Shape of one example of the data, for builders; () where none is known.
        classes: Outputs that the targets need, for builders; 0 where there are none.

    Raises:
        UsageError: No such model, or one that cannot be read or built.
        Unsupported: A package is missing that reads its form.
    """
    source = _found(spec, input_shape, classes)
    return composition.applied(spec, source) if spec.factory else source


def _found(spec: WorkloadSpec, input_shape: tuple[int, ...], classes: int) -> Source:
    name, path = spec.model, Path(spec.model)
    if name == "cnn":
        return _default(input_shape, classes)
    if name.startswith("applications:"):
        from scenarios.core.models import keras_source

        return keras_source.application(name, spec.weights, classes)
    if path.suffix in (".tflite", ".onnx") or path.suffix in KERAS_FILES or path.is_dir():
        if not path.exists():
            raise UsageError(f"{path} does not exist: give the path of your model")
        if spec.safe:
            safety.check(path)
        return _reader(path, spec)()
    if ":" not in name:
        raise UsageError(
            f"unknown model {name!r}: use cnn, FILE.py:function, module:function, a .keras, .h5, "
            ".tflite or .onnx file, a SavedModel folder, or applications:NAME"
        )
    from scenarios.core.models import keras_source

    if name == spec.factory:
        return keras_source.from_composition(name, input_shape, classes or 10, spec.signature)
    return keras_source.from_function(name, input_shape, classes or 10, spec.signature)


def _default(input_shape: tuple[int, ...], classes: int) -> Source:
    from scenarios.core.models import keras_source

    def make() -> Any:
        return cnn(input_shape, classes or 10)

    code = Path(cnn.__code__.co_filename).read_bytes()
    return keras_source.source(
        "cnn", code, make, input_shape, trained=False, provides={"architecture:free"}
    )


def _reader(path: Path, spec: WorkloadSpec) -> Callable[[], Source]:
    from scenarios.core.models import finished, keras_files, saved_model

    if path.suffix == ".tflite":
        return lambda: finished.litert(path, spec.signature)
    if path.suffix == ".onnx":
        return lambda: finished.onnx(path)
    if path.is_dir():
        return lambda: saved_model.from_folder(path, spec.signature)
    return lambda: keras_files.from_file(path)
