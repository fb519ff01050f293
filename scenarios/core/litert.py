"""Running a LiteRT model as an inference path, and reading what its graph holds."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from bench.results.errors import NotEngaged
from scenarios.core.paths import InferencePath, Proof, nothing_to_prove
from scenarios.core.quality import in_blocks
from scenarios.core.workload import Workload

ARITHMETIC = {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "BATCH_MATMUL", "TRANSPOSE_CONV"}


def litert_path(
    workload: Workload,
    file: Path,
    batch: int = 1,
    proof: Proof = nothing_to_prove,
    model: Any = None,
) -> InferencePath:
    """Inference of a .tflite file by `ai_edge_litert` with the workload's number of threads."""
    interpreter = load(file, workload.threads, batch, workload.data.input_shape)
    source, target = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    put, invoke, get = interpreter.set_tensor, interpreter.invoke, interpreter.get_tensor

    def infer(x: np.ndarray) -> np.ndarray:
        put(source["index"], x)
        invoke()
        return get(target["index"])

    def predict(x: np.ndarray) -> np.ndarray:
        return in_blocks(lambda block: dequantized(infer(quantized(block, source)), target), x, batch)

    return InferencePath(
        infer=infer,
        inputs=[quantized(x, source) for x in workload.inputs(batch)],
        examples=batch,
        predict=predict,
        artifact=file,
        proof=proof,
        model=model,
    )


def load(file: Path, threads: int, batch: int, input_shape: tuple[int, ...]) -> Any:
    """An interpreter with its tensors allocated for inputs [batch, *input_shape]."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(file), num_threads=threads)
    interpreter.resize_tensor_input(
        interpreter.get_input_details()[0]["index"], (batch, *input_shape)
    )
    interpreter.allocate_tensors()
    return interpreter


def quantized(x: np.ndarray, detail: dict[str, Any]) -> np.ndarray:
    """Real values as the integers of a tensor's scale and zero point; floats stay."""
    scale, zero = detail["quantization"]
    if not np.issubdtype(detail["dtype"], np.integer):
        return x.astype(detail["dtype"])
    limits = np.iinfo(detail["dtype"])
    return np.clip(np.round(x / scale) + zero, limits.min, limits.max).astype(detail["dtype"])


def dequantized(x: np.ndarray, detail: dict[str, Any]) -> np.ndarray:
    """The real values of a tensor's integers; floats stay."""
    scale, zero = detail["quantization"]
    if not np.issubdtype(detail["dtype"], np.integer):
        return x
    return (x.astype(np.float32) - zero) * np.float32(scale)


def int8_operations(file: Path) -> dict[str, Any]:
    """How many of the arithmetic operations in a .tflite graph have int8 inputs and outputs.

    Raises:
        NotEngaged: None has.
    """
    interpreter = load_plain(file)
    types = {t["index"]: np.dtype(t["dtype"]).name for t in interpreter.get_tensor_details()}
    inside, outside = Counter[str](), Counter[str]()
    for op in interpreter._get_ops_details():
        if op["op_name"] in ARITHMETIC:
            own = {types.get(int(op["inputs"][0])), types.get(int(op["outputs"][0]))}
            (inside if own == {"int8"} else outside)[op["op_name"]] += 1
    total = sum(inside.values()) + sum(outside.values())
    if not inside:
        raise NotEngaged(f"none of the {total} arithmetic operations in the graph is int8")
    return {
        "int8_operations": sum(inside.values()),
        "arithmetic_operations": total,
        "not_int8": dict(outside),
    }


def load_plain(file: Path) -> Any:
    """An interpreter without delegates, so that every operation of the file is visible."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    interpreter = Interpreter(
        model_path=str(file),
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    interpreter.allocate_tensors()
    return interpreter
