"""What is kept of a workload, and by whom it was made."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Lock, Thread
from typing import Any

import pytest

from bench.results.loading import module as attribute


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


def test_a_launch_says_whether_it_made_an_artifact_or_found_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from scenarios.core import artifacts
    from scenarios.core.launching import Prepared

    for expected in (True, False):
        monkeypatch.setattr(artifacts, "made", [])  # as in a new process
        artifacts.made_once(tmp_path / "model", Path.touch)
        assert Prepared(None).made() is expected  # type: ignore[arg-type]


@pytest.fixture
def key(tmp_path: Path) -> Iterator[Callable[..., str]]:
    """The folder that an artifact's key names, read anew each time."""
    from scenarios.core import artifacts

    kept = [artifacts.source_digest, artifacts.shared, artifacts._versions, artifacts.version]

    def read(make: Callable[[Path], object] = Path.touch, built_for: str = "") -> str:
        for each in kept:
            getattr(each, "cache_clear", lambda: None)()
        return artifacts.cached(tmp_path, "file", make, built_for).parent.name  # type: ignore[arg-type]

    yield read
    for each in kept:
        each.cache_clear()


def test_an_artifacts_key_covers_the_sources_that_make_it(
    tmp_path: Path, key: Callable[..., str]
) -> None:
    """Those of `make`, and of what it was given to call: a converter's options, say."""
    (tmp_path / "given.py").write_text("def options(): return 1\n")
    (tmp_path / "tool.py").write_text(
        "def maker(options):\n    return lambda path: path.write_text(str(options()))\n"
    )
    given, tool = (attribute(f"{tmp_path}/{name}.py") for name in ("given", "tool"))
    make = tool.maker(functools.partial(given.options))
    before = key(make)
    assert key(make) == before
    for changed in ("given.py", "tool.py"):
        with (tmp_path / changed).open("a") as file:
            file.write("# changed\n")
        after = key(make)
        assert after != before
        before = after


@pytest.mark.parametrize(
    "package", ["tensorflow", "tensorflow_model_optimization", "tf2onnx", "onnx", "onnxruntime"]
)
def test_an_artifacts_key_covers_the_packages_of_all_tools(
    key: Callable[..., str], monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    from scenarios.core import artifacts

    before = key()
    real = artifacts.version
    monkeypatch.setattr(artifacts, "version", lambda name: "9" if name == package else real(name))
    assert key() != before


def test_an_artifacts_key_covers_what_its_own_scenario_imports(
    tmp_path: Path, key: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenVINO, NNCF and TensorRT stand in the scenarios that use them."""
    from scenarios.core import artifacts

    source = tmp_path / "scenario.py"
    source.write_text("def make(path): path.touch()\n\ndef other():\n    import nncf\n")
    make = attribute(str(source)).make
    found = {key(make)}
    for version in ("1", "2"):
        monkeypatch.setattr(artifacts, "version", lambda name, own=version: own)
        found.add(key(make))
    assert len(found) == 3


def test_an_artifacts_key_covers_the_gpu_that_it_is_built_for(key: Callable[..., str]) -> None:
    assert len({key(), key(built_for="A 8.0"), key(built_for="B 9.0")}) == 3


def test_the_baselines_folder_covers_keras_and_the_code_that_trains_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bench.results.values import WorkloadSpec
    from scenarios.core import Workload, artifacts, training

    def folder() -> Path:
        artifacts.trainers.cache_clear()
        return Workload(WorkloadSpec(data="synthetic:8x8x3", cache=str(tmp_path))).folder

    found = {folder()}
    for name in ("version", "source_digest"):
        real = getattr(artifacts, name)
        changed = {"version": "keras", "source_digest": training.__file__}[name]
        with monkeypatch.context() as patch:
            patch.setattr(artifacts, name, lambda x: "new" if x == changed else real(x))  # noqa: B023
            found.add(folder())
    artifacts.trainers.cache_clear()
    assert len(found) == 3


@pytest.mark.faults(
    "Around it", {"two processes need the same trained model": "one trains, the other waits"}
)
def test_two_processes_train_the_baseline_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second waits for the first, and finds what it made."""
    from bench.results.values import WorkloadSpec
    from scenarios.core import Workload, training

    spec = WorkloadSpec(data="synthetic:8x8x3", cache=str(tmp_path))
    second = Workload(spec)
    waiting: list[Thread] = []

    def train(workload: Workload, model: object, **_: object) -> None:
        waiting.append(Thread(target=training.prepare, args=(second,)))
        if len(waiting) == 1:
            waiting[0].start()
            waiting[0].join(1)  # it would be done long before, did it not wait
            assert waiting[0].is_alive()

    def reference(workload: Workload) -> object:
        with one_at_a_time:  # AutoGraph is not for two threads of a process: CPython 3.11 fails
            return outputs(workload)

    one_at_a_time, outputs = Lock(), Workload.reference
    monkeypatch.setattr(training, "train", train)
    monkeypatch.setattr(Workload, "reference", reference)
    training.prepare(Workload(spec))
    waiting[0].join()
    assert len(waiting) == 1


def test_a_baseline_that_another_run_cut_meanwhile_is_trained_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other run's budget was smaller; what it trained does not do for this one."""
    from bench.results.values import WorkloadSpec
    from scenarios.core import Workload, artifacts, budget, training

    workload = Workload(WorkloadSpec(data="synthetic:8x8x3", cache=str(tmp_path)))
    once, trained = artifacts.made_once, []
    other = workload.trained_file

    def after_another(target: Path, make: Any) -> Path:
        if target == other:
            artifacts.save_weights(workload.model(), target)
            budget.keep(target, [budget.Training(5, 800, 1.0, budget_s=1.0)])
        return once(target, make)

    monkeypatch.setattr(training, "train", lambda own, *_, **__: trained.append(own))
    monkeypatch.setattr(artifacts, "made_once", after_another)
    training.prepare(workload)
    assert trained == [workload]
    assert workload.trained_file.exists()
