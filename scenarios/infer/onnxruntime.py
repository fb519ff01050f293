"""The trained model run by ONNX Runtime: what a user might pick instead of LiteRT."""

import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from bench.results.errors import NotEngaged
from scenarios.core import InferencePath, Workload, scenario
from scenarios.core.quality import in_blocks
from scenarios.infer.tools import onnx
from scenarios.infer.tools.deploy import Later

INT8_PRODUCTS = {"QLinearConv", "QLinearMatMul", "QGemm", "MatMulIntegerToFloat", "ConvInteger"}
FLOAT_PRODUCTS = {"Conv", "FusedConv", "Gemm", "MatMul", "FusedMatMul", "FusedGemm"}


@scenario(
    baseline="infer/function",
    needs=("package:onnxruntime", "package:tf2onnx"),
    follows="float32",
    deployment=("other runtime", "partial converter"),
)
def onnxruntime(workload: Workload) -> InferencePath:
    """ONNX Runtime, float32, exported by tf2onnx."""
    file = onnx.exported(workload)
    return _path(workload, file, lambda: {"operations": dict(operations_run(file, 1))})


@scenario(
    baseline="infer/onnxruntime",
    needs=("package:onnxruntime", "package:tf2onnx"),
    follows="int8",
    deployment=("other runtime", "partial converter", "calibration data"),
)
def onnxruntime_int8(workload: Workload) -> InferencePath:
    """ONNX Runtime, 8-bit integers by its static quantization."""
    file = onnx.quantized(workload)
    return _path(workload, file, lambda: int8_products(file, 1))


def _path(workload: Workload, file, proof) -> InferencePath:
    running = session(file, workload.threads)
    name = running.get_inputs()[0].name

    def infer(x):
        return running.run(None, {name: x})[0]

    return InferencePath(
        infer=infer,
        inputs=workload.inputs(batch=1),
        examples=1,
        predict=lambda x: in_blocks(infer, x, batch=128),
        artifact=file,
        model=Later(workload.trained_model),
        proof=lambda: {"providers": running.get_providers()} | proof(),
    )


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
