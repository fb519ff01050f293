"""What `--safe` refuses: each kind of code that a model's file can bring, before it is loaded."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from bench.results.errors import UsageError
from bench.sweep import settings

DENSE = {"module": "keras.layers", "class_name": "Dense", "config": {"units": 1},
         "registered_name": None}  # fmt: skip
FINE = {"module": "keras", "class_name": "Sequential", "config": {"layers": [DENSE]},
        "registered_name": None, "compile_config": {"loss": "mse"}}  # fmt: skip
LAMBDA = {"module": "keras.layers", "class_name": "Lambda", "config": {"function": {}}}
OTHERS = [
    ({**DENSE, "class_name": "Lambda"}, "a Lambda layer"),
    ({**DENSE, "config": {"activation": {"class_name": "__lambda__", "config": {}}}}, "Lambda"),
    ({**DENSE, "module": "os", "class_name": "system"}, "system from os"),
    ({**DENSE, "module": "mine.layers", "class_name": "Mine"}, "Mine from mine.layers"),
    ({**DENSE, "module": "keras_evil", "class_name": "Mine"}, "Mine from keras_evil"),
    ({**DENSE, "module": None, "class_name": "Mine", "registered_name": "Custom>Mine"}, "Mine"),
    (
        {**DENSE, "config": {"kernel": {"module": "builtins2", "class_name": "function"}}},
        "function",
    ),
]


def check(path: Path) -> None:
    """Imported late: what stands beside it imports TensorFlow."""
    from scenarios.core.models import safety

    safety.check(path)


def archive(path: Path, config: Any, **more: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        for name in ("metadata.json", "model.weights.h5"):
            file.writestr(name, "{}")
        file.writestr("config.json", config if isinstance(config, bytes) else json.dumps(config))
        for name, data in more.items():
            file.writestr(name, data)
    return path


def hdf5(path: Path, config: Any, compiled: Any = None) -> Path:
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(config)
        file.attrs["training_config"] = json.dumps(compiled or {"loss": "mse"})
    return path


def test_plain_models_pass(tmp_path: Path) -> None:
    check(archive(tmp_path / "a.keras", FINE))
    check(hdf5(tmp_path / "a.h5", FINE))


@pytest.mark.parametrize(("layer", "named"), OTHERS)
@pytest.mark.parametrize("write", [archive, hdf5])
def test_code_is_refused_by_name(tmp_path: Path, write: Any, layer: Any, named: str) -> None:
    path = tmp_path / ("a.keras" if write is archive else "a.h5")
    with pytest.raises(UsageError, match="refused by --safe") as caught:
        check(write(path, {**FINE, "config": {"layers": [DENSE, layer]}}))
    assert named in str(caught.value)


def test_a_loss_of_its_own_is_refused_too(tmp_path: Path) -> None:
    loss = {"class_name": "Mine", "module": "mine.losses", "config": {}}
    with pytest.raises(UsageError, match=r"Mine from mine\.losses.*refused by --safe"):
        check(hdf5(tmp_path / "a.h5", FINE, {"loss": loss}))


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    for config in (b"{", b"[" * 100_000, b"\xff"):
        with pytest.raises(UsageError, match=r"is no \.keras file"):
            check(archive(tmp_path / "a.keras", config))
    with pytest.raises(UsageError, match=r"the file 'weights\.pkl'"):
        check(archive(tmp_path / "a.keras", FINE, **{"weights.pkl": b"x"}))
    (tmp_path / "b.keras").write_bytes(b"no archive")
    (tmp_path / "b.h5").write_bytes(b"no hdf5")
    for name in ("b.keras", "b.h5"):
        with pytest.raises(UsageError):
            check(tmp_path / name)


def test_the_flag_reaches_the_launch() -> None:
    assert settings.load(None, {"safe": True}).workload.safe
    assert not settings.load(None, {}).workload.safe


@pytest.mark.launches
def test_graphs_with_unknown_or_reaching_operations_are_refused(tmp_path: Path) -> None:
    pb = pytest.importorskip("tensorflow.core.protobuf.saved_model_pb2")
    model = pb.SavedModel()
    graph = model.meta_graphs.add().graph_def
    graph.node.add(name="a", op="Placeholder")
    graph.node.add(name="f", op="mine")
    graph.library.function.add().signature.name = "mine"
    (tmp_path / "saved_model.pb").write_bytes(model.SerializeToString())
    check(tmp_path)
    for op in ("ReadFile", "PyFunc", "CustomOpOfSomebody"):
        graph.node.add(name=op, op=op)
        (tmp_path / "saved_model.pb").write_bytes(model.SerializeToString())
        with pytest.raises(UsageError, match=f"uses .*{op}"):
            check(tmp_path)
        del graph.node[-1]
