"""Reading a .tflite file's graph, as proof of what was done to its operations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.results.errors import NotEngaged

ARITHMETIC = {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "BATCH_MATMUL", "TRANSPOSE_CONV"}
RECURRENT = {"UNIDIRECTIONAL_SEQUENCE_LSTM", "BIDIRECTIONAL_SEQUENCE_LSTM", "WHILE", "LSTM",
             "UNIDIRECTIONAL_SEQUENCE_RNN", "BIDIRECTIONAL_SEQUENCE_RNN"}  # fmt: skip
CONVERTING = {"QUANTIZE", "DEQUANTIZE", "CAST"}


def load_plain(file: Path) -> Any:
    """An interpreter without delegates, so that every operation of the file is visible."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    interpreter = Interpreter(
        model_path=str(file),
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    interpreter.allocate_tensors()
    return interpreter


def delegated(interpreter: Any) -> dict[str, Any]:
    """Which operations a default interpreter leaves to LiteRT's own kernels.

    The only default delegate on a CPU is XNNPACK's. The executed plan is found by walking back
    from the outputs, where a delegate's node takes the place of those it replaced.
    """
    operations = interpreter._get_ops_details()
    makers = {int(t): op for op in operations for t in op["outputs"]}
    makers |= {
        int(t): op for op in operations if op["op_name"] == "DELEGATE" for t in op["outputs"]
    }
    waiting = [detail["index"] for detail in interpreter.get_output_details()]
    run: dict[int, str] = {}
    while waiting:
        op = makers.get(int(waiting.pop()))
        if op is not None and op["index"] not in run:
            run[op["index"]] = op["op_name"]
            waiting.extend(op["inputs"])
    names = Counter(run.values())
    partitions = names.pop("DELEGATE", 0)
    return {"xnnpack_partitions": partitions, "outside_xnnpack": dict(names)}


def int8_operations(file: Path, activations: str = "int8") -> dict[str, Any]:
    """How many operations of a .tflite file work on quantized activations, those of loops included.

    Args:
        file: The .tflite file.
        activations: Type of their inputs and outputs: `int8`, or `int16` for 16x8.

    Returns:
        Counts of the arithmetic ones; a sentence on all of them where some stay in float.

    Raises:
        NotEngaged: None does.
    """
    inside, outside, others = Counter[str](), Counter[str](), Counter[str]()
    for op in operations(file):
        if op.name in ARITHMETIC | RECURRENT:
            (inside if {op.input, op.output} == {activations} else outside)[op.name] += 1
        elif activations in (op.input, op.output) and op.name not in CONVERTING:
            others[op.name] += 1
    total = sum(inside.values()) + sum(outside.values())
    if not inside and not others:
        raise NotEngaged(f"none of the {total} arithmetic operations in the graph is {activations}")
    return {
        f"{activations}_operations": sum(inside.values()),
        "arithmetic_operations": total,
        f"not_{activations}": dict(outside),
        **_left_in_float(file, activations),
    }


def _left_in_float(file: Path, activations: str) -> dict[str, str]:
    """The sentence on what stays in float; empty where nothing does."""
    counted = [
        op
        for op in operations(file)
        if op.name not in CONVERTING and {op.input, op.output} & {activations, "float32"}
    ]
    left = [op for op in counted if "float32" in (op.input, op.output)]
    if not left:
        return {}
    recurrent = any(op.inside_loop or op.name in RECURRENT for op in left)
    names = Counter("the recurrent part" if op.inside_loop or op.name in RECURRENT else op.name
                    for op in left)  # fmt: skip
    most = [name for name, _ in names.most_common() if not recurrent or name[0].islower()][:3]
    bits = activations.removeprefix("int")
    return {"said": f"{len(counted) - len(left)} of {len(counted)} operations are {bits}-bit; "
                    f"{', '.join(most)} stays float"}  # fmt: skip


@dataclass(frozen=True)
class Operation:
    """An operation of a file, with the types of its first activation in and out."""

    name: str
    input: str
    output: str
    inside_loop: bool
    """It belongs to the body of a loop or of a branch."""


def operations(file: Path) -> Iterator[Operation]:
    """All operations of a file's graphs, read from the file itself: interpreters show one graph."""
    from ai_edge_litert import schema_py_generated as schema

    names = _names(schema.BuiltinOperator)
    model, types = read(file)
    for place in range(model.SubgraphsLength()):
        graph = model.Subgraphs(place)

        def type_of(index: int, graph: Any = graph) -> str:
            return types.get(graph.Tensors(index).Type(), "") if index >= 0 else ""

        for i in range(graph.OperatorsLength()):
            op = graph.Operators(i)
            code = model.OperatorCodes(op.OpcodeIndex())
            number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
            yield Operation(
                names.get(number, "CUSTOM"),
                type_of(int(op.Inputs(0))) if op.InputsLength() else "",
                type_of(int(op.Outputs(0))) if op.OutputsLength() else "",
                place > 0,
            )


def _names(kind: type) -> dict[int, str]:
    return {value: name for name, value in vars(kind).items() if isinstance(value, int)}


def read(file: Path) -> tuple[Any, dict[int, str]]:
    """A file's model, and the names of tensors' types."""
    from ai_edge_litert import schema_py_generated as schema

    types = {number: name.lower() for number, name in _names(schema.TensorType).items()}
    return schema.Model.GetRootAs(file.read_bytes(), 0), types


def takes_batches_of(file: Path, size: int) -> bool:
    """Whether a file's first input takes that many examples, or any number."""
    from ai_edge_litert.interpreter import Interpreter

    detail = Interpreter(model_path=str(file)).get_input_details()[0]
    signature = detail["shape_signature"]
    return not len(signature) or int(signature[0]) in (-1, size)
