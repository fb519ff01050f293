"""What a name of a model means, before anything is loaded: seen from its form."""

from __future__ import annotations

from pathlib import Path, PurePath

FILES = {".keras": "keras", ".h5": "keras", ".hdf5": "keras", ".tflite": "litert", ".onnx": "onnx"}
FORMS = (
    "cnn, FILE.py:function, module:function, a .keras, .h5, .hdf5, .tflite or .onnx file, a "
    "SavedModel folder, applications:NAME"
)


def form(name: str) -> str:
    """Which form of model a name is.

    Returns:
        `default`, `application`, `keras`, `litert`, `onnx`, `saved_model`, `file function`,
        `module function`, or "" where it is none of these.
    """
    if name == "cnn":
        return "default"
    scheme, colon, _ = name.partition(":")
    if scheme == "applications" and colon:
        return "application"
    ending = PurePath(name).suffix.lower()
    if ending in FILES:
        return FILES[ending]
    if Path(name).is_dir():
        return "saved_model"
    place, colon, function = name.rpartition(":")
    if place.endswith(".py") and function.isidentifier():
        return "file function"
    if colon and function.isidentifier() and all(p.isidentifier() for p in place.split(".")):
        return "module function"
    return ""
