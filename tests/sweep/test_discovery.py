from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bench.results.errors import UsageError
from bench.sweep.discovery import ROOT, discover, select


def write(root: Path, text: str, family: str = "train") -> Path:
    folder = root / "scenarios" / family
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "own.py").write_text(text)
    return root


def test_a_scenario_is_one_function(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        "import nonsense_that_is_not_installed\n"
        "@scenario(needs=('gpu',), devices=2, variants={'': {}, 'b8': {'batch': 8}})\n"
        "def my_own(workload, batch=1):\n    '''Does it.\n\n    Longer text.\n    '''\n"
        "@scenario(baseline='train/my-own')\ndef other(workload):\n    '''Other.'''\n",
    )
    found = discover(root)
    assert list(found) == ["train/my-own", "train/my-own-b8", "train/other"]
    own = found["train/my-own-b8"]
    assert (own.kind, own.needs, own.devices, own.arguments) == ("train", ("gpu",), 2, {"batch": 8})
    assert found["train/my-own"].summary == "Does it."
    assert found["train/other"].baseline == "train/my-own"


def test_a_variant_is_compared_with_its_baseline_s_variant_of_the_same_name(
    tmp_path: Path,
) -> None:
    root = write(
        tmp_path,
        "@scenario(variants={'': {}, 'b8': {'batch': 8}})\n"
        "def base(workload, batch=1):\n    '''Base.'''\n"
        "@scenario(baseline='train/base', variants={'': {}, 'b8': {}, 'b9': {},"
        " 'own': {'scenario': {'baseline': 'train/base-b8'}}})\n"
        "def new(workload, batch=1):\n    '''New.'''\n",
    )
    found = discover(root)
    assert {id: found[id].baseline for id in found if id.startswith("train/new")} == {
        "train/new": "train/base",
        "train/new-b8": "train/base-b8",
        "train/new-b9": "train/base",  # the baseline has no such variant
        "train/new-own": "train/base-b8",
    }


def test_batches_are_compared_with_batches_of_the_same_size() -> None:
    found = discover()
    for id in ("litert-float32-b8", "litert-float32-b32", "litert-float32-b256", "xla-b32"):
        size = id.rpartition("-")[2]
        assert found[f"infer/{id}"].baseline == f"infer/function-{size}"
    for size in ("b8", "b32", "b256"):
        assert found[f"infer/litert-int8-{size}"].baseline == f"infer/litert-float32-{size}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def broken(:", "cannot be read as Python"),
        ("@scenario(baseline=f())\ndef a(w):\n    '''A.'''", "must be a literal"),
        ("@scenario()\ndef a(w): pass", "needs a docstring"),
        ("@scenario(baseline='train/none')\ndef a(w):\n    '''A.'''", "no such baseline"),
        ("@scenario(colour='red')\ndef a(w):\n    '''A.'''", "colour"),
    ],
)
def test_a_wrong_scenario_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        discover(write(tmp_path, text))


def test_baselines_come_along() -> None:
    chosen = [s.id for s in select(discover(), ["infer/litert-int8-b8"])]
    assert chosen == ["infer/function-b8", "infer/litert-float32-b8", "infer/litert-int8-b8"]


def test_globs_and_suites() -> None:
    scenarios = discover()
    assert all(s.id.startswith("train/") for s in select(scenarios, ["train/*"]))
    quick = {s.id for s in select(scenarios, [], "quick")}
    assert quick <= {s.id for s in select(scenarios, [], "full")}


def test_an_unknown_id_suggests_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean train/eager"):
        select(discover(), ["train/eagr"])


def test_every_scenario_has_an_id_a_summary_and_a_known_kind() -> None:
    for id, each in discover().items():
        assert each.id == id
        assert each.kind in ("train", "input", "infer", "serve")
        assert len(each.summary) > 10


def test_listing_imports_no_tensorflow() -> None:
    code = (
        "import sys; from bench.sweep.discovery import discover; discover();"
        "assert not {'tensorflow', 'keras', 'numpy'} & set(sys.modules), 'imported'"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
