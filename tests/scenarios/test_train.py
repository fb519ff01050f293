"""Every training scenario: builds, does its baseline's work, and proves its technique."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from bench.results.tolerance import FIRST_LOSSES, first_difference, losses_differ
from bench.results.values import Configuration
from bench.sweep.discovery import ROOT, discover, select
from bench.sweep.interpreter import Environment
from bench.sweep.running import LaunchFailed

pytestmark = pytest.mark.launches

HERE = Configuration("test", 2, tuple(sorted(os.sched_getaffinity(0)))[:2])
EPOCHS = 1
SCENARIOS = discover()
SLOW = {
    # Compiled for some 20 s each; one XLA path and both precisions are quick without.
    "train/mixed-float16-xla", "train/mixed-bfloat16-xla", "train/fit-xla", "train/xla-auto",
    # Minutes: processes that import TensorFlow, whole searches and whole trainings.
    "train/multiworker", "train/multiworker-recovery", "train/tuner", "train/tuner-random",
    "train/time-to-accuracy", "train/time-to-accuracy-cosine", "train/fit-eager",
    "train/function-retracing", "train/function-retracing-fixed",
    "train/function-retracing-relaxed",
    # The same function at other sizes.
    "train/batch-b16", "train/batch-b64", "train/batch-b128", "train/batch-b256",
}  # fmt: skip
"""Launched in `nox -s tests_full` alone."""
TRAIN = [s.id for s in SCENARIOS.values() if s.kind == "train"]
FOLLOWERS = [id for id in TRAIN if SCENARIOS[id].follows]
COMPARED = {*FOLLOWERS, *(SCENARIOS[id].baseline for id in FOLLOWERS), "train/residual"}


def marked(ids):
    """The ids, those of slow scenarios marked."""
    return [pytest.param(id, marks=[pytest.mark.slow] * (id in SLOW)) for id in ids]


def answers(pool, scenario, do, comparable=False, **arguments):
    environment = Environment.of(scenario, HERE, "", ROOT)
    launch = pool.launch(environment, scenario, HERE, comparable=comparable)
    try:
        built = launch.call("build", 120, first_step=False)
        return built | launch.call(do, 300, first=FIRST_LOSSES, **arguments)
    except LaunchFailed as failure:
        return {"outcome": failure.outcome, "reason": failure.reason}
    finally:
        launch.close()


def probe(pool, scenario):
    """What a probe finds, and the losses on a comparable workload."""
    found = answers(pool, scenario, "probe", epochs=EPOCHS)
    if scenario.id in COMPARED and "reason" not in found:
        found |= answers(pool, scenario, "losses", comparable=True)
    return found


class Probed(dict):
    """What the probe of each scenario answered, by id; slow ones are launched when asked for."""

    def __init__(self, pool):
        self.pool = pool
        quick = [id for id in TRAIN if id not in SLOW]
        with ThreadPoolExecutor(2) as executor:
            found = executor.map(lambda id: probe(pool, SCENARIOS[id]), quick)
        super().__init__(zip(quick, found, strict=True))

    def __missing__(self, id):
        self[id] = probe(self.pool, SCENARIOS[id])
        return self[id]


@pytest.fixture(scope="module")
def probed(pool):
    """The answers of all training scenarios."""
    plain = SCENARIOS["train/function"]
    launch = pool.launch(Environment.of(None, HERE, "", ROOT), plain, HERE)
    launch.call("prepare", 300)
    launch.close()
    return Probed(pool)


def test_everything_the_project_promises_is_there():
    promised = """eager function fit fit-eager fit-steps-per-execution persistent-tape
        grad-accumulation function-retracing xla xla-auto fit-xla mixed-float16 mixed-float16-xla
        mixed-bfloat16 mixed-bfloat16-xla batch-b8 batch-b512 mirrored mirrored-per-replica
        multiworker multiworker-recovery tpu separable residual squeeze-excitation attention
        subclassed multi-io adamw cosine-decay tuner gan distillation linear quadratic dense
        keras2 keras3"""
    assert {f"train/{name}" for name in promised.split()} <= SCENARIOS.keys()


def test_what_is_slow_exists():
    assert set(TRAIN) >= SLOW


def test_baselines_come_with_their_candidates():
    chosen = [s.id for s in select(SCENARIOS, ["train/mirrored"])]
    assert "train/single-device" in chosen


@pytest.mark.parametrize("id", marked(id for id in TRAIN if id != "train/tpu"))
def test_it_builds_steps_and_proves_its_technique(probed, id):
    answer = probed[id]
    assert "reason" not in answer, answer.get("reason")
    assert answer["examples_per_step"] > 0
    if id != "train/eager":
        assert answer["proof"]


def test_a_tpu_that_is_not_there_is_unsupported_with_the_reason(probed):
    assert probed["train/tpu"]["outcome"] == "unsupported"
    assert "TPU" in probed["train/tpu"]["reason"]


@pytest.mark.parametrize("id", marked(FOLLOWERS))
def test_its_first_losses_are_its_baselines(probed, id):
    scenario = SCENARIOS[id]
    own, base = (probed[name]["losses"] for name in (id, scenario.baseline))
    assert len(own) == FIRST_LOSSES
    assert losses_differ(own, base, scenario.follows) is None, list(zip(own, base, strict=True))


def test_losses_differ_where_the_model_does(probed):
    own, base = probed["train/residual"]["losses"], probed["train/function"]["losses"]
    assert first_difference(own, base, "bfloat16") is not None


def test_facts_that_prove_it(probed):
    proof = {id.removeprefix("train/"): answer.get("proof") for id, answer in probed.items()}
    assert proof["function"] == {"traces": 1}
    assert proof["xla"]["xla_clusters"] >= 1
    assert set(proof["mixed-float16"]["compute_dtypes"]) == {"float16"}
    assert proof["mixed-float16"]["output_dtype"] == "float32"
    assert proof["mixed-float16"]["loss_scale"] > 1
    assert set(proof["mixed-bfloat16"]["variable_dtypes"]) == {"float32"}
    assert proof["mirrored"]["replicas"] == 2
    assert "logical CPU" in proof["mirrored"]["device_kind"]
    assert proof["grad-accumulation"] == {
        "traces": 1, "updates_per_step": 1, "gradients_per_step": 4,
    }  # fmt: skip
    assert proof["fit-steps-per-execution"]["steps_per_execution"] == 10
    assert (proof["keras2"]["keras"], proof["keras3"]["keras"]) == (2, 3)


def test_work_done_in_a_step(probed):
    examples = {id: answer.get("examples_per_step") for id, answer in probed.items()}
    assert examples["train/mirrored"] == examples["train/function"] == 32
    assert examples["train/mirrored-per-replica"] == 64
    assert (examples["train/batch-b8"], examples["train/batch-b512"]) == (8, 512)
    assert probed["train/fit"]["updates_per_step"] * 32 == examples["train/fit"]


def test_separable_has_fewer_and_residual_more_parameters(probed):
    count = {id: answer.get("parameters") for id, answer in probed.items()}
    assert count["train/separable"] < count["train/function"] < count["train/residual"]
    assert count["train/dense"] == 784 * 128 + 128 + 128 * 10 + 10
