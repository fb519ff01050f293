"""Storage alone: how fast the files of an input pipeline are read, past the page cache and from it.

The files are those named in the pipeline's own graph, so that nothing needs to be declared.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

READING_S = 0.5
"""Time for each of cold and warm; fewer files are read where they take longer."""
BLOCK = 1 << 20


def files_of(dataset: Any) -> list[Path]:
    """Files whose names stand in a tf.data pipeline's graph, in that order; each once."""
    try:
        serialized = tf.raw_ops.DatasetToGraphV2(
            input_dataset=dataset._variant_tensor,  # no public way leads to the graph
            external_state_policy=tf.data.experimental.ExternalStatePolicy.IGNORE.value,
        )
    except tf.errors.OpError:
        return []  # it holds a state that cannot be written down
    graph = tf.compat.v1.GraphDef.FromString(serialized.numpy())
    names: dict[str, None] = {}
    for node in graph.node:
        tensor = node.attr["value"].tensor
        if node.op == "Const" and tensor.dtype == tf.string.as_datatype_enum:
            values = tf.io.parse_tensor(tensor.SerializeToString(), tf.string)
            for value in tf.reshape(values, [-1]).numpy():
                names[value.decode("utf-8", "replace")] = None
    return [path for name in names if name and (path := Path(name)).is_file()]


def bytes_per_s(files: Sequence[Path]) -> dict[str, float]:
    """Bytes a second read from the files in plain order: `cold` and then `warm`.

    Cold: the kernel is asked to forget each file's pages first (`POSIX_FADV_DONTNEED`), which it
    does for pages that are written back and that nobody else holds.
    """
    found = {"cold": _rate(files, forget=True), "warm": _rate(files, forget=False)}
    return {name: rate for name, rate in found.items() if rate}


def _rate(files: Sequence[Path], forget: bool) -> float:
    read, spent = 0, 0.0
    for path in files:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            if forget:
                os.fsync(descriptor)
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            else:
                _drain(descriptor)  # now it lies in the cache
                os.lseek(descriptor, 0, os.SEEK_SET)
            begun = time.perf_counter()
            read += _drain(descriptor)
            spent += time.perf_counter() - begun
        finally:
            os.close(descriptor)
        if spent > READING_S:
            break
    return read / spent if spent else 0.0


def _drain(descriptor: int) -> int:
    total = 0
    while part := os.read(descriptor, BLOCK):
        total += len(part)
    return total
