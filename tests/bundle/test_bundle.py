"""A real bundle: it answers without tfbench, and one that promises more than it keeps is found."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.bundle import claim as claims
from bench.bundle import places
from bench.bundle.exporting import Subject, export
from bench.bundle.verifying import Verification, verify
from bench.results.values import Configuration, WorkloadSpec
from bench.sweep import preloaded
from bench.sweep.discovery import discover
from bench.sweep.progress import Silent
from tfbench.command import cli

pytestmark = [pytest.mark.launches, pytest.mark.usefixtures("lasting")]
SHORT_S = 1.0
"""Too short to time anything."""


@pytest.fixture(scope="module")
def original(lasting: type, smoke_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of infer/litert-int8 that claims a modest speed-up."""
    out = tmp_path_factory.mktemp("bundles") / "int8"
    with contextlib.redirect_stdout(io.StringIO()) as said:
        code = cli.main(
            ["export", str(smoke_run), "infer/litert-int8", "--out", str(out), "--no-measure"]
        )
    assert code == 0
    assert "not measured again" in said.getvalue()
    claim = claims.read(out)
    assert claim.speedup is not None
    modest = dataclasses.replace(claim.speedup, value=1.6, low=1.5, high=1.7)
    claims.write(out, dataclasses.replace(claim, speedup=modest))
    return out


@pytest.fixture
def bundle(original: Path, tmp_path: Path) -> Path:
    """A copy to be changed."""
    return Path(shutil.copytree(original, tmp_path / "bundle"))


def signed(bundle: Path, **changes: Any) -> None:
    """Write the claim anew with the digests of the files that are there."""
    claim = dataclasses.replace(claims.read(bundle), **changes)
    claims.write(bundle, dataclasses.replace(claim, files=places.digests(bundle)))


def verdicts(found: Verification) -> dict[str, str]:
    return {check.what: check.verdict for check in found.checks}


def test_it_answers_without_this_project(original: Path) -> None:
    text = (original / "infer.py").read_text()
    assert len(text.splitlines()) <= 40
    code = (
        "import sys; sys.path.insert(0, '.'); import numpy as np, infer\n"
        "s = np.load('samples.npz'); (name,) = infer.INPUTS; x = s[f'input/{name}']\n"
        "found = infer.answer(x); (out,) = found\n"
        "assert len(x) == 16 and np.array_equal(found[out], s[f'output/{out}'])\n"
        "assert any(n.startswith('plain/') for n in s.files)\n"
        "own = {'tensorflow', 'bench', 'scenarios', 'tfbench'} & set(sys.modules)\n"
        "assert not own, own\n"
        "for wrong in (x[:, :4], x.astype('float64'), {'nobody': x}):\n"
        "    try: infer.answer(wrong)\n"
        "    except ValueError as error: print(error)\n"
        "    else: raise SystemExit('not refused')\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, cwd=original
    )
    assert done.returncode == 0, done.stderr


def test_an_honest_claim_holds(original: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = cli.main(["verify", str(original), "--json", "--budget", "120s", "--data", "digits"])
    found = json.loads(capsys.readouterr().out)
    assert (code, found["verdict"]) == (0, "holds"), found
    assert {c["what"] for c in found["checks"]} >= {
        "files", "size", "speed", "outputs of the model", "outputs of baseline", "quality",
    }  # fmt: skip


@pytest.mark.faults("Stored files", {"a bundle's file was swapped": "nothing is run, exit 1"})
def test_a_swapped_file_is_found(bundle: Path) -> None:
    shutil.copyfile(bundle / "samples.npz", bundle / "model.tflite")
    found = verify(bundle, SHORT_S, Silent())
    assert (found.exit_code, verdicts(found)["files"]) == (1, "does not hold")


@pytest.mark.faults("Stored files", {"a bundle's claim was raised": "found by measuring, exit 1"})
def test_a_raised_claim_is_found(bundle: Path) -> None:
    speedup = claims.read(bundle).speedup
    assert speedup is not None
    signed(bundle, speedup=dataclasses.replace(speedup, value=901.0, low=900.0, high=902.0))
    found = verify(bundle, 120.0, Silent())
    assert verdicts(found)["speed"] == "does not hold", found.checks
    assert verdicts(found)["outputs of the model"] == "holds"


@pytest.mark.faults(
    "Stored files", {"a bundle's model was replaced by a slower one": "found by measuring, exit 1"}
)
def test_a_slower_model_is_found(bundle: Path) -> None:
    """The model is the baseline itself, which claims to be faster."""
    claim = claims.read(bundle)
    assert claim.baseline_model is not None
    (bundle / "model.tflite").unlink()
    shutil.copytree(bundle / "baseline" / "model", bundle / "model")
    slow = dataclasses.replace(claim.baseline_model, place="model")
    with np.load(bundle / "samples.npz") as arrays:
        kept = {name: arrays[name] for name in arrays.files if not name.startswith("output/")}
    name = slow.outputs[0].name
    kept[f"output/{name}"] = kept[f"plain/{name}"]
    np.savez(bundle / "samples.npz", allow_pickle=False, **kept)
    signed(bundle, model=slow)
    found = verify(bundle, 120.0, Silent())
    assert verdicts(found)["speed"] == "does not hold", found.checks


@pytest.mark.faults("Stored files", {"a bundle's recorded outputs were changed": "found, exit 1"})
def test_changed_outputs_are_found(bundle: Path) -> None:
    with np.load(bundle / "samples.npz") as arrays:
        kept = {name: arrays[name] for name in arrays.files}
    for name in kept:
        if name.startswith("output/"):
            kept[name] = np.roll(kept[name], 1, axis=-1)
    np.savez(bundle / "samples.npz", allow_pickle=False, **kept)
    signed(bundle)
    found = verify(bundle, SHORT_S, Silent())
    assert verdicts(found)["speed"] == "cannot tell"
    assert verdicts(found)["outputs of the model"] == "does not hold"
    assert found.exit_code == 1


def test_a_bundles_python_is_never_run(
    bundle: Path, tmp_path: Path, lasting: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preloaded, "Preloaded", lasting)  # nor while a process starts
    mark = tmp_path / "mark"
    for name in ("infer.py", "numpy.py", "sitecustomize.py", "tensorflow.py"):
        (bundle / name).write_text(f"open({str(mark)!r}, 'w')\n")
    signed(bundle)
    found = verify(bundle, SHORT_S, Silent())
    assert verdicts(found)["outputs of the model"] == "holds"
    assert verdicts(found)["speed"] == "cannot tell"
    assert found.exit_code == 3
    assert not mark.exists()


@pytest.fixture
def onnx(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bundle of the path that ONNX Runtime answers."""
    pytest.importorskip("onnxruntime")
    monkeypatch.setenv("TFBENCH_CACHE", str(cache))
    known = discover()
    subject = Subject(
        known["infer/onnxruntime"], known["infer/function"], Configuration("cpu-1", 1, (0,)),
        WorkloadSpec(data="synthetic:8x8x3", epochs=1), claims.Speed(1.5, 1.4, 1.6, 6, "the run"),
    )  # fmt: skip
    export(subject, tmp_path / "onnx", Silent(), measure=False)
    return tmp_path / "onnx"


def test_a_bundle_of_onnx_runtime_answers_and_is_verified(onnx: Path) -> None:
    assert (onnx / "model.onnx").is_file()
    assert (onnx / "requirements.txt").read_text().startswith("onnxruntime==")
    done = subprocess.run(
        [sys.executable, "-I", "infer.py"], capture_output=True, text=True, cwd=onnx
    )
    assert done.returncode == 0, done.stderr
    found = verify(onnx, SHORT_S, Silent())
    assert verdicts(found) == {
        "files": "holds", "size": "holds", "speed": "cannot tell",
        "outputs of the model": "holds", "outputs of baseline": "holds",
    }  # fmt: skip
    signed(onnx, speedup=claims.Speed(901.0, 900.0, 902.0, 6, "raised"))
    assert verdicts(verify(onnx, 120.0, Silent()))["speed"] == "does not hold"
