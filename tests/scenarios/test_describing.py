"""What a workload lacks, said as it is and with a way out that leads somewhere."""

import types

import numpy as np
import pytest

from bench.results.errors import Unsupported
from bench.results.values import WorkloadSpec

IMAGES, NUMBERS = np.zeros((4, 8, 8, 3), np.float32), np.zeros((4, 6), np.float32)


@pytest.mark.parametrize(
    ("kind", "inputs", "said"),
    [
        ("images", IMAGES, ""),
        ("samples", IMAGES, ""),
        ("images", {"left": IMAGES, "right": IMAGES}, ""),
        ("samples", NUMBERS, "is about images, and the model's inputs are none"),
        ("table", NUMBERS, "is about images, and the inputs of homes.csv are none"),
        ("images", {"picture": IMAGES, "age": NUMBERS},
         "is about images alone, and the model takes 'age' too"),
    ],
)  # fmt: skip
def test_what_is_said_of_inputs_that_are_not_images(kind, inputs, said):
    from scenarios.core import describing
    from scenarios.core.data import Data, Part

    data = Data("homes.csv", kind, None, Part(inputs, None))
    facts = types.SimpleNamespace(fixed_batch=None)
    workload = types.SimpleNamespace(
        data=data, facts=facts, task=types.SimpleNamespace(kind="other"), output_names=["a"],
        trainable="", spec=WorkloadSpec(),
    )  # fmt: skip
    assert describing._missing(workload)["data:images"] == said


def test_a_finished_file_names_what_holds_what_is_missing(tmp_path):
    from scenarios.core.models import finished

    file = tmp_path / "net.tflite"
    file.write_bytes(b"")
    lacks = finished._finished(file, {}, {}, "model:litert", ".tflite", None).lacks
    assert "model:litert" not in lacks
    assert lacks["model:graph"].endswith("give the Keras model or SavedModel behind it")
    for need in ("model:keras", "model:trainable", "model:copyable"):
        assert lacks[need].endswith("give the Keras model behind it")  # no SavedModel is one
    assert "FILE.py:function" in lacks["architecture:free"]


def test_inputs_beyond_a_precisions_largest_number_are_refused_by_name():
    from scenarios.core.feeding import need_range

    areas = np.array([[3.0, -70_000.0]], np.float32)
    need_range({"area": areas}, "bfloat16")
    need_range(np.array([[65_504.0]], np.float32), "float16")
    with pytest.raises(Unsupported, match="'area' holds values up to 70000, float16 ends at 65504"):
        need_range({"area": areas}, "float16")
