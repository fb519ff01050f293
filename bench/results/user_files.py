"""Which files a user's function is made from: the modules and the weights that its source names."""

from __future__ import annotations

import ast
import contextlib
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

WEIGHTS = (".keras", ".h5", ".hdf5", ".npz", ".npy", ".tflite", ".onnx")
INIT = "__init__.py"
LONGEST_PATH = 1000
"""Characters of a string that may be a path."""


def made_from(file: Path) -> list[Path]:
    """A file of Python, the modules of the user's that it imports, and the weights they name.

    The user's modules are those below the importing file's folder or the current one. Weights are
    found where a string of the source is their place, in either folder; a path put together while
    it runs is not seen.

    Raises:
        OSError, SyntaxError: It cannot be read.
    """
    found: dict[Path, None] = {}
    waiting = [file.resolve()]
    while waiting:
        own = waiting.pop(0)
        if own not in found:
            found[own] = None
            waiting += _named_in(own) if own.suffix == ".py" else ()
    return list(found)


def digest(file: Path | str) -> bytes:
    """SHA-256 of all that a file of Python is made from."""
    total = hashlib.sha256()
    for each in made_from(Path(file)):
        with each.open("rb") as stream:
            total.update(hashlib.file_digest(stream, "sha256").digest())
    return total.digest()


def _named_in(importer: Path) -> Iterator[Path]:
    for node in ast.walk(ast.parse(importer.read_bytes())):
        if isinstance(node, ast.Import):
            yield from _modules(importer, 0, (alias.name for alias in node.names))
        elif isinstance(node, ast.ImportFrom):
            base = [node.module] if node.module else []
            inner = (".".join([*base, alias.name]) for alias in node.names)
            yield from _modules(importer, node.level, [*base, *inner])
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from _weights(importer, node.value)


def _modules(importer: Path, level: int, names: Iterable[str]) -> Iterator[Path]:
    """Files of those modules; `level` is the number of dots before their names."""
    folders = [importer.parents[level - 1]] if level else [importer.parent, Path.cwd()]
    for name in names:
        parts = name.split(".")
        ways = [parts[:end] for end in range(1, len(parts) + 1)]  # a package runs before its parts
        places = [folder.joinpath(*way) for folder in folders for way in ways]
        for path in (p for place in places for p in (place.with_suffix(".py"), place / INIT)):
            if path.is_file():
                yield path.resolve()


def _weights(importer: Path, name: str) -> Iterator[Path]:
    """The file of weights, or those of the SavedModel, that a string names."""
    if not 0 < len(name) < LONGEST_PATH or not name.isprintable():
        return
    for path in (importer.parent / name, Path.cwd() / name):
        with contextlib.suppress(OSError):  # no name of a file, or in a folder of others
            yield from _held(path)


def _held(path: Path) -> list[Path]:
    if path.suffix in WEIGHTS and path.is_file():
        return [path.resolve()]
    if not (path / "saved_model.pb").is_file():
        return []
    return sorted(each.resolve() for each in path.rglob("*") if each.is_file())
