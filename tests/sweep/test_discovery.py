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


def test_paths_say_which_of_them_round_their_inputs() -> None:
    """Those that leave inputs in float or in 16 bits owe no other an excuse."""
    found = {id for id, each in discover().items() if each.inputs_in == "int8"}
    assert {"infer/litert-int8", "infer/litert-int8-full", "infer/onnxruntime-int8"} <= found
    assert {"infer/openvino-int8", "infer/tensorrt-int8", "infer/combined"} <= found
    others = {"infer/litert-int16x8", "infer/litert-dynamic", "infer/tensorrt", "infer/qat-int8"}
    assert not others & found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def broken(:", "cannot be read as Python"),
        ("@scenario(baseline=f())\ndef a(w):\n    '''A.'''", "must be a literal"),
        ("@scenario(baseline={{}: 1})\ndef a(w):\n    '''A.'''", "must be a literal"),
        ("@scenario()\ndef a(w): pass", "needs a docstring"),
        (
            "\n@scenario(needs=('model:kears',))\ndef a(w): 'Doc.'",
            "[.]py:[0-9]+: unknown need 'model:kears'",
        ),
        ("@scenario(baseline='train/none')\ndef a(w):\n    '''A.'''", "no such baseline"),
        ("@scenario(colour='red')\ndef a(w):\n    '''A.'''", "colour"),
        ("@scenario(variants={'a': {1}})\ndef a(w): 'A.'", "variant 'a' must be a dict"),
        ("@scenario(variants=['a'])\ndef a(w): 'A.'", "variants must be a dict"),
        ("@scenario(variants={'a': {2: 3}})\ndef a(w): 'A.'", "whose keys are strings"),
        (
            "@scenario(variants={'a': {'scenario': {'colour': 'red'}}})\ndef a(w): 'A.'",
            "[.]py:[0-9]+: @scenario takes no 'colour'",
        ),
        ("@scenario(needs='gpu')\ndef a(w): 'A.'", "needs must be a list, not 'gpu'"),
        ("@scenario(devices='two')\ndef a(w): 'A.'", "[.]py:[0-9]+: .*devices"),
        ("@scenario(deployment=('luck',))\ndef a(w): 'A.'", "[.]py:[0-9]+: .*deployment.*luck"),
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


def own(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    return folder


MINE = (
    "from tfbench import scenario\nimport nonsense_that_is_not_installed\n"
    "@scenario(baseline='infer/function')\ndef mine(workload){}:\n    '''Mine.'''\n"
)


@pytest.mark.parametrize(
    ("returned", "family"),
    [
        ("InferencePath", "infer"),
        ("tfbench.TrainingPath", "train"),
        ("'InputPath'", "input"),
        ("'tfbench.JobPath'", "train"),
    ],
)
def test_a_users_folder_says_the_family_or_the_function_does(
    tmp_path: Path, returned: str, family: str
) -> None:
    folder = own(tmp_path / "mine", "own.py", MINE.format(f" -> {returned}"))
    own(folder / "serve", "other.py", MINE.format(""))
    own(folder / "serve", "test_other.py", MINE.format(""))  # no test is taken for a scenario
    found = discover(folders=[folder])
    mine = found[f"{family}/mine"]
    assert mine.kind == family
    assert mine.module == mine.path == str(folder / "own.py")
    assert found["serve/mine"].baseline == "infer/function"
    assert {"infer/function", "train/eager"} <= set(found)
    assert set(discover(folders=[folder, folder])) == set(found)  # named twice, found once


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (MINE.format(""), "of which family is mine"),
        (MINE.format(" -> str"), "of which family is mine"),
        (
            "@scenario()\ndef function(w) -> InferencePath:\n    '''Taken.'''\n",
            "execution.py:.*has a scenario infer/function too: rename one",
        ),
    ],
)
def test_what_a_users_file_lacks_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        discover(folders=[own(tmp_path, "own.py", text)])
    assert "\n" not in str(caught.value)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nowhere is no folder"):
        discover(folders=[tmp_path / "nowhere"])


def install_package(site: Path, value: str) -> None:
    """What pip leaves of a package that brings scenarios."""
    own(site / "their_package" / "techniques" / "infer", "fast.py", MINE.format(""))
    (site / "their_package/__init__.py").write_text("raise ImportError('must not be imported')")
    (site / "their_package/techniques/__init__.py").touch()
    info = own(site / "their_package-1.0.dist-info", "METADATA", "Name: their-package\nVersion: 1")
    (info / "entry_points.txt").write_text(f"[tfbench.scenarios]\ntheirs = {value}\n")


def test_installed_packages_bring_scenarios_without_being_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_package(tmp_path, "their_package.techniques")
    monkeypatch.syspath_prepend(str(tmp_path))
    found = discover()
    assert found["infer/mine"].module == "their_package.techniques.infer.fast"
    assert "their_package" not in sys.modules


def test_a_package_that_is_not_there_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_package(tmp_path, "their_package.nowhere")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(UsageError, match=r"their_package\.nowhere, which is no package"):
        discover()


def test_what_is_excluded_is_not_measured() -> None:
    known = discover()
    chosen = {s.id for s in select(known, ["infer/litert-int8*"], exclude=["infer/*-b*"])}
    assert chosen == {"infer/function", "infer/litert-float32", "infer/litert-int8",
                      "infer/litert-int8-full"}  # fmt: skip
    with pytest.raises(UsageError, match="exclude fewer"):
        select(known, ["infer/xla"], exclude=["infer/*"])
    with pytest.raises(UsageError, match="did you mean infer/xla"):
        select(known, [], exclude=["infer/xlaa"])
