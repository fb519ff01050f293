"""Converting a network for LiteRT: by name, with a batch size that its operations allow."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import tensorflow as tf

from bench.results.errors import Unsupported
from scenarios.core.models import keras_models, rebuild
from scenarios.core.workload import Workload
from scenarios.infer.tools import tflite
from scenarios.infer.tools.deploy import export, has_keras, has_loop, module
from scenarios.infer.tools.refusing import litert_reason

Options = Callable[[Any], None]
"""Sets a converter's options."""
WAY_OUT = "TensorFlow runs the model as it is: infer/function, infer/savedmodel"
LONGEST_UNROLLED = 64
"""Steps up to which a recurrent layer is unrolled: each becomes operations of its own."""


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
    workload: Workload,
    name: str,
    model: Callable[[], Any] | None = None,
    options: Options = float32,
    batch: int = 1,
) -> Path:
    """The .tflite file of a network, made once.

    It takes any batch size, unless LiteRT lacks operations for that (a recurrent layer's loop over
    a batch of open size): then `batch` is fixed. Operations that have no 8-bit kernel stay in float
    where `options` ask for 8 bits alone.

    Args:
        workload: Owns the cache.
        name: Names the file, and must be used for one conversion only.
        model: Makes the Keras model; default: the workload's trained network in whatever form.
        options: Sets the converter's options.
        batch: Examples a call, where it has to be fixed.

    Raises:
        Unsupported: The converter cannot take the network.
    """
    size = workload.batch_of(batch)

    def convert(path: Path, size: int = 1) -> None:
        made = model() if model else None
        path.write_bytes(_first_that_works(workload, made, options, size))

    file = workload.artifact(f"{name}.tflite", convert)
    if size == 1 or tflite.takes_batches_of(file, size):
        return file
    return workload.artifact(f"{name}_b{size}.tflite", lambda path: convert(path, size))


def _first_that_works(workload: Workload, model: Any, options: Options, size: int) -> bytes:
    """The bytes of the first conversion that goes through: open before fixed, 8 bits before float.

    Raises:
        Unsupported: None does; the reason is that of the conversion that asked for least.
    """
    fixed = workload.facts.fixed_batch
    batches = (None, size) if fixed is None else (fixed,)
    if has_loop(module(workload, model, batches[-1])):
        batches = batches[-1:]
        if _calibrates(options):
            model = _without_loops(workload, model)
            _need_quantizable(workload, model, batches[0])
    reason = ""
    for relaxed in (False, True):
        for batch in batches:
            try:
                found = _converted(workload, model, options, batch, relaxed)
            except Unsupported as error:
                reason = str(error)
            else:
                if found:
                    return found
    raise Unsupported(reason)


def _converted(
    workload: Workload, model: Any, options: Options, batch: int | None, relaxed: bool = False
) -> bytes:
    """One conversion's bytes; none where `relaxed` would change nothing.

    Raises:
        Unsupported: The converter cannot take the network.
    """
    with tempfile.TemporaryDirectory() as folder:
        converter = _converter(workload, model, batch, Path(folder))
        options(converter)
        if relaxed and not _relax(converter):
            return b""
        if converter.representative_dataset:
            converter.representative_dataset = _examples(workload, batch or 1)
        try:
            return bytes(converter.convert())
        except Exception as error:  # the converter's kinds of error share no base
            half = _computes_in_half(workload, model)
            raise Unsupported(half or f"{litert_reason(error)}; {WAY_OUT}") from None


def _computes_in_half(workload: Workload, model: Any) -> str:
    """What `in_half` says of the Keras model, where there is one."""
    if model is None and not has_keras(workload):
        return ""
    return keras_models.in_half(workload.trained_model() if model is None else model)


def _without_loops(workload: Workload, model: Any) -> Any:
    """The same Keras model, where it can be had, whose recurrent layers become no loop.

    The LSTM of tf_keras is one operation of LiteRT's, that of Keras 3 a loop; a GRU of few steps is
    unrolled.
    """
    if model is None and not has_keras(workload):
        return None
    model = workload.trained_model() if model is None else model
    if keras_models.version(model) == 2:
        return model
    try:
        return rebuild.in_tf_keras(model, unrolled=LONGEST_UNROLLED)
    except Unsupported:
        return model


def _calibrates(options: Options) -> bool:
    asked = tf.lite.TFLiteConverter([])
    options(asked)
    return asked.representative_dataset is not None


def _need_quantizable(workload: Workload, model: Any, batch: int | None) -> None:
    """Do nothing where LiteRT's quantizer can take the model: on a loop it ends the process.

    Raises:
        Unsupported: A loop is left.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "float.tflite"
        file.write_bytes(_converted(workload, model, float32, batch))
        if any(op.name in ("WHILE", "IF") for op in tflite.operations(file)):
            raise Unsupported(
                "LiteRT's quantizer cannot calibrate the loop of a recurrent layer: build it with "
                "unroll=True, or use infer/litert-dynamic, which quantizes its weights"
            )


def _converter(workload: Workload, model: Any, batch: int | None, folder: Path) -> Any:
    """A converter whose inputs and outputs have names where there are several of one."""
    if batch is None and _needs_no_names(workload, model):
        model = workload.trained_model() if model is None else model
        return tf.lite.TFLiteConverter.from_keras_model(model)
    export(workload, folder / "model", model, batch)
    return tf.lite.TFLiteConverter.from_saved_model(
        str(folder / "model"), signature_keys=["serving_default"]
    )


def _needs_no_names(workload: Workload, model: Any) -> bool:
    """Whether it is a Keras model of one input, without open dimensions, and one output."""
    if model is None and not has_keras(workload):
        return False
    specs = list(workload.facts.signature.values())
    one = len(specs) == len(workload.output_names) == 1
    return one and None not in specs[0].shape and workload.facts.structure == "one"


def _relax(converter: Any) -> bool:
    """Let operations without 8-bit kernels stay in float; False where nothing forbade it."""
    allowed = set(converter.target_spec.supported_ops)
    if tf.lite.OpsSet.TFLITE_BUILTINS in allowed:
        return False
    converter.target_spec.supported_ops = [*allowed, tf.lite.OpsSet.TFLITE_BUILTINS]
    return True


def _examples(workload: Workload, batch: int) -> Callable[[], Iterator[Any]]:
    """Calibration examples as the converter takes them, in batches of the fixed size."""
    return lambda: workload.calibration(batch=batch)
