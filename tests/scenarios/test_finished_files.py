"""Finished files: what a call takes is read from the file, or refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

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
    ("inputs", "said"),
    [
        ({"x": ["n", 4], "rate": []}, "and 'rate' is one value for all: export"),
        (
            {"x": ["n", 4], "state": [2, "n", 8], "rate": []},
            "and 'rate' is one value for all; that of 'state' (2×n×8) is 2, where it is open in "
            "dimension 2: export",
        ),
        ({"x": ["n", 4], "state": [2, 8]}, "that of 'state' (2×8) is 2"),
        ({"x": [1, 4], "y": [2, 4]}, "and 'x' (1×4) takes 1 where others take 2: export"),
    ],
)
def test_inputs_without_a_common_batch_are_refused_by_name(
    tmp_path: Path, inputs: Mapping[str, Sequence[int | str]], said: str
) -> None:
    with pytest.raises(UsageError) as caught:
        finished.onnx(written(tmp_path / "net.onnx", inputs))
    assert said in str(caught.value)
    assert str(caught.value).endswith("export the model so, with states and settings inside it")
