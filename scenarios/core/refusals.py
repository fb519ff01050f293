"""Why a step cannot run, in one line: an operation that XLA lacks, or a line of the user's own."""

from __future__ import annotations

import re
import sysconfig
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.results.errors import TfbenchError, Unsupported, UsageError, one_line

NO_KERNEL = re.compile(r"No registered '(\w+)' OpKernel for XLA\w* devices")
REFUSED = re.compile(r"Detected unsupported operations when trying to compile graph .*?: (\w+)")
NODE = re.compile(r"\{\{node ([^}]+)\}\}")
LINE = re.compile(r'File "([^"]+)", line (\d+)')
HERE = Path(__file__).resolve().parents[2]
OWN = tuple(str(HERE / name) for name in ("bench", "scenarios", "reports", "tfbench"))
LIBRARIES = tuple({sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")})


def explained(error: BaseException, model: Any = None) -> TfbenchError | None:
    """What a step's error means for its user; None where only the error itself can tell.

    Args:
        error: Raised by a step, or while it was traced.
        model: The Keras model that it trains: its layers are known by the names in the graph.
    """
    if isinstance(error, TfbenchError):
        return None
    refused = _not_compiled(str(error), model)
    if refused:
        return Unsupported(refused)
    line = users_line(error)
    return UsageError(f"{line}: {one_line(error)}") if line else None


@contextmanager
def told(model: Any = None) -> Iterator[None]:
    """Raise what an error means in its place, where that is known."""
    try:
        yield
    except Exception as error:
        known = explained(error, model)
        if known is None:
            raise
        raise known from error


def users_line(error: BaseException) -> str:
    """`FILE:LINE` of the innermost line that is of no library and not of this project, or ""."""
    frames = [(f.filename, f.lineno) for f in traceback.extract_tb(error.__traceback__)]
    said = [(file, int(line)) for file, line in LINE.findall(str(error))]
    own = [place for place in (*frames, *said) if _is_users(place[0])]
    return f"{own[-1][0]}:{own[-1][1]}" if own else ""


def _is_users(file: str) -> bool:
    path = str(Path(file).resolve())
    generated = file.startswith("<") or "__autograph_generated_file" in file
    return not generated and not path.startswith((*OWN, *LIBRARIES)) and Path(path).exists()


def _not_compiled(text: str, model: Any) -> str:
    found = NO_KERNEL.search(text) or REFUSED.search(text)
    if not found:
        return ""
    operation = found[1]
    layer = _layer(text, model)
    named = f"layer {layer.name!r} ({type(layer).__name__}) becomes" if layer else "it needs"
    return f"XLA has no kernel for {operation}, which {named}: {_way_out(operation, layer)}"


def _way_out(operation: str, layer: Any) -> str:
    kind = type(layer).__name__ if layer else ""
    if "Cudnn" in operation or "RNN" in operation:
        return "use unroll=True, or a recurrent layer that does without cuDNN (use_cudnn=False)"
    if kind.startswith("Random") or "Image" in operation or "Lookup" in operation or (
        "String" in operation or "Vectorization" in kind
    ):  # fmt: skip
        return "move it into tf.data, and the step compiles"
    return "leave this part of the step out of XLA (jit_compile=False)"


def _layer(text: str, model: Any) -> Any:
    """The innermost of the model's layers whose name the failing operation carries."""
    if not hasattr(model, "_flatten_layers"):
        return None
    layers = {layer.name: layer for layer in model._flatten_layers() if layer is not model}
    for node in NODE.findall(text):
        for part in reversed(node.split("/")):
            for name in (part, re.sub(r"_\d+$", "", part)):
                if name in layers:
                    return layers[name]
    return None
