"""Small .tflite files of functions of one operation each, written without a converter."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ai_edge_litert import schema_py_generated as schema
from flatbuffers import Builder

COLUMNS = 4


def written(
    path: Path,
    graphs: Sequence[str],
    signatures: Sequence[tuple[str, int]] = (),
    batch: int = 1,
    calls: int | None = None,
) -> Path:
    """A file whose graphs compute NEG, EXP, … of an input [batch, 4].

    Args:
        path: Of the file.
        graphs: Names of operations in `BuiltinOperator`, one a graph.
        signatures: Their names and graphs; input and output are named after the operation.
        batch: Examples a call; -1: any number.
        calls: A graph that an operation of another one calls.
    """
    model = schema.ModelT()
    model.version, model.buffers = 3, [schema.BufferT()]
    codes = [getattr(schema.BuiltinOperator, name) for name in graphs]
    codes += [schema.BuiltinOperator.WHILE] if calls is not None else []
    model.operatorCodes = [_code(each) for each in codes]
    model.subgraphs = [_graph(name, i, batch) for i, name in enumerate(graphs)]
    if calls is not None:
        model.subgraphs[-1].operators.append(_loop(len(graphs), calls))
    model.signatureDefs = [_signature(name, i, graphs[i]) for name, i in signatures]
    builder = Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    path.write_bytes(bytes(builder.Output()))
    return path


def _code(operation: int) -> schema.OperatorCodeT:
    code = schema.OperatorCodeT()
    code.builtinCode, code.version = operation, 1
    code.deprecatedBuiltinCode = min(operation, 127)
    return code


def _graph(name: str, code: int, batch: int) -> schema.SubGraphT:
    graph, op = schema.SubGraphT(), schema.OperatorT()
    graph.name = name.lower()
    graph.tensors = [_tensor(f"{name.lower()}_{end}", batch) for end in ("in", "out")]
    graph.inputs, graph.outputs = [0], [1]
    op.opcodeIndex, op.inputs, op.outputs = code, [0], [1]
    if name == "RESHAPE":  # to as many examples as it was converted for
        op.builtinOptionsType = schema.BuiltinOptions.ReshapeOptions
        op.builtinOptions = schema.ReshapeOptionsT()
        op.builtinOptions.newShape = [max(batch, 1), COLUMNS]
    graph.operators = [op]
    return graph


def _tensor(name: str, batch: int) -> schema.TensorT:
    tensor = schema.TensorT()
    tensor.name, tensor.type, tensor.buffer = name, schema.TensorType.FLOAT32, 0
    tensor.shape, tensor.hasRank = [max(batch, 1), COLUMNS], True
    if batch < 1:
        tensor.shapeSignature = [-1, COLUMNS]
    return tensor


def _loop(code: int, graph: int) -> schema.OperatorT:
    op, options = schema.OperatorT(), schema.WhileOptionsT()
    options.condSubgraphIndex = options.bodySubgraphIndex = graph
    op.opcodeIndex, op.inputs, op.outputs = code, [0], [1]
    op.builtinOptionsType, op.builtinOptions = schema.BuiltinOptions.WhileOptions, options
    return op


def _signature(name: str, graph: int, operation: str) -> schema.SignatureDefT:
    signature = schema.SignatureDefT()
    signature.signatureKey, signature.subgraphIndex = name, graph
    signature.inputs = [_named(f"{operation.lower()}_x", 0)]
    signature.outputs = [_named(f"{operation.lower()}_y", 1)]
    return signature


def _named(name: str, tensor: int) -> schema.TensorMapT:
    found = schema.TensorMapT()
    found.name, found.tensorIndex = name, tensor
    return found
