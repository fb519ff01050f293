"""Counting the arithmetic and the bytes of a .tflite file; `counting` says what counts."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf


def count_tflite(file: Path, examples: int = 1) -> dict[str, int]:
    """Arithmetic, bytes and parameters (of matrix products alone) of a .tflite file."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    interpreter = Interpreter(
        model_path=str(file),
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    for detail in interpreter.get_input_details():
        interpreter.resize_tensor_input(detail["index"], [examples, *detail["shape"][1:]])
    interpreter.allocate_tensors()
    tensors = {t["index"]: t for t in interpreter.get_tensor_details()}
    made = {int(detail["index"]) for detail in interpreter.get_input_details()}
    parameters, macs, moved = 0, 0, 0
    for op in interpreter._get_ops_details():
        if made.isdisjoint(map(int, op["inputs"])):
            continue  # of constants, once: float16 weights become float32
        made.update(map(int, op["outputs"]))
        inputs = [tensors[int(i)] for i in op["inputs"] if int(i) in tensors]
        outputs = [tensors[int(i)] for i in op["outputs"] if int(i) in tensors]
        if op["op_name"] != "RESHAPE":
            moved += sum(_size(t) * _width(t) for t in (*inputs, *outputs))
        if op["op_name"] in TFLITE_TERMS:
            macs += TFLITE_TERMS[op["op_name"]](inputs, outputs)
            parameters += sum(_size(t) for t in inputs if t["index"] not in made)
    return {
        "parameters": parameters,
        "multiply_adds": macs // examples,
        "flops_per_step": 2 * macs,
        "bytes_per_step": moved,
    }


def _size(tensor: Mapping[str, Any]) -> int:
    return math.prod(int(n) for n in tensor["shape"])


def _width(tensor: Mapping[str, Any]) -> int:
    return int(tf.as_dtype(tensor["dtype"]).size or 0)


TFLITE_TERMS: Mapping[str, Callable[[Any, Any], int]] = {
    # Kernels are stored [out, kh, kw, in], depthwise ones [1, kh, kw, channels].
    "CONV_2D": lambda i, o: _size(o[0]) * math.prod(map(int, i[1]["shape"][1:])),
    "DEPTHWISE_CONV_2D": lambda i, o: _size(o[0]) * math.prod(map(int, i[1]["shape"][1:3])),
    "FULLY_CONNECTED": lambda i, o: _size(o[0]) * int(i[1]["shape"][-1]),
    "BATCH_MATMUL": lambda i, o: _size(o[0]) * int(i[0]["shape"][-1]),
    "TRANSPOSE_CONV": lambda i, o: _size(i[2]) * math.prod(map(int, i[1]["shape"][:3])),
}
