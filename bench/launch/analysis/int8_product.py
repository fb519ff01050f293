"""An int8 matrix product by LiteRT, its one-layer model written out by hand: no conversion."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

SCALE = 0.01
"""Of all tensors; any value does, for time does not depend on it."""


def int8_product(side: int, threads: int) -> Callable[[], object] | None:
    """A call that multiplies two int8 matrices [side, side]; None where LiteRT is not installed."""
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        return None
    interpreter = Interpreter(model_content=_model(side), num_threads=threads)
    interpreter.allocate_tensors()
    values = np.random.default_rng(0).integers(-127, 127, (side, side), np.int8)
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], values)
    return lambda: interpreter.invoke()


def _model(side: int) -> bytes:
    """A .tflite file with one FULLY_CONNECTED of int8 input, weights and output [side, side]."""
    import flatbuffers  # type: ignore[import-untyped]
    from ai_edge_litert import schema_py_generated as schema

    weights = np.random.default_rng(1).integers(-127, 127, (side, side), np.int8)
    empty, data = schema.BufferT(), schema.BufferT()
    data.data = np.frombuffer(weights.tobytes(), np.uint8)

    def tensor(name: str, buffer: int) -> object:
        made = schema.TensorT()
        made.name, made.shape, made.buffer = name, [side, side], buffer
        made.type = schema.TensorType.INT8
        made.quantization = schema.QuantizationParametersT()
        made.quantization.scale, made.quantization.zeroPoint = [SCALE], [0]
        return made

    layer = schema.OperatorT()
    layer.inputs, layer.outputs = [0, 1, -1], [2]
    layer.builtinOptionsType = schema.BuiltinOptions.FullyConnectedOptions
    layer.builtinOptions = schema.FullyConnectedOptionsT()

    graph = schema.SubGraphT()
    graph.tensors = [tensor("x", 0), tensor("weights", 1), tensor("y", 0)]
    graph.inputs, graph.outputs, graph.operators = [0], [2], [layer]

    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.FULLY_CONNECTED
    code.version = 4

    model = schema.ModelT()
    model.version, model.operatorCodes = 3, [code]
    model.subgraphs, model.buffers = [graph], [empty, data]
    builder = flatbuffers.Builder(side * side + 4096)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
