"""Running a LiteRT model as an inference path."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from scenarios.core.paths import InferencePath, Proof, nothing_to_prove
from scenarios.core.quality import in_blocks
from scenarios.core.tflite import delegated, int8_operations
from scenarios.core.workload import Workload

__all__ = ["dequantized", "int8_operations", "litert_path", "load", "quantized"]


def litert_path(
    workload: Workload,
    file: Path,
    batch: int = 1,
    proof: Proof = nothing_to_prove,
    model: Any = None,
) -> InferencePath:
    """Inference of a .tflite file by `ai_edge_litert` with the workload's number of threads.

    Its proof says, beside what `proof` tells, which part of the graph XNNPACK runs.
    """
    interpreter = load(file, workload.threads, batch, workload.data.input_shape)
    source, target = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    put, invoke, get = interpreter.set_tensor, interpreter.invoke, interpreter.get_tensor

    def infer(x: np.ndarray) -> Any:
        put(source["index"], x)
        invoke()
        return get(target["index"])

    def predict(x: np.ndarray) -> np.ndarray:
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
        model=model,
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
        return x
    return np.asarray((x.astype(np.float32) - zero) * np.float32(scale))
