"""Storage alone: the files of a pipeline are found in its graph, and their reading is timed."""

from __future__ import annotations

from pathlib import Path

import pytest

SIZE = 1 << 16


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    made = [tmp_path / f"{number}.bin" for number in range(3)]
    for path in made:
        path.write_bytes(bytes(SIZE))
    return made


def test_files_are_found_behind_maps_and_batches(files: list[Path]) -> None:
    import tensorflow as tf

    from bench.launch.analysis.storage import files_of

    names = [str(path) for path in files]
    dataset = tf.data.Dataset.from_tensor_slices(names).shuffle(3).map(tf.io.read_file)
    assert files_of(dataset.batch(2).repeat().prefetch(1)) == files
    assert files_of(tf.data.TFRecordDataset(names[:1])) == files[:1]
    assert files_of(tf.data.Dataset.from_tensor_slices(["no", "file"])) == []


def test_rates_are_bytes_over_time(files: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    from bench.launch.analysis import storage

    clock = iter(range(100))
    monkeypatch.setattr(storage.time, "perf_counter", lambda: next(clock) * 0.1)
    assert storage.bytes_per_s(files) == pytest.approx({"cold": SIZE / 0.1, "warm": SIZE / 0.1})


def test_no_files_have_no_rate() -> None:
    from bench.launch.analysis.storage import bytes_per_s

    assert bytes_per_s([]) == {}
