"""The trained network as ONNX files, which ONNX Runtime runs and TensorRT builds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.results.errors import Unsupported
from scenarios.core.data import nests
from scenarios.core.feeding import plain_name
from scenarios.core.workload import Workload
from scenarios.infer.tools import frozen
from scenarios.infer.tools.deploy import module
from scenarios.infer.tools.refusing import first_sentence, onnx_reason

OPSET = 17
PRODUCTS = {"Conv", "Gemm", "MatMul", "ConvTranspose"}


def finished(workload: Workload) -> Path | None:
    """The .onnx file that the workload's model is, where it came as one."""
    given = Path(workload.spec.model)
    return given if given.suffix == ".onnx" else None


def exported(workload: Workload) -> Path:
    """The trained network as an ONNX file with an open batch size, made once.

    Raises:
        Unsupported: tf2onnx has no operation for some of its graph.
    """

    def make(path: Path) -> None:
        import onnx
        import tf2onnx

        made = module(workload, batch=workload.facts.fixed_batch)
        serve, concrete = made.serve, made.serve.get_concrete_function()
        if frozen.arrays_captured(concrete):  # tf2onnx would make inputs of them
            serve = frozen.without_captures(concrete, serve.input_signature, workload.output_names)
        try:
            model, _ = tf2onnx.convert.from_function(
                serve, input_signature=serve.input_signature, opset=OPSET
            )
            onnx.checker.check_model(model)
        except Exception as error:  # its kinds of error share no base
            raise Unsupported(
                f"tf2onnx cannot export the model: {onnx_reason(error)}; TensorFlow runs it as it "
                "is: infer/function, infer/savedmodel"
            ) from None
        onnx.save(model, path)

    return workload.artifact("float32.onnx", make)


def quantized(workload: Workload) -> Path:
    """The ONNX file with 8-bit weights and activations between quantize and dequantize nodes.

    Raises:
        Unsupported: ONNX Runtime's static quantization cannot take it, or finds nothing to do.
    """
    source = finished(workload) or exported(workload)

    def make(path: Path) -> None:
        from onnxruntime import quantization

        try:
            quantization.quantize_static(
                str(source),
                str(path),
                _Calibration(workload, source),
                quant_format=quantization.QuantFormat.QDQ,
                per_channel=True,
            )
        except Exception as error:  # its kinds of error share no base
            raise Unsupported(
                f"ONNX Runtime cannot quantize the model: {first_sentence(error)}; "
                "infer/onnxruntime runs it in float"
            ) from None
        _need_quantized(path)

    return workload.artifact("int8.onnx", make)


def _need_quantized(path: Path) -> None:
    import onnx

    found = Counter(node.op_type for node in onnx.load(path).graph.node)
    if not found["DequantizeLinear"] or not any(found[name] for name in PRODUCTS):
        raise Unsupported(
            "ONNX Runtime quantizes float32 convolutions and matrix products outside of loops, and "
            f"found none among {dict(found.most_common(5))}; infer/onnxruntime runs it in float"
        )


def names(workload: Workload, sources: Sequence[str]) -> dict[str, str]:
    """The workload's names of inputs → those in the file, which may end in TensorFlow's `:0`."""
    own = {source.removesuffix(":0"): source for source in sources}
    wanted = list(nests.named(workload.signature(), "input"))
    if len(sources) == 1:
        return {wanted[0]: sources[0]}
    return {name: own[name if name in own else plain_name(name)] for name in wanted}


def fed(x: Any) -> Any:
    """Inputs as ONNX Runtime takes them: strings as objects."""
    return nests.mapped(lambda array: array.astype(object) if nests.is_text(array) else array, x)


class _Calibration:
    """Feeds ONNX Runtime's calibration one example at a time (its CalibrationDataReader)."""

    def __init__(self, workload: Workload, file: Path) -> None:
        import onnx

        self._examples: Iterator[Any] = workload.calibration(batch=workload.batch_of())
        sources = [each.name for each in onnx.load(file, load_external_data=False).graph.input]
        self._sources = {
            plain_name(name): source for name, source in names(workload, sources).items()
        }

    def get_next(self) -> dict[str, np.ndarray] | None:
        """The next example by input name, None at the end."""
        example = next(self._examples, None)
        if example is None:
            return None
        if isinstance(example, dict):
            return {self._sources[name]: array for name, array in example.items()}
        return {next(iter(self._sources.values())): example[0]}
