"""Converting a Keras model for LiteRT, and running the file as an inference path."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from scenarios.core.paths import InferencePath, Proof, nothing_to_prove
from scenarios.core.quality import in_blocks
from scenarios.core.workload import Workload
from scenarios.infer.tools.deploy import Later
from scenarios.infer.tools.tflite import delegated

Options = Callable[[Any], None]
"""Sets a converter's options."""


def float32(_: Any) -> None:
    """Leave the converter as it is: float32 weights and activations."""


def dynamic(converter: Any) -> None:
    """8-bit weights; activations as the model has them (of a quantization-aware one: 8 bits)."""
    converter.optimizations = [tf.lite.Optimize.DEFAULT]


def int8(workload: Workload) -> Options:
    """8-bit weights and activations, on scales found by the workload's calibration examples."""

    def options(converter: Any) -> None:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = workload.calibration
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]

    return options


def converted(
    workload: Workload, name: str, model: Callable[[], Any], options: Options = float32
) -> Path:
    """The file `name`.tflite in the cache, made once.

    Args:
        workload: Owns the cache.
        name: Names the file, and must be used for one conversion only.
        model: Makes the Keras model; called where the file is not in the cache.
        options: Sets the converter's options.
    """

    def convert(path: Path) -> None:
        converter = tf.lite.TFLiteConverter.from_keras_model(model())
        options(converter)
        path.write_bytes(converter.convert())

    return workload.artifact(f"{name}.tflite", convert)


def litert_path(
    workload: Workload,
    file: Path,
    proof: Proof = nothing_to_prove,
    batch: int = 1,
    model: Callable[[], Any] | None = None,
) -> InferencePath:
    """Inference of a .tflite file by `ai_edge_litert` with the workload's number of threads.

    Its proof says, beside what `proof` tells, which part of the graph XNNPACK runs. `model` makes
    the Keras model that was converted; default: the trained one.
    """
    interpreter = load(file, workload.threads, batch, workload.data.input_shape)
    source, target = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    put, invoke, get = interpreter.set_tensor, interpreter.invoke, interpreter.get_tensor

    def infer(x: np.ndarray) -> Any:
        put(source["index"], x)
        invoke()
        return get(target["index"])

    def predict(x: np.ndarray) -> Any:
        return in_blocks(
            lambda block: dequantized(infer(quantized(block, source)), target), x, batch
        )

    return InferencePath(
        infer=infer,
        inputs=[quantized(x, source) for x in workload.inputs(batch)],
        examples=batch,
        predict=predict,
        artifact=file,
        proof=lambda: {**delegated(interpreter), **proof()},
        model=Later(model or workload.trained_model),
    )


def load(file: Path, threads: int, batch: int, input_shape: tuple[int, ...]) -> Any:
    """An interpreter with its tensors allocated for inputs [batch, *input_shape]."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(file), num_threads=threads)
    source = interpreter.get_input_details()[0]
    if tuple(source["shape"]) != (batch, *input_shape):
        interpreter.resize_tensor_input(source["index"], (batch, *input_shape))
    interpreter.allocate_tensors()
    return interpreter


def quantized(x: np.ndarray, detail: dict[str, Any]) -> np.ndarray:
    """Real values as the integers of a tensor's scale and zero point; floats stay."""
    scale, zero = detail["quantization"]
    if not np.issubdtype(detail["dtype"], np.integer):
        return np.asarray(x, dtype=detail["dtype"])
    limits = np.iinfo(detail["dtype"])
    integers = np.clip(np.round(x / scale) + zero, limits.min, limits.max)
    return np.asarray(integers, dtype=detail["dtype"])


def dequantized(x: np.ndarray, detail: dict[str, Any]) -> np.ndarray:
    """The real values of a tensor's integers; floats stay."""
    scale, zero = detail["quantization"]
    if not np.issubdtype(detail["dtype"], np.integer):
        return np.asarray(x)
    return np.asarray((x.astype(np.float32) - zero) * np.float32(scale))
