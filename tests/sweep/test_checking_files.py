"""What a model's file is shows in its bytes: what is no model is refused at once."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from bench.results.errors import UsageError
from bench.sweep.checking_files import HDF5, check_file

DESCRIBED = HDF5 + b"\0" * 600 + b"model_config"


def write(path: Path, contents: bytes | list[str]) -> Path:
    if isinstance(contents, bytes):
        path.write_bytes(contents)
        return path
    with zipfile.ZipFile(path, "w") as archive:
        for name in contents:
            archive.writestr(name, "{}")
    return path


@pytest.mark.parametrize(
    ("name", "contents", "message"),
    [
        ("a.keras", b"hello\n", "is no .keras file, which is a zip archive"),
        ("a.keras", ["data.pkl"], "a zip archive, but no .keras file: it holds no config.json"),
        ("a.keras", DESCRIBED, "is an HDF5 file: rename it to a.h5"),
        ("a.h5", b"hello\n", "is no HDF5 file"),
        ("a.hdf5", ["config.json"], "is a zip archive: rename it to a.keras"),
        ("a.weights.h5", HDF5 + b"\0" * 99, "holds weights alone, and no model: give FILE.py:func"),
        ("a.tflite", b"hello hello", "is no .tflite file"),
        ("a.onnx", b"version https://git-lfs.github.com/spec/v1\n", "run git lfs pull"),
    ],
)
def test_what_is_no_model_is_reported_in_one_line(
    tmp_path: Path, name: str, contents: bytes | list[str], message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        check_file(write(tmp_path / name, contents))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "contents"),
    [
        ("a.keras", ["config.json", "metadata.json", "model.weights.h5"]),
        ("a.h5", DESCRIBED),
        ("a.hdf5", b"\0" * 512 + DESCRIBED),
        ("a.tflite", b"\x1c\0\0\0TFL3" + b"\0" * 9),
        ("a.onnx", b"\x08\x08"),
    ],
)
def test_what_may_be_a_model_passes(tmp_path: Path, name: str, contents: bytes | list[str]) -> None:
    check_file(write(tmp_path / name, contents))
