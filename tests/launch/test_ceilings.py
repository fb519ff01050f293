"""The machine's ceilings: which are measured, and that they are plausible beside each other."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def ceilings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    from bench.launch.analysis.ceilings import measure

    return measure(1, tmp_path_factory.mktemp("disk"))


def test_units_and_keys(ceilings: dict[str, float]) -> None:
    assert {"float32_flop_per_s", "bfloat16_flop_per_s", "dram_memory_bytes_per_s"} <= set(ceilings)
    assert all(value > 0 for value in ceilings.values())
    assert all(name.endswith(("_flop_per_s", "_op_per_s", "_bytes_per_s")) for name in ceilings)


def test_near_memory_is_faster_than_far_memory(ceilings: dict[str, float]) -> None:
    near = ceilings.get("l1_memory_bytes_per_s") or ceilings["l2_memory_bytes_per_s"]
    assert near > ceilings["dram_memory_bytes_per_s"]


def test_the_disk_file_is_removed(tmp_path: Path) -> None:
    from bench.launch.analysis import ceilings

    ceilings._disk(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_levels_grow() -> None:
    from bench.launch.analysis.ceilings import memory_levels

    sizes = list(memory_levels().values())
    assert sizes == sorted(sizes)


def test_int8_product_is_what_it_says() -> None:
    pytest.importorskip("ai_edge_litert")
    from ai_edge_litert.interpreter import Interpreter

    from bench.launch.analysis.int8_product import _model

    interpreter = Interpreter(model_content=_model(32), num_threads=1)
    interpreter.allocate_tensors()
    types = {detail["dtype"].__name__ for detail in interpreter.get_tensor_details()}
    assert types == {"int8"}
    assert interpreter.get_output_details()[0]["shape"].tolist() == [32, 32]
