"""The trained model run by ONNX Runtime: what a user might pick instead of LiteRT."""

import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from bench.results.errors import NotEngaged, Unsupported
from scenarios.core import InferencePath, Workload, scenario
from scenarios.core.data import nests
from scenarios.core.lookup import behind
from scenarios.core.quality import block_of, in_blocks
from scenarios.infer.tools import onnx
from scenarios.infer.tools.checking import follows_network
from scenarios.infer.tools.deploy import counted_on
from scenarios.infer.tools.refusing import first_sentence

INT8_PRODUCTS = {"QLinearConv", "QLinearMatMul", "QGemm", "MatMulIntegerToFloat", "ConvInteger"}
FLOAT_PRODUCTS = {"Conv", "FusedConv", "Gemm", "MatMul", "FusedMatMul", "FusedGemm"}


@scenario(
    baseline="infer/function",
    needs=("package:onnxruntime", "package:tf2onnx", "model:onnx"),
    follows="float32",
    deployment=("other runtime", "partial converter"),
)
def onnxruntime(workload: Workload) -> InferencePath:
    """ONNX Runtime, float32, exported by tf2onnx; a finished .onnx file as it is."""
    workload = behind(workload)
    file = onnx.finished(workload) or onnx.exported(workload)
    return _path(workload, file, "float32", lambda: {"operations": dict(operations_run(file, 1))})


@scenario(
    baseline="infer/onnxruntime",
    needs=("package:onnxruntime", "package:tf2onnx", "model:onnx"),
    follows="int8",
    inputs_in="int8",
    deployment=("other runtime", "partial converter", "calibration data"),
)
def onnxruntime_int8(workload: Workload) -> InferencePath:
    """ONNX Runtime, 8-bit integers by its static quantization."""
    workload = behind(workload)
    file = onnx.quantized(workload)
    return _path(workload, file, "int8", lambda: int8_products(file, 1))


def _path(workload: Workload, file, precision, proof) -> InferencePath:
    running = session(file, workload.threads)
    one = workload.batch_of(1)
    infer = by_name(workload, running)

    def predict(x):
        given = workload.looked_up(x)
        return in_blocks(infer, given, workload.batch_of(block_of(given, 128)))

    def facts():
        checked = follows_network(workload, predict, precision)
        return {"providers": running.get_providers()} | checked | proof()

    return InferencePath(
        infer=infer,
        inputs=[onnx.fed(x) for x in workload.inputs(one)],
        examples=one,
        predict=predict,
        artifact=file,
        model=counted_on(workload),
        proof=facts,
    )


def by_name(workload: Workload, running: Any) -> Any:
    """A call of a session with inputs and outputs bound by the workload's names."""
    sources = [each.name for each in running.get_inputs()]
    targets = [each.name for each in running.get_outputs()]
    wanted = onnx.names(workload, sources)

    def infer_one(x):
        return running.run(None, {sources[0]: x})[0]

    def infer_named(x):
        given = nests.named(onnx.fed(x), next(iter(wanted)))
        found = running.run(None, {wanted[name]: each for name, each in given.items()})
        named = dict(zip(targets, found, strict=True))
        return named if len(named) > 1 else found[0]

    strings = any(each.type == "tensor(string)" for each in running.get_inputs())
    return infer_one if len(sources) == len(targets) == 1 and not strings else infer_named


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
    try:
        return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its own kinds of error share no base
        raise Unsupported(
            f"ONNX Runtime cannot run the file: {first_sentence(error)}; TensorFlow runs the "
            "model: infer/function"
        ) from None


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
