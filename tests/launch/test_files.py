"""An artifact's size and digest are the model's own."""

from __future__ import annotations

from pathlib import Path

from bench.launch.analysis import files


def saved(folder: Path, fingerprint: bytes, weights: bytes = b"w" * 100) -> Path:
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"g" * 50)
    (folder / "variables" / "variables.data").write_bytes(weights)
    (folder / "fingerprint.pb").write_bytes(fingerprint)
    return folder


def test_the_same_model_saved_again_is_as_large_and_the_same(tmp_path: Path) -> None:
    """The random numbers in a SavedModel's fingerprint take a byte more or less."""
    one, again = saved(tmp_path / "one", b"\x01" * 9), saved(tmp_path / "again", b"\x02" * 10)
    larger = saved(tmp_path / "larger", b"\x01" * 9, b"w" * 101)
    for measure in (files.size_bytes, files.gzip_bytes, files.content_digest):
        assert measure(one) == measure(again)
    assert files.size_bytes(one) == 150
    assert files.size_bytes(larger) == 151
    assert files.content_digest(one) != files.content_digest(larger)
