"""Files of several functions: which one is measured, and a copy that holds it alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.results.errors import Unsupported, UsageError
from scenarios.core.models import finished, tflite_functions

pytest.importorskip("ai_edge_litert.interpreter")
from tests.scenarios.tflite_files import written

GRAPHS = ("NEG", "EXP", "ABS")
X = np.float32([[-1, 0, 0.5, 2]])
BY_NAME = {"negative": -X, "exponent": np.exp(X), "amount": np.abs(X)}
IN_ORDER = (("negative", 0), ("exponent", 1), ("amount", 2))
TURNED = (("amount", 2), ("exponent", 1), ("negative", 0))


@pytest.mark.parametrize("signatures", [IN_ORDER, TURNED])
@pytest.mark.parametrize("name", BY_NAME)
def test_a_copy_holds_one_function_alone_wherever_it_stood(
    tmp_path: Path, signatures: tuple[tuple[str, int], ...], name: str
) -> None:
    file = written(tmp_path / "three.tflite", GRAPHS, signatures)
    copy = tmp_path / "one.tflite"
    copy.write_bytes(tflite_functions.alone(file, name))
    assert tflite_functions.graphs(copy) == {name: 0}
    assert tflite_functions.is_alone(copy, name)
    assert len(copy.read_bytes()) == len(file.read_bytes())
    from ai_edge_litert.interpreter import Interpreter

    running = Interpreter(model_path=str(copy))
    running.allocate_tensors()
    running.set_tensor(running.get_input_details()[0]["index"], X)
    running.invoke()
    found = running.get_tensor(running.get_output_details()[0]["index"])
    np.testing.assert_allclose(found, BY_NAME[name], rtol=1e-6)
    assert list(running.get_signature_list()) == [name]


def test_without_a_name_the_first_graph_is_measured(tmp_path: Path) -> None:
    file = written(tmp_path / "three.tflite", GRAPHS, TURNED)
    assert tflite_functions.chosen(file, "") == "negative"
    assert not tflite_functions.is_alone(file, "negative")  # others ask for the first name
    in_order = written(tmp_path / "other.tflite", GRAPHS, IN_ORDER)
    assert tflite_functions.is_alone(in_order, "negative")
    plain = written(tmp_path / "plain.tflite", GRAPHS[:1])
    assert tflite_functions.chosen(plain, "") == ""
    assert tflite_functions.is_alone(plain, "")


@pytest.mark.parametrize(
    ("signatures", "said"),
    [
        (IN_ORDER, "no signature 'amounts': it has negative, exponent, amount; name one"),
        ((), "has no signatures: leave --signature out"),
    ],
)
def test_a_signature_that_a_file_lacks_is_refused(
    tmp_path: Path, signatures: tuple[tuple[str, int], ...], said: str
) -> None:
    file = written(tmp_path / "three.tflite", GRAPHS, signatures)
    with pytest.raises(UsageError, match=said):
        finished.litert(file, "amounts")


def test_functions_that_call_one_another_are_refused(tmp_path: Path) -> None:
    file = written(tmp_path / "calls.tflite", GRAPHS, IN_ORDER, calls=1)
    with pytest.raises(Unsupported, match="'exponent' to a file of its own"):
        tflite_functions.alone(file, "exponent")


@pytest.mark.parametrize("name", ["", "negative", "amount"])
def test_a_file_of_several_functions_says_which_one_is_measured(tmp_path: Path, name: str) -> None:
    source = finished.litert(written(tmp_path / "three.tflite", GRAPHS, TURNED), name)
    operation = "abs" if name == "amount" else "neg"
    assert list(source.signature) == [f"{operation}_x"]
    assert list(source.outputs) == [f"{operation}_y"]
    told = ("of the file's signatures 'negative' is measured: --signature names another "
            "(amount, exponent)",)  # fmt: skip
    assert source.notes == (() if name else told)


@pytest.mark.parametrize(("batch", "fixed"), [(1, 1), (8, 8), (-1, None)])
def test_an_open_batch_is_seen(tmp_path: Path, batch: int, fixed: int | None) -> None:
    for signatures in ((), IN_ORDER):
        file = written(tmp_path / "net.tflite", GRAPHS, signatures, batch)
        assert finished.litert(file).fixed_batch == fixed
