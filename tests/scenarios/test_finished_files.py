"""Finished files: what a call takes is read from the file, or refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from bench.results.errors import UsageError
from scenarios.core.models import finished

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")


def written(path: Path, inputs: Mapping[str, Sequence[int | str]]) -> Path:
    """An .onnx file that hands each of its inputs on."""
    of = onnx.helper
    nodes = [of.make_node("Identity", [name], [f"{name}_out"]) for name in inputs]
    ends = [
        [of.make_tensor_value_info(f"{name}{end}", onnx.TensorProto.FLOAT, shape)
         for name, shape in inputs.items()]
        for end in ("", "_out")
    ]  # fmt: skip
    graph = of.make_graph(nodes, "handed_on", *ends)
    model = of.make_model(graph, opset_imports=[of.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)
    return path


@pytest.mark.parametrize(
    ("inputs", "batch"),
    [
        ({"x": ["n", 4]}, None),
        ({"x": [1, 4]}, 1),
        ({"x": ["n", 4], "state": [1, 8]}, 1),
        ({"x": [8, 4], "y": [8, 2]}, 8),
    ],
)
def test_a_call_takes_as_many_examples_as_its_file_says(
    tmp_path: Path, inputs: Mapping[str, Sequence[int | str]], batch: int | None
) -> None:
    found = finished.onnx(written(tmp_path / "net.onnx", inputs))
    assert found.fixed_batch == batch
    assert {name: spec.shape for name, spec in found.signature.items()} == {
        name: tuple(shape[1:]) for name, shape in inputs.items()
    }


@pytest.mark.parametrize(
    "inputs",
    [{"x": ["n", 4], "rate": []}, {"x": ["n", 4], "state": [2, 8]}, {"x": [1, 4], "y": [2, 4]}],
)
def test_inputs_without_a_common_batch_are_refused(
    tmp_path: Path, inputs: Mapping[str, Sequence[int | str]]
) -> None:
    with pytest.raises(UsageError, match=r"share no batch dimension .*save it with the examples"):
        finished.onnx(written(tmp_path / "net.onnx", inputs))


class Runner:
    """What LiteRT tells of one function."""

    def get_input_details(self) -> dict[str, dict[str, object]]:
        return {"x": {"name": "x", "dtype": np.float32, "shape": np.array([1, 4])}}

    get_output_details = get_input_details


class Interpreter:
    """What LiteRT tells of a file with several signatures."""

    names: tuple[str, ...]

    def __init__(self, model_path: str) -> None: ...

    def get_input_details(self) -> list[dict[str, object]]:
        return []

    get_output_details = get_input_details

    def get_signature_list(self) -> dict[str, None]:
        return dict.fromkeys(self.names)

    def get_signature_runner(self, name: str) -> Runner:
        assert name == self.names[0]
        return Runner()


@pytest.mark.parametrize("names", [("encode",), ("encode", "decode")])
def test_a_file_of_several_functions_says_which_one_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...]
) -> None:
    monkeypatch.setattr(Interpreter, "names", names, raising=False)
    monkeypatch.setattr("ai_edge_litert.interpreter.Interpreter", Interpreter)
    (tmp_path / "two.tflite").write_bytes(b"")
    notes = finished.litert(tmp_path / "two.tflite").notes
    told = ("of its signatures encode, decode the first is measured",)
    assert notes == (told if len(names) == 2 else ())
