"""The trained model as ONNX files, which ONNX Runtime runs and TensorRT builds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf

from scenarios.core.workload import Workload

OPSET = 17


def exported(workload: Workload) -> Path:
    """The trained model as an ONNX file with an open batch size, made once."""

    def make(path: Path) -> None:
        import onnx
        import tf2onnx

        model = workload.trained_model()
        signature = [tf.TensorSpec([None, *workload.data.input_shape], tf.float32, name="image")]
        function = tf.function(lambda image: model(image, training=False))
        model, _ = tf2onnx.convert.from_function(function, input_signature=signature, opset=OPSET)
        onnx.save(model, path)

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
