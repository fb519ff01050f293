"""The trained model as ONNX: exported, quantized, and run by ONNX Runtime."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from bench.results.errors import NotEngaged
from scenarios.core.workload import Workload

OPSET = 17
INT8_PRODUCTS = {"QLinearConv", "QLinearMatMul", "QGemm", "MatMulIntegerToFloat", "ConvInteger"}
FLOAT_PRODUCTS = {"Conv", "FusedConv", "Gemm", "MatMul", "FusedMatMul", "FusedGemm"}


def exported(workload: Workload) -> Path:
    """The trained model as an ONNX file with an open batch size, made once."""

    def make(path: Path) -> None:
        import tf2onnx

        model = workload.trained_model()
        signature = [tf.TensorSpec([None, *workload.data.input_shape], tf.float32, name="image")]
        function = tf.function(lambda image: model(image, training=False))
        tf2onnx.convert.from_function(
            function, input_signature=signature, opset=OPSET, output_path=str(path)
        )

    return workload.artifact("float32.onnx", make)


def quantized(workload: Workload) -> Path:
    """The ONNX file with 8-bit weights and activations between quantize and dequantize nodes."""
    source = exported(workload)

    def make(path: Path) -> None:
        from onnxruntime import quantization

        quantization.quantize_static(
            str(source),
            str(path),
            _Calibration(workload.calibration()),
            quant_format=quantization.QuantFormat.QDQ,
            per_channel=True,
        )

    return workload.artifact("int8.onnx", make)


class _Calibration:
    """Feeds ONNX Runtime's calibration one example at a time (its CalibrationDataReader)."""

    def __init__(self, examples: Iterator[list[np.ndarray]]) -> None:
        self._examples = examples

    def get_next(self) -> dict[str, np.ndarray] | None:
        """The next example by input name, None at the end."""
        example = next(self._examples, None)
        return None if example is None else {"image": example[0]}


def session(file: Path, threads: int, optimized: Path | None = None) -> Any:
    """An ONNX Runtime session on the CPU whose waiting threads sleep.

    Args:
        file: The .onnx file.
        threads: Threads within an operation.
        optimized: Where the graph that is really run is written.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Spinning threads would steal time from whoever's turn it is.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if optimized is not None:
        options.optimized_model_filepath = str(optimized)
    return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])


def operations_run(file: Path, threads: int) -> Counter[str]:
    """Operations, by type, of the graph that ONNX Runtime runs after its optimizations."""
    import onnx

    with tempfile.TemporaryDirectory() as folder:
        optimized = Path(folder) / "optimized.onnx"
        session(file, threads, optimized)
        return Counter(node.op_type for node in onnx.load(optimized).graph.node)


def int8_products(file: Path, threads: int) -> dict[str, Any]:
    """How many convolutions and matrix products ONNX Runtime computes in 8-bit integers.

    Raises:
        NotEngaged: None.
    """
    found = operations_run(file, threads)
    inside = sum(found[name] for name in INT8_PRODUCTS)
    outside = {name: found[name] for name in sorted(FLOAT_PRODUCTS) if found[name]}
    if not inside:
        raise NotEngaged(f"ONNX Runtime computes nothing in 8 bits: {dict(found)}")
    return {
        "int8_operations": inside,
        "arithmetic_operations": inside + sum(outside.values()),
        "not_int8": outside,
    }
