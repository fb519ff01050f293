"""What is kept of a workload, and by whom it was made."""

from __future__ import annotations

from pathlib import Path


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
