"""What a model's file is, seen from its bytes before TensorFlow is imported anywhere."""

from __future__ import annotations

import mmap
import zipfile
from pathlib import Path

from bench.results.errors import UsageError

HDF5 = b"\x89HDF\r\n\x1a\n"
HDF5_STARTS = (0, 512, 1024, 2048)
"""Where its signature may stand: behind a block of the user's."""
LITERT = b"TFL3"
POINTER = b"version https://git-lfs"
HEAD_BYTES = HDF5_STARTS[-1] + len(HDF5)


def check_file(path: Path) -> None:
    """Refuse a model's file whose bytes are not what its ending says.

    Raises:
        UsageError: It is another form, holds weights alone, or stands for a file elsewhere.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if head.startswith(POINTER):
        raise UsageError(f"{path} only points to the file that Git LFS keeps: run git lfs pull")
    ending, is_hdf5 = path.suffix.lower(), any(head[at : at + 8] == HDF5 for at in HDF5_STARTS)
    if ending == ".tflite" and head[4:8] != LITERT:
        raise UsageError(f"{path} is no .tflite file: it does not hold {LITERT.decode()} at byte 4")
    if ending == ".keras":
        _check_archive(path, is_hdf5)
    elif ending in (".h5", ".hdf5"):
        _check_hdf5(path, is_hdf5)


def _check_archive(path: Path, is_hdf5: bool) -> None:
    if is_hdf5:
        raise UsageError(f"{path} is an HDF5 file: rename it to {path.with_suffix('.h5').name}")
    if not zipfile.is_zipfile(path):
        raise UsageError(f"{path} is no .keras file, which is a zip archive: save it anew")
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (OSError, zipfile.BadZipFile) as error:
        raise UsageError(f"{path} is no .keras file: {error}") from None
    if "config.json" not in names:
        raise UsageError(
            f"{path} is a zip archive, but no .keras file: it holds no config.json (save the "
            "model by model.save)"
        )


def _check_hdf5(path: Path, is_hdf5: bool) -> None:
    if not is_hdf5:
        zipped = zipfile.is_zipfile(path)
        hint = f"rename it to {path.with_suffix('.keras').name}" if zipped else "save it anew"
        what = "a zip archive" if zipped else "no HDF5 file"
        raise UsageError(f"{path} is {what}: {hint}")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as held:
        described = held.find(b"model_config") >= 0
    if not described:
        raise UsageError(
            f"{path} holds weights alone, and no model: give FILE.py:function that builds the "
            "model and loads them, or applications:NAME with --weights"
        )
