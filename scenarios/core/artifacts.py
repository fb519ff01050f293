"""Trained weights and converted models, kept once in a cache addressed by what determines them."""

from __future__ import annotations

import ast
import contextlib
import fcntl
import functools
import hashlib
import importlib.metadata
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FunctionType, MethodType
from typing import Any

import numpy as np
import tensorflow as tf

OWN = {"bench", "reports", "scenarios", "tfbench"}
"""Top-level modules that need no version: their sources are in the key."""


made: list[Path] = []
"""What this process made, and did not find."""


def made_once(target: Path, make: Callable[[Path], None]) -> Path:
    """The file or folder `target`, made by `make(path)` unless it is there.

    It is made under another name and renamed when it is whole, so that an interruption leaves
    nothing half made; a lock lets one process make it while others wait.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.with_name(f".{target.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            part = target.with_name(f".part-{target.name}")
            shutil.rmtree(part) if part.is_dir() else part.unlink(missing_ok=True)
            make(part)
            part.rename(target)
            made.append(target)
    return target


def cached(folder: Path, name: str, make: Callable[[Path], None], built_for: str = "") -> Path:
    """`folder`'s file or folder `name`, made by `make(path)` once for each state of its makers.

    These are the sources of `make`, of what its closure calls and of what scenarios share, the
    versions of the packages that these import, and the device that it is built for. Not the number
    of threads: a trained model's last bits hang on it, but all configurations are to run one model.
    """
    files = sources(make)
    digests = [source_digest(file) for file in files]
    versions = sorted({each for file in files for each in _versions(file)})
    parts = (*digests, *versions, *shared(), built_for)
    digest = hashlib.sha256("|".join(parts).encode()).hexdigest()[:12]
    return made_once(folder / digest / name, make)


LOOKING_UP = ("TextVectorization", "StringLookup", "IntegerLookup")
"""Layers whose vocabulary is made with the model."""


def save_weights(model: Any, path: Path) -> None:
    """Weights by layer and place, float32: Keras 2 and 3 number layers and weights alike.

    Those that belong to the model itself and to no layer of it come under `model`.
    """
    arrays = {
        f"{i}/{j}": np.asarray(weight)
        for i, layer in enumerate(_holding(model))
        for j, weight in enumerate(layer.get_weights())
    }
    arrays |= {f"model/{j}": np.asarray(weight) for j, weight in enumerate(own_weights(model))}
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def load_weights(model: Any, path: Path) -> None:
    """Set the weights `save_weights` wrote on a model of the same layers."""
    with np.load(path) as arrays:
        for i, layer in enumerate(_holding(model)):
            own = [key for key in arrays.files if key.startswith(f"{i}/")]
            layer.set_weights([arrays[f"{i}/{j}"] for j in range(len(own))])
        for j, weight in enumerate(own_weights(model)):
            weight.assign(arrays[f"model/{j}"])
    settled(model)


def settled(model: Any) -> Any:
    """A model whose weights were set: what its normalisations made of theirs is made anew.

    A Normalization computes with constants; in a copy they are 0 and 1 until then.
    """
    for layer in model._flatten_layers():
        if type(layer).__name__ == "Normalization":
            layer.finalize_state()
    return model


def _holding(model: Any) -> list[Any]:
    """The layers that hold weights: those of Keras 2 and 3 are alike.

    An operation between layers is a layer of its own in Keras 2 alone, and a vocabulary a weight.
    """
    return [x for x in model.layers if x.weights and type(x).__name__ not in LOOKING_UP]


def own_weights(model: Any) -> list[Any]:
    """The model's weights that are of no layer in `model.layers`."""
    of_layers = {id(weight) for layer in model.layers for weight in layer.weights}
    return [weight for weight in model.weights if id(weight) not in of_layers]


def sources(make: Callable[..., Any]) -> list[str]:
    """The source files of `make` and of the functions that its closure holds."""
    files: set[str] = set()
    seen: set[int] = set()
    waiting: list[Any] = [make]
    while waiting:
        each = waiting.pop()
        if isinstance(each, functools.partial):
            waiting += [each.func, *each.args, *each.keywords.values()]
        elif isinstance(each, MethodType):
            waiting.append(each.__func__)
        elif isinstance(each, FunctionType) and id(each) not in seen:
            seen.add(id(each))
            files.add(each.__code__.co_filename)
            for cell in each.__closure__ or ():
                with contextlib.suppress(ValueError):  # not filled yet
                    waiting.append(cell.cell_contents)
    return sorted(files)


@functools.lru_cache
def source_digest(path: str) -> str:
    """SHA-256 of a source file."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


@functools.lru_cache
def trainers() -> tuple[str, ...]:
    """What the trained baseline hangs on beside data and model: sources, and packages' versions.

    Keras by its package's version, which launches of Keras 2 and of Keras 3 see alike: they share
    the baseline. The code that reads data is left out; its data are known by their content.
    """
    core = Path(__file__).parent
    files = sorted(p for p in core.rglob("*.py") if "data" not in p.relative_to(core).parts)
    digests = [source_digest(str(file)) for file in files]
    return (*digests, version("tensorflow"), version("keras"))


@functools.lru_cache
def shared() -> tuple[str, ...]:
    """Sources and package versions of all that scenarios share: the core, and families' tools."""
    scenarios = Path(__file__).parents[1]
    shared = [*scenarios.glob("core/**/*.py"), *scenarios.glob("*/tools/*.py")]
    files = sorted(str(file) for file in shared)
    versions = {each for file in files for each in _versions(file)}
    return (*(source_digest(file) for file in files), *sorted(versions), keras_name())


@functools.lru_cache
def _versions(path: str) -> tuple[str, ...]:
    """`name==version` of every installed package that a source file imports anywhere."""
    names = set()
    for node in ast.walk(ast.parse(Path(path).read_bytes())):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add(str(node.module).partition(".")[0])
    found = {name: version(name) for name in names - OWN - sys.stdlib_module_names}
    return tuple(sorted(f"{name}=={found[name]}" for name in found if found[name]))


@functools.lru_cache
def version(name: str) -> str:
    """Version of the package that a top-level module comes from; empty: it is none's."""
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        return importlib.metadata.version(name)
    owners = _owners().get(name, ())
    return ",".join(f"{owner} {importlib.metadata.version(owner)}" for owner in sorted(owners))


@functools.lru_cache
def _owners() -> Mapping[str, list[str]]:
    """Packages by the top-level modules that they install."""
    return importlib.metadata.packages_distributions()


def keras_name() -> str:
    """Version of the Keras behind `tf.keras`; tf_keras has none where TensorFlow mounts it."""
    return str(getattr(tf.keras, "__version__", "2"))
