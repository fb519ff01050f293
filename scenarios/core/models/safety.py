"""Looking into a model's file for code, before anything of it is loaded."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.results.errors import UsageError

FORBIDDEN = {
    "PyFunc", "PyFuncStateless", "EagerPyFunc", "ReadFile", "WriteFile", "MatchingFiles",
    "PrintV2", "Save", "SaveSlices", "DebugIdentityV2", "DebugIdentityV3",
}  # fmt: skip
"""Operations that reach beyond the graph: no model needs them to answer."""
PARTS = ("config.json", "metadata.json", "model.weights.h5", "assets/")
"""What Keras writes into a .keras file."""
DESCRIPTIONS = ("model_config", "training_config")
"""What Keras writes into an HDF5 file: the layers; losses, metrics and the optimizer."""
OWN = ("keras", "tf_keras", "builtins", "tensorflow.keras")
"""Packages whose classes a model may name."""
LARGEST_BYTES = 64 << 20
"""Of a model's description: a larger one is a bomb."""


def check(path: Path) -> None:
    """Refuse a model whose loading runs code of its own.

    Raises:
        UsageError: A Lambda layer, a class or function from elsewhere, something else in the
            archive, or an operation that TensorFlow does not know; the message names it.
    """
    if path.is_dir():
        check_graph(path, known=True)
    elif path.suffix == ".keras":
        _archive(path)
    elif path.suffix in (".h5", ".hdf5"):
        _hdf5(path)


def check_graph(place: Path, known: bool = False) -> None:
    """Refuse a SavedModel whose graph reads or writes files, or calls Python.

    Args:
        place: Its folder.
        known: Refuse operations that TensorFlow itself does not have, too.

    Raises:
        UsageError: It does, or is no SavedModel.
    """
    from tensorflow.core.protobuf import saved_model_pb2
    from tensorflow.python.framework import op_def_registry

    try:
        model = saved_model_pb2.SavedModel.FromString((place / "saved_model.pb").read_bytes())
    except Exception as error:
        raise UsageError(f"{place} is no SavedModel: {error}") from None
    for graph in (each.graph_def for each in model.meta_graphs):
        nodes = [*graph.node, *(n for f in graph.library.function for n in f.node_def)]
        used = {node.op for node in nodes}
        found = sorted(used & FORBIDDEN)
        if known:
            functions = {function.signature.name for function in graph.library.function}
            found += sorted(op for op in used - functions if op_def_registry.get(op) is None)
        if found:
            raise UsageError(f"the graph in {place} uses {', '.join(found)}: it is not run")


def _archive(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                if not entry.filename.startswith(PARTS):
                    raise _refused(path, f"the file {entry.filename!r}")
            if archive.getinfo("config.json").file_size > LARGEST_BYTES:
                raise _refused(path, "a description of more than 64 MiB")
            config = json.loads(archive.read("config.json"))
    except (OSError, ValueError, KeyError, RuntimeError, zipfile.BadZipFile) as error:
        raise UsageError(f"{path} is no .keras file: {error}") from None
    _described(path, config)


def _hdf5(path: Path) -> None:
    import h5py

    try:
        with h5py.File(path, "r") as file:
            config = [json.loads(file.attrs.get(name, "{}")) for name in DESCRIPTIONS]
    except (OSError, ValueError, TypeError, RuntimeError) as error:
        raise UsageError(f"{path} is no HDF5 model: {error}") from None
    _described(path, config)


def _described(path: Path, config: Any) -> None:
    for one in _objects(config):
        name, module = str(one.get("class_name")), str(one.get("module") or "keras")
        registered = str(one.get("registered_name") or "")
        if name in ("Lambda", "__lambda__"):
            raise _refused(path, "a Lambda layer")
        own = any(module == each or module.startswith(f"{each}.") for each in OWN)
        if not own or (">" in registered and not registered.startswith("keras")):
            raise _refused(path, f"{name} from {registered or module}")


def _objects(config: Any) -> Iterator[dict[str, Any]]:
    """Every object of a description that names a class."""
    waiting = [config]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            if isinstance(one.get("class_name"), str):
                yield one
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one


def _refused(path: Path, what: str) -> UsageError:
    return UsageError(f"{path} holds {what}, which runs code when it is loaded: refused by --safe")
