"""An artifact's size and digest are the model's own."""

from __future__ import annotations

from pathlib import Path


def saved(folder: Path, fingerprint: bytes, weights: bytes = b"w" * 100) -> Path:
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"g" * 50)
    (folder / "variables" / "variables.data").write_bytes(weights)
    (folder / "fingerprint.pb").write_bytes(fingerprint)
    return folder


def test_the_same_model_saved_again_is_as_large_and_the_same(tmp_path: Path) -> None:
    """The random numbers in a SavedModel's fingerprint take a byte more or less."""
    from scenarios.core import artifacts

    one, again = saved(tmp_path / "one", b"\x01" * 9), saved(tmp_path / "again", b"\x02" * 10)
    larger = saved(tmp_path / "larger", b"\x01" * 9, b"w" * 101)
    for measure in (artifacts.size_bytes, artifacts.gzip_bytes, artifacts.content_digest):
        assert measure(one) == measure(again)
    assert artifacts.size_bytes(one) == 150
    assert artifacts.size_bytes(larger) == 151
    assert artifacts.content_digest(one) != artifacts.content_digest(larger)


def test_what_another_process_made_is_no_artifact_of_a_launch(tmp_path: Path) -> None:
    """A process that builds many models names their functions by other numbers."""
    from bench.results.values import WorkloadSpec
    from scenarios.core import Workload

    spec = WorkloadSpec(data="synthetic:8x8x3", cache=str(tmp_path))
    makers = ["", "microbench"]
    launched, other = (Workload(spec, maker=maker) for maker in makers)
    assert launched.folder == other.folder  # the same trained weights
    files = [
        workload.artifact("model", lambda path, text=text: path.write_text(text))
        for workload, text in ((other, "_30774"), (launched, "_316"))
    ]
    assert [file.read_text() for file in files] == ["_30774", "_316"]
