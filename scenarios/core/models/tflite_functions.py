"""The functions of a .tflite file, by its signatures' names; an interpreter runs the first graph.

Another function is measured by a copy of the file whose graphs have changed places: whatever reads
or runs a file then finds that function, without being told.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.results.errors import Unsupported, UsageError

POINTER = struct.Struct("<I")
"""How a flatbuffer stores sizes of vectors, and places of their elements relative to their own."""
SUBGRAPHS, SIGNATURES, SUBGRAPH_INDEX = 8, 18, 12
"""Fields of a model's table, and of a signature's, by their places in the schema."""


def graphs(path: Path) -> dict[str, int]:
    """The graph of each of a file's signatures, by the signature's name."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as held:
        model = _model(held)
        signatures = [model.SignatureDefs(i) for i in range(model.SignatureDefsLength())]
        return {each.SignatureKey().decode(): each.SubgraphIndex() for each in signatures}


def chosen(path: Path, wanted: str) -> str:
    """The signature that is measured: the one wanted, or else that of the file's first graph.

    Returns:
        Its name; "" of a file without signatures.

    Raises:
        UsageError: There is no such signature.
    """
    known = graphs(path)
    if not wanted:
        return next((name for name, graph in known.items() if graph == 0), next(iter(known), ""))
    if wanted in known:
        return wanted
    if not known:
        raise UsageError(f"{path} has no signatures: leave --signature out")
    raise UsageError(
        f"{path} has no signature {wanted!r}: it has {', '.join(known)}; name one by --signature"
    )


def is_alone(path: Path, name: str) -> bool:
    """Whether whatever reads the file finds this signature."""
    known = graphs(path)
    return not known or (known[name] == 0 and next(iter(known)) == name)


def alone(path: Path, name: str) -> bytes:
    """The file with this signature alone, its graph the first.

    Raises:
        Unsupported: The file's graphs call the ones that would change places.
    """
    known = graphs(path)
    graph, place = known[name], list(known).index(name)
    file = bytearray(path.read_bytes())
    if graph and {0, graph} & set(_called(file)):
        raise Unsupported(
            f"the functions of {path} call one another: convert {name!r} to a file of its own"
        )
    table = _model(file)._tab
    _exchange(file, table.Vector(table.Offset(SUBGRAPHS)), 0, graph)
    if graph:  # 0 is not stored
        own = _model(file).SignatureDefs(place)._tab
        POINTER.pack_into(file, own.Pos + own.Offset(SUBGRAPH_INDEX), 0)
    first = table.Vector(table.Offset(SIGNATURES))
    _exchange(file, first, 0, place)
    POINTER.pack_into(file, first - POINTER.size, 1)
    return bytes(file)


def _model(file: Any) -> Any:
    from ai_edge_litert import schema_py_generated as schema

    return schema.Model.GetRootAs(file, 0)


def _exchange(file: bytearray, vector: int, one: int, other: int) -> None:
    """Let two elements of a vector of tables change places."""
    places = [vector + POINTER.size * i for i in (one, other)]
    targets = [place + POINTER.unpack_from(file, place)[0] for place in places]
    for place, target in zip(places, reversed(targets), strict=True):
        POINTER.pack_into(file, place, target - place)


def _called(file: bytearray) -> Iterator[int]:
    """Graphs that operations call: bodies of loops, branches."""
    from ai_edge_litert import schema_py_generated as schema

    kinds = (
        (schema.BuiltinOptions, "BuiltinOptions"),
        (schema.BuiltinOptions2, "BuiltinOptions2"),
    )
    model = _model(file)
    for graph in map(model.Subgraphs, range(model.SubgraphsLength())):
        for op in map(graph.Operators, range(graph.OperatorsLength())):
            for known, field in kinds:
                yield from _called_by(schema, op, known, field)


def _called_by(schema: Any, op: Any, known: type, field: str) -> Iterator[int]:
    number, table = getattr(op, f"{field}Type")(), getattr(op, field)()
    name = next((name for name, value in vars(known).items() if value == number), "")
    if table is None or not hasattr(schema, name):
        return
    options = getattr(schema, name)()
    options.Init(table.Bytes, table.Pos)
    for each in dir(options):
        if each.endswith("SubgraphIndex") or each == "Subgraph":
            yield int(getattr(options, each)())
        elif each == "BranchSubgraphIndicesAsNumpy":
            yield from map(int, options.BranchSubgraphIndicesAsNumpy())
