"""Every input scenario: gives the expected examples by the operations it is named after."""

import pytest

from bench.sweep.discovery import ROOT, discover
from bench.sweep.interpreter import Environment
from bench.sweep.running import LaunchFailed
from tests.scenarios.test_train import HERE

pytestmark = pytest.mark.launches

SCENARIOS = {id: s for id, s in discover().items() if s.kind == "input"}


@pytest.fixture(scope="module")
def probed(pool):
    """What the probe of each input scenario answered, and how much of a step waits for input."""
    answers = {}
    for id, scenario in SCENARIOS.items():
        launch = pool.launch(Environment.of(scenario, HERE, "", ROOT), scenario, HERE)
        try:
            answers[id] = launch.call("build", 120, first_step=False)
            answers[id] |= launch.call("probe", 120, first=0, epochs=0)
            if id in ("input/files", "input/memory"):
                launch.call("warm", 60, turn_ns=10**6, cap_ns=10**9)
                answers[id] |= launch.call("done", 120)
        except LaunchFailed as failure:
            answers[id] = {"reason": failure.reason}
        finally:
            launch.close()
    return answers


def test_everything_the_project_promises_is_there():
    promised = """memory files tfrecord map-serial map-parallel prefetch cache shuffle-b64
        shuffle-b512 shuffle-all vectorized-map preprocessed python-generator"""
    assert {f"input/{name}" for name in promised.split()} <= SCENARIOS.keys()


@pytest.mark.parametrize("id", SCENARIOS)
def test_it_gives_the_examples_that_it_should(probed, id):
    assert "reason" not in probed[id], probed[id].get("reason")
    assert probed[id]["examples_per_step"] == 32
    assert probed[id]["proof"]


def test_pipelines_hold_what_they_are_named_after_and_no_more(probed):
    kinds = {
        id.removeprefix("input/"): answer["proof"].get("pipeline") for id, answer in probed.items()
    }
    assert kinds["map-serial"] == ["TensorSlice", "Map", "Repeat", "Batch"]
    assert [kind.partition("V")[0] for kind in kinds["map-parallel"]] == [
        "TensorSlice", "ParallelMap", "Repeat", "Batch",
    ]  # fmt: skip
    assert kinds["prefetch"] == [*kinds["map-serial"], "Prefetch"]
    assert kinds["vectorized-map"][-2:] == kinds["vectorized-map-elementwise"][-2:][::-1]
    assert any(kind.startswith("TFRecord") for kind in kinds["tfrecord"])


@pytest.mark.parametrize("buffer", ["64", "512"])
def test_a_buffer_shuffles_no_further_than_it_reaches(probed, buffer):
    proof = probed[f"input/shuffle-b{buffer}"]["proof"]
    assert proof["furthest_example_in_first_batch"] < int(buffer) + 32


@pytest.mark.parametrize("id", ["input/files", "input/memory"])
def test_the_share_of_a_training_step_that_waits_for_input_is_known(probed, id):
    assert 0 <= probed[id]["probes"]["input_wait_share"] < 1
