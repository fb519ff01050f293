"""Trained weights and converted models, kept once in a cache addressed by what determines them."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from types import FunctionType, MethodType
from typing import Any

import numpy as np
import tensorflow as tf


def default_cache() -> Path:
    """`TFBENCH_CACHE`, or tfbench's folder in the user's cache folder."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("TFBENCH_CACHE") or Path(base) / "tfbench")


def cached(folder: Path, name: str, make: Callable[[Path], None]) -> Path:
    """`folder`'s file or folder `name`, made by `make(path)` once.

    It is made under another name and renamed when it is whole, so that an interruption leaves
    nothing half made; a lock lets one process make it while others wait.
    """
    parts = (*sources(make), _shared_digest(), tf.__version__, _keras())
    digest = hashlib.sha256("|".join(parts).encode()).hexdigest()[:12]
    home = folder / digest
    home.mkdir(parents=True, exist_ok=True)
    target = home / name
    with (home / f".{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            part = home / f".part-{name}"
            shutil.rmtree(part) if part.is_dir() else part.unlink(missing_ok=True)
            make(part)
            part.rename(target)
    return target


def save_weights(model: Any, path: Path) -> None:
    """Weights by layer and place, float32: Keras 2 and 3 number layers and weights alike."""
    arrays = {
        f"{i}/{j}": np.asarray(weight)
        for i, layer in enumerate(model.layers)
        for j, weight in enumerate(layer.get_weights())
    }
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def load_weights(model: Any, path: Path) -> None:
    """Set the weights `save_weights` wrote on a model of the same layers."""
    with np.load(path) as arrays:
        for i, layer in enumerate(model.layers):
            own = [key for key in arrays.files if key.startswith(f"{i}/")]
            layer.set_weights([arrays[f"{i}/{j}"] for j in range(len(own))])


def sources(make: Callable[..., Any]) -> list[str]:
    """Digests of the source files of `make` and of the functions that its closure holds."""
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
    return sorted(source_digest(file) for file in files)


@functools.lru_cache
def source_digest(path: str) -> str:
    """SHA-256 of a source file."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


@functools.lru_cache
def _shared_digest() -> str:
    """Digest of all that scenarios share: the core, and the tools of every family."""
    scenarios = Path(__file__).parents[1]
    shared = sorted([*scenarios.glob("core/**/*.py"), *scenarios.glob("*/tools/*.py")])
    return hashlib.sha256("".join(source_digest(str(p)) for p in shared).encode()).hexdigest()


def _keras() -> str:
    # Keras 2 (tf_keras) has no version where TensorFlow mounts it.
    return str(getattr(tf.keras, "__version__", "2"))
