"""What a name of data means, alike in the sweep, which checks it, and in a launch."""

from __future__ import annotations

from pathlib import Path, PurePath

SCHEMES = (
    "digits", "mnist", "cifar10", "npz", "csv", "images", "tfrecord", "synthetic", "function",
)  # fmt: skip
SAMPLES = "samples"
"""Data that no file holds: drawn from the model's own signature."""


def source(name: str) -> tuple[str, str]:
    """Scheme and place of a name of data.

    A file is known by its ending, `FILE.py:function` and `module.name:function` by their form; a
    folder holds images.

    Returns:
        A scheme of `SCHEMES` and what it is read from; another scheme where the name is unknown.
    """
    scheme, colon, place = name.partition(":")
    if scheme in SCHEMES or (colon and len(scheme) > 1 and scheme.isalnum()):
        return scheme, place
    ending = PurePath(name).suffix.lower()
    if ending in (".npz", ".csv", ".tsv"):
        return ("npz" if ending == ".npz" else "csv"), name
    file, _, function = name.rpartition(":")
    if file.endswith(".py") or (colon and "." in scheme and function.isidentifier()):
        return "function", name
    if not colon and Path(name).is_dir():
        return "images", name
    return scheme, place
