"""The worked notebook, executed from its first cell to its last."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.reading import ROOT

PATIENT = {"startup_timeout": 300, "iopub_timeout": 300, "raise_on_iopub_timeout": True}
"""By itself the client drops, without an error, what arrives more than 4 s after a cell ended."""


@pytest.mark.slow
@pytest.mark.launches
def test_it_runs(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import nbclient
    import nbformat

    monkeypatch.setenv("TFBENCH_CACHE", str(cache))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    notebook = nbformat.read(ROOT / "docs" / "notebook.ipynb", as_version=4)
    nbclient.NotebookClient(
        notebook, timeout=900, resources={"metadata": {"path": str(tmp_path)}}, **PATIENT
    ).execute()
    shown = [
        output.get("data", {}).get("text/html", "")
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
    ]
    assert any("infer/litert-int8" in each for each in shown)
    assert (tmp_path / "bundle" / "infer.py").exists()
