"""Reading what a .tflite file's graph and stored weights hold, as proof of what was done to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from bench.results.errors import NotEngaged

ARITHMETIC = {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "BATCH_MATMUL", "TRANSPOSE_CONV"}
SIMD_BLOCK = 4  # values a block in the sparse format that LiteRT's own float kernel reads


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
    """How many of the arithmetic operations in a .tflite graph work on quantized activations.

    Args:
        file: The .tflite file.
        activations: Type of their inputs and outputs: `int8`, or `int16` for 16x8.

    Raises:
        NotEngaged: None does.
    """
    interpreter = load_plain(file)
    types = {t["index"]: np.dtype(t["dtype"]).name for t in interpreter.get_tensor_details()}
    inside, outside = Counter[str](), Counter[str]()
    for op in interpreter._get_ops_details():
        if op["op_name"] in ARITHMETIC:
            own = {types.get(int(op["inputs"][0])), types.get(int(op["outputs"][0]))}
            (inside if own == {activations} else outside)[op["op_name"]] += 1
    total = sum(inside.values()) + sum(outside.values())
    if not inside:
        raise NotEngaged(f"none of the {total} arithmetic operations in the graph is {activations}")
    return {
        f"{activations}_operations": sum(inside.values()),
        "arithmetic_operations": total,
        f"not_{activations}": dict(outside),
    }


def stored_weights(
    file: Path, kinds: Collection[str] = ARITHMETIC
) -> Iterator[tuple[dict[str, Any], np.ndarray]]:
    """Details and values of each constant kernel (two or more axes) that arithmetic reads."""
    interpreter = load_plain(file)
    details = {t["index"]: t for t in interpreter.get_tensor_details()}
    operations = interpreter._get_ops_details()
    made = {int(t): op for op in operations for t in op["outputs"]}
    for op in operations:
        if op["op_name"] not in kinds:
            continue
        index = int(op["inputs"][1])
        if index in made and made[index]["op_name"] in {"DEQUANTIZE", "DENSIFY"}:
            index = int(made[index]["inputs"][0])
        detail = details.get(index)
        if detail is None or index in made or len(detail["shape"]) < 2:
            continue
        yield detail, interpreter.get_tensor(index)


def weights_of_type(file: Path, name: str) -> dict[str, Any]:
    """How many stored kernels have the element type `name`.

    Raises:
        NotEngaged: None has.
    """
    types = Counter(values.dtype.name for _, values in stored_weights(file))
    if not types[name]:
        raise NotEngaged(f"no kernel in the file is stored as {name}, but as {dict(types)}")
    return {f"{name}_kernels": types[name], "kernels": types.total()}


def zeros(file: Path, at_least: float) -> dict[str, Any]:
    """Share of the stored kernels' values that are zero; int8 kernels have their zero point at 0.

    Depthwise kernels are left out: tfmot does not prune them.

    Raises:
        NotEngaged: Fewer than `at_least`.
    """
    found = total = 0
    for _, values in stored_weights(file, ARITHMETIC - {"DEPTHWISE_CONV_2D"}):
        found += int(np.count_nonzero(values == 0))
        total += values.size
    return enough_zeros(found, total, at_least)


def enough_zeros(found: int, total: int, at_least: float) -> dict[str, Any]:
    """The measured sparsity as a fact.

    Raises:
        NotEngaged: It is below `at_least`.
    """
    sparsity = found / max(1, total)
    if sparsity < at_least:
        raise NotEngaged(
            f"{sparsity:.1%} of the stored weights are zero, {at_least:.0%} were asked for"
        )
    return {"sparsity": sparsity, "zero_weights": found, "kernel_weights": total}


def clusters(file: Path, at_most: int) -> dict[str, Any]:
    """The most distinct values of any output channel's stored kernel.

    Channels have scales of their own, so that one real value becomes several integers.

    Raises:
        NotEngaged: More than `at_most`.
    """
    most = max(
        (
            np.unique(channel).size
            for detail, values in stored_weights(file)
            for channel in np.moveaxis(values, _channel_axis(detail), 0)
        ),
        default=0,
    )
    if not 0 < most <= at_most:
        raise NotEngaged(
            f"a channel's kernel holds {most} distinct values, at most {at_most} asked"
        )
    return {"distinct_values_a_channel": most}


def sparse_kernels(file: Path) -> dict[str, Any]:
    """How the kernels that are stored sparse reach their operations.

    LiteRT's float FULLY_CONNECTED reads a kernel stored in blocks of 1×4 as it is and skips the
    zero blocks; any other sparse kernel is made dense first (DENSIFY).

    Raises:
        NotEngaged: No kernel is stored sparse.
    """
    interpreter = load_plain(file)
    details = {t["index"]: t for t in interpreter.get_tensor_details()}
    operations = interpreter._get_ops_details()
    direct = unpacked = 0
    densities = []
    for op in operations:
        for index in op["inputs"]:
            sparse = details.get(int(index), {}).get("sparsity_parameters")
            if not sparse:
                continue
            shape, block = details[int(index)]["shape"], _block(sparse)
            densities.append(block * _stored_blocks(sparse) / np.prod(shape))
            blocked = op["op_name"] == "FULLY_CONNECTED" and block == SIMD_BLOCK
            direct, unpacked = direct + blocked, unpacked + (not blocked)
    if not densities:
        raise NotEngaged("no kernel in the file is stored sparse")
    return {
        "read_sparse": direct,
        "made_dense_first": unpacked,
        "sparsity": 1 - float(np.mean(densities)),
    }


def _block(sparse: dict[str, Any]) -> int:
    dimensions = sparse["dim_metadata"][len(sparse["dim_metadata"]) - len(sparse["block_map"]) :]
    return int(np.prod([d["dense_size"] for d in dimensions])) if len(sparse["block_map"]) else 1


def _stored_blocks(sparse: dict[str, Any]) -> int:
    return max(len(d["array_indices"]) for d in sparse["dim_metadata"] if d["format"] == 1)


def _channel_axis(detail: dict[str, Any]) -> int:
    parameters = detail["quantization_parameters"]
    return int(parameters["quantized_dimension"]) if len(parameters["scales"]) > 1 else 0
