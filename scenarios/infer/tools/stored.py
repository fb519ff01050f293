"""Reading the weights that a .tflite file stores, as proof of what was done to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from bench.results.errors import NotEngaged, Unsupported
from scenarios.infer.tools.tflite import ARITHMETIC, load_plain, read

STORED = {"float32", "float16", "int8", "int4"}
LEAST_DYNAMIC = 1024
"""Values of a kernel below which dynamic range quantization leaves it in float."""
SIMD_BLOCK = 4  # values a block in the sparse format that LiteRT's own float kernel reads


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
        Unsupported: All are too small for dynamic range quantization.
    """
    kernels = list(_kernels(file))
    types = Counter(kind for kind, _ in kernels)
    if not types[name]:
        largest = max((size for _, size in kernels), default=0)
        if name == "int8" and largest < LEAST_DYNAMIC:
            raise Unsupported(
                f"LiteRT quantizes kernels of {LEAST_DYNAMIC} values and more while it runs; the "
                f"largest of this model has {largest}: use infer/litert-int8, which takes all"
            )
        raise NotEngaged(f"no kernel in the file is stored as {name}, but as {dict(types)}")
    return {f"{name}_kernels": types[name], "kernels": types.total()}


def _kernels(file: Path) -> Iterator[tuple[str, int]]:
    """Element type and size of each constant of two or more axes, in loops' bodies too."""
    model, types = read(file)
    for place in range(model.SubgraphsLength()):
        graph = model.Subgraphs(place)
        for i in range(graph.TensorsLength()):
            tensor = graph.Tensors(i)
            kind = types.get(tensor.Type(), "")
            stored = model.Buffers(tensor.Buffer()).DataLength() > 0
            if stored and kind in STORED and tensor.ShapeLength() > 1:
                size = int(np.prod(tensor.ShapeAsNumpy()))
                if size > 1:
                    yield kind, size


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
