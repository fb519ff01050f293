"""Writing the form that a path answers with into a folder, and samples of its answers beside it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from bench.results.errors import Unsupported
from bench.results.tolerance import outputs_differ
from scenarios.bundles import running
from scenarios.core.data import nests

EXPORTABLE = "infer/function or infer/savedmodel, the same model as one graph"


def export(path: Any, workload: Any, folder: str, count: int) -> dict[str, Any]:
    """Write a path's form, and `samples.npz` with inputs and its outputs, into a folder.

    Args:
        path: An inference path.
        workload: Its workload.
        folder: Where to.
        count: Samples: the first test examples.

    Returns:
        Fields of a bundle's form, by name; `place` lies in the folder.

    Raises:
        Unsupported: The path is no file; the message says which other is.
    """
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    places = np.arange(count) % len(workload.data.test)
    inputs = nests.take(workload.data.test.inputs, places)
    runtime, write = _form(path, workload, inputs)
    place = write(target)
    xla = runtime == "tensorflow" and _compiled(path)
    block = nests.take(inputs, np.arange(path.examples) % count)
    found = running.load(runtime, place, workload.threads, block, xla)
    outputs = path.predict(inputs)
    answered = found.answer(inputs)
    own = _named_alike(nests.named(outputs), answered)
    for name, array in answered.items():
        differs = outputs_differ(array.ravel().tolist(), own[name].ravel().tolist(), "float32")
        if differs:
            raise Unsupported(f"the file does not answer as the path does: {name}: {differs}")
    arrays = {f"input/{name}": each for name, each in found.bound(inputs).items()}
    arrays |= {f"output/{name}": each for name, each in answered.items()}
    np.savez(target / "samples.npz", allow_pickle=False, **arrays)
    return {
        "runtime": runtime,
        "place": place.name,
        "inputs": found.inputs,
        "outputs": found.outputs,
        "batch": path.examples,
        "xla": xla,
    }


def _form(path: Any, workload: Any, inputs: Any) -> tuple[str, Callable[[Path], Path]]:
    """The runtime of a path's file, and what writes the file into a folder."""
    file = getattr(path, "artifact", None)
    if file is None and hasattr(path.infer, "get_concrete_function"):
        return "tensorflow", lambda folder: _save(path, inputs, folder / "model")
    if file is None:
        raise Unsupported(
            f"it runs the Keras model by its own Python code, which is no file: export {EXPORTABLE}"
        )
    if file.suffix == ".tflite":
        return "litert", lambda folder: _copied(file, folder / "model.tflite")
    if file.suffix == ".onnx":
        return "onnxruntime", lambda folder: _copied(file, folder / "model.onnx")
    if (file / "model.xml").is_file():
        return "openvino", lambda folder: _copied(file, folder / "model")
    if (file / "saved_model.pb").is_file():
        return "tensorflow", lambda folder: _copied(file, folder / "model")
    raise Unsupported(f"no runtime of a bundle takes its {file.name}: export {EXPORTABLE}")


def _save(path: Any, inputs: Any, folder: Path) -> Path:
    """A path's own tf.function as a SavedModel that takes and gives tensors by name."""
    infer, examples = path.infer, path.examples
    specs = {
        name: tf.TensorSpec([examples, *array.shape[1:]], tf.as_dtype(array.dtype), name=name)
        for name, array in nests.named(inputs, "input").items()
    }

    @tf.function
    def serve(**arrays):
        found = infer(arrays if isinstance(inputs, dict) else arrays["input"])
        return nests.named(found, "output")

    holder = tf.Module()
    model = path.model
    holder.weights = [v if isinstance(v, tf.Variable) else v.value for v in model.variables]
    tf.saved_model.save(holder, str(folder), signatures=serve.get_concrete_function(**specs))
    return folder


def _copied(source: Path, target: Path) -> Path:
    """The file or folder, without what names one act of saving."""
    if source.is_dir():
        try:
            shutil.copytree(source, target)
        except shutil.Error as error:  # a list of all files that failed
            raise OSError(error.args[0][0][-1]) from None
    else:
        shutil.copyfile(source, target)
    return target


def _compiled(path: Any) -> bool:
    """Whether the path's own tf.function is compiled by XLA."""
    return bool(getattr(path.infer, "_jit_compile", None))


def _named_alike(own: dict[str, Any], others: dict[str, Any]) -> dict[str, Any]:
    """A path's outputs under the names of the file's: the same names, or the same order."""
    if set(own) == set(others):
        return own
    if len(own) != len(others):
        raise Unsupported(f"the file gives {', '.join(others)}, the path {', '.join(own)}")
    return dict(zip(others, own.values(), strict=True))
