"""The trained model as TensorRT engines: inside TensorFlow (to 2.17), and by TensorRT's builder."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from bench.results.errors import NotEngaged, Unsupported
from scenarios.core import InferencePath, Workload, scenario
from scenarios.core.data import nests
from scenarios.core.quality import in_blocks
from scenarios.infer.tools import onnx
from scenarios.infer.tools.deploy import counted_on, exported, graph_path


@scenario(
    baseline="infer/function",
    needs=("tensorflow<2.18", "model:graph"),
    follows="float16",
    deployment=("other runtime", "special hardware", "partial converter"),
    variants={
        "": {"precision": "FP16", "scenario": {"first": True}},
        "fp32": {"precision": "FP32", "scenario": {"follows": "float32", "suite": "full"}},
        "int8": {
            "precision": "INT8",
            "scenario": {"follows": "int8", "inputs_in": "int8", "suite": "full"},
        },
    },
)
def tensorrt(workload: Workload, precision: str = "FP16") -> InferencePath:
    """TF-TRT: supported parts of the SavedModel become TensorRT engines (FP16 unless named)."""
    saved = exported(workload, "tensorrt_source")
    need_tf_trt()

    def convert(path: Path) -> None:
        from tensorflow.python.compiler.tensorrt import trt_convert

        def examples():
            return (
                example
                if isinstance(example, dict)
                else tuple(tf.constant(each) for each in example)
                for example in workload.calibration(batch=workload.batch_of())
            )

        calibrated = precision == "INT8"
        converter = trt_convert.TrtGraphConverterV2(
            input_saved_model_dir=str(saved),
            precision_mode=precision,
            use_calibration=calibrated,
        )
        converter.convert(calibration_input_fn=examples if calibrated else None)
        converter.build(input_fn=lambda: iter([next(examples())]))
        converter.save(str(path))

    folder = workload.artifact(f"tensorrt_{precision}", convert, built_for=gpu())
    loaded = tf.saved_model.load(folder)
    function = loaded.signatures["serving_default"]
    names = {spec.name: key for key, spec in nests.named(workload.signature()).items()}
    (only, *others) = function.structured_outputs

    def infer(x):
        given = nests.named(x)
        found = function(**{name: given[key] for name, key in names.items()})
        return found if others else found[only]

    return graph_path(
        workload,
        infer,
        model=counted_on(workload),
        artifact=folder,
        proof=lambda: engines(function, precision),
    )


@scenario(
    baseline="infer/function",
    needs=("package:tf2onnx", "model:graph", "inputs:one", "outputs:one"),
    follows="float16",
    deployment=("other runtime", "special hardware", "partial converter"),
    suite="full",
    variants={
        "": {"precision": "FP16", "scenario": {"first": True}},
        "fp32": {"precision": "FP32", "scenario": {"follows": "float32"}},
        "int8": {
            "precision": "INT8",
            "scenario": {
                "follows": "int8",
                "inputs_in": "int8",
                "needs": (
                    "package:tf2onnx",
                    "package:onnxruntime",
                    "model:graph",
                    "inputs:one",
                    "outputs:one",
                ),
            },
        },
    },
)
def tensorrt_onnx(workload: Workload, precision: str = "FP16") -> InferencePath:
    """ONNX export built by TensorRT's own builder, for TensorFlow 2.18 and later."""
    # For INT8 the file with quantize and dequantize nodes.
    file = onnx.quantized(workload) if precision == "INT8" else onnx.exported(workload)
    trt, cudart = need_builder()

    def build(path: Path) -> None:
        path.write_bytes(build_engine(file, precision, workload.data.input_shape, trt))

    plan = workload.artifact(f"tensorrt_{precision}.engine", build, built_for=gpu())
    engine = trt.Runtime(trt.Logger(trt.Logger.ERROR)).deserialize_cuda_engine(plan.read_bytes())
    run = Runner(engine, cudart, (1, *workload.data.input_shape), workload.data.classes)
    return InferencePath(
        infer=run,
        inputs=workload.inputs(batch=1),
        examples=1,
        predict=lambda x: in_blocks(run, x, batch=1),
        artifact=plan,
        model=counted_on(workload),
        proof=lambda: layers_by_precision(engine, trt, precision),
    )


def need_tf_trt() -> None:
    """Do nothing where TF-TRT, which ended with TensorFlow 2.17, can work.

    Raises:
        Unsupported: There is no GPU, or libnvinfer cannot be loaded.
    """
    _need_gpu()
    if not tf.sysconfig.get_build_info().get("is_tensorrt_build", False):
        raise Unsupported(
            "this TensorFlow was not built with TensorRT: install tensorflow[and-cuda]==2.17"
        )
    try:
        tf.load_library("libnvinfer.so.8")
    except (tf.errors.NotFoundError, OSError):
        raise Unsupported(
            "libnvinfer.so.8 cannot be loaded: install tensorrt==8.6.1 from the vendor's package "
            "index and put its folder on LD_LIBRARY_PATH"
        ) from None


def need_builder() -> Any:
    """The `tensorrt` and `cudart` modules.

    Raises:
        Unsupported: There is no GPU, or a package is missing.
    """
    _need_gpu()
    try:
        import tensorrt
        from cuda.bindings import runtime
    except ImportError as error:
        raise Unsupported(
            f"{error}: pip install tensorrt cuda-python (tensorrt downloads its libraries from the "
            "vendor's package index)"
        ) from None
    return tensorrt, runtime


def gpu() -> str:
    """The GPU that engines are built for: they run on no other kind."""
    details = tf.config.experimental.get_device_details(tf.config.list_physical_devices("GPU")[0])
    return f"{details.get('device_name')} {details.get('compute_capability')}"


def _need_gpu() -> None:
    if not tf.config.list_physical_devices("GPU"):
        raise Unsupported(
            "TensorRT needs an NVIDIA GPU that TensorFlow can see: install its driver and "
            "tensorflow[and-cuda]; none is visible here"
        )


def engines(function: Any, precision: str) -> dict[str, Any]:
    """The TensorRT engines in a loaded TF-TRT graph.

    Raises:
        NotEngaged: There is none, or none of the wanted precision.
    """
    graph = function.graph.as_graph_def()
    nodes = [*graph.node, *(node for f in graph.library.function for node in f.node_def)]
    found = Counter(
        node.attr["precision_mode"].s.decode() for node in nodes if node.op == "TRTEngineOp"
    )
    if not found[precision]:
        raise NotEngaged(f"no TensorRT engine computes in {precision}: engines {dict(found)}")
    return {f"{precision.lower()}_engines": found[precision], "operations_left": len(nodes)}


def build_engine(file: Path, precision: str, input_shape: tuple[int, ...], trt: Any) -> bytes:
    """TensorRT's serialized engine of an ONNX file, for inputs [1, *input_shape].

    Raises:
        Unsupported: TensorRT cannot parse or build it.
    """
    logger = trt.Logger(trt.Logger.ERROR)
    builder = trt.Builder(logger)
    network = builder.create_network(0)
    parser = trt.OnnxParser(network, logger)
    if not parser.parse(file.read_bytes()):
        errors = [str(parser.get_error(i)) for i in range(parser.num_errors)]
        raise Unsupported(f"TensorRT cannot parse the model: {'; '.join(errors)}")
    settings = builder.create_builder_config()
    settings.profiling_verbosity = trt.ProfilingVerbosity.DETAILED
    if precision != "FP32":
        settings.set_flag(getattr(trt.BuilderFlag, precision))
    profile = builder.create_optimization_profile()
    shape = (1, *input_shape)
    profile.set_shape(network.get_input(0).name, shape, shape, shape)
    settings.add_optimization_profile(profile)
    engine = builder.build_serialized_network(network, settings)
    if engine is None:
        raise Unsupported(f"TensorRT could not build an engine in {precision} on this GPU")
    return bytes(engine)


def layers_by_precision(engine: Any, trt: Any, precision: str) -> dict[str, Any]:
    """The engine's layers, by what its inspector says of their output formats.

    Raises:
        NotEngaged: No layer outputs the wanted precision.
    """
    wanted = {"FP32": "Float", "FP16": "Half", "INT8": "Int8"}[precision]
    inspector = engine.create_engine_inspector()
    described = [
        inspector.get_layer_information(i, trt.LayerInformationFormat.JSON)
        for i in range(engine.num_layers)
    ]
    found = sum(wanted in text or precision in text for text in described)
    if not found:
        raise NotEngaged(f"none of the engine's {len(described)} layers computes in {precision}")
    return {f"{precision.lower()}_layers": found, "layers": len(described)}


class Runner:
    """An engine with its input and output on the GPU; calling it copies in, runs, copies out."""

    def __init__(self, engine: Any, cudart: Any, shape: tuple[int, ...], classes: int) -> None:
        self.engine, self._cuda = engine, cudart
        self._context = engine.create_execution_context()
        self._output = np.empty((shape[0], classes), np.float32)
        self._stream = self._done(cudart.cudaStreamCreate())
        input_bytes = int(np.prod(shape)) * 4
        self._device = [
            self._done(cudart.cudaMalloc(n)) for n in (input_bytes, self._output.nbytes)
        ]
        names = [engine.get_tensor_name(i) for i in range(engine.num_io_tensors)]
        for name, address in zip(names, self._device, strict=True):
            self._context.set_tensor_address(name, int(address))
        self._context.set_input_shape(names[0], shape)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Class scores [1, classes] of x [1, H, W, C]."""
        cuda, kind = self._cuda, self._cuda.cudaMemcpyKind
        there, back = self._device
        self._done(
            cuda.cudaMemcpyAsync(
                there, x.ctypes.data, x.nbytes, kind.cudaMemcpyHostToDevice, self._stream
            )
        )
        self._context.execute_async_v3(self._stream)
        self._done(
            cuda.cudaMemcpyAsync(
                self._output.ctypes.data, back, self._output.nbytes,
                kind.cudaMemcpyDeviceToHost, self._stream,
            )
        )  # fmt: skip
        self._done(cuda.cudaStreamSynchronize(self._stream))
        return self._output.copy()

    @staticmethod
    def _done(answer: Any) -> Any:
        error, *values = answer
        if int(error):
            raise RuntimeError(f"CUDA: {error}")
        return values[0] if values else None
