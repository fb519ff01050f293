"""Converters' silent faults are distinguished from the noise of a reduced precision."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from bench.results.tolerance import NOISE
from bench.results.values import Launch, Scenario
from bench.sweep.probing import checked
from scenarios.core.tasks import agreement

EXAMPLES = 120
INT8 = Scenario("infer/x", "infer", "", "scenarios.infer.x", "x", "", 1, follows="int8")


def rounded(array, levels):
    """On so many levels of its range, as eight bits are; or with so few bits of mantissa."""
    if levels == "bfloat16":
        bits = (np.asarray(array, np.float32).view(np.uint32) + 0x8000) & 0xFFFF0000
        return bits.astype(np.uint32).view(np.float32).astype(np.float64)
    step = (array.max() - array.min()) / levels
    return np.round(array / step) * step if step else array


class Network:
    """Two dense layers, whose weights and features are rounded where `levels` says so."""

    def __init__(self, outputs, seed=0, weights=None):
        rng = np.random.default_rng(seed)
        self.first = rng.normal(0, 0.5, (8, 24))
        self.last = rng.normal(0, 0.5, (24, outputs)) if weights is None else weights
        self.inputs = rng.normal(0, 1, (EXAMPLES, 8))

    def __call__(self, levels=None):
        change = (lambda x: rounded(x, levels)) if levels else (lambda x: x)
        features = np.maximum(change(self.inputs) @ change(self.first), 0)
        return change(change(features) @ change(self.last))


def softmax(logits):
    found = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return found / found.sum(axis=-1, keepdims=True)


def sigmoid(logits):
    return 1 / (1 + np.exp(-logits))


def launch(outputs, reference):
    named = outputs if isinstance(outputs, dict) else {"output": outputs}
    fixed = {name: tuple(np.ravel(array[:8])) for name, array in named.items()}
    return Launch(
        "infer/x", "cpu-1", purpose="probe", agreement=agreement(outputs, reference),
        outputs=sum(fixed.values(), ()), outputs_named=fixed if len(fixed) > 1 else {},
    )  # fmt: skip


def judged(outputs, reference, precision="int8"):
    """What a probe that answers so becomes, beside the original's."""
    scenario = dataclasses.replace(INT8, follows=precision)
    return checked(launch(outputs, reference), launch(reference, reference), scenario)


def swapped(array, one=1, other=2):
    found = array.copy()
    found[..., [one, other]] = array[..., [other, one]]
    return found


# --- honest noise ---------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("precision", "levels"), [("int8", 255), ("bfloat16", "bfloat16")])
@pytest.mark.parametrize("form", [softmax, sigmoid, lambda x: 100 + 30 * x])
def test_a_rounded_network_answers_as_the_original(seed, precision, levels, form):
    network = Network(10, seed)
    found = judged(form(network(levels)), form(network()), precision)
    assert (found.outcome, found.reason) == ("ok", "")


def test_coarse_noise_that_moves_single_answers_is_a_result():
    noted = 0
    for seed in range(5):
        network = Network(10, seed)
        found = judged(softmax(3 * network(15)), softmax(3 * network()))
        assert found.outcome == "ok", found.reason
        noted += any("single answers move far" in each for each in found.warnings)
    assert noted >= 3


@pytest.mark.parametrize("seed", range(20))
def test_a_thousand_hardly_different_classes_do_not_look_swapped(seed):
    rng = np.random.default_rng(seed)
    classes = 1e-3 * (1 + 0.05 * rng.normal(0, 1, (1, 1000)))
    reference = classes * (1 + 0.01 * rng.normal(0, 1, (8, 1000)))
    biased = reference * (1 + 0.05 * rng.normal(0, 1, (1, 1000)))
    found = agreement(biased + 2e-4 * rng.normal(0, 1, biased.shape), reference)
    assert found["displaced"] == 0


def test_noise_within_the_limit_is_a_result_where_answers_are_mostly_their_mean():
    rng = np.random.default_rng(7)
    reference = 0.05 + 0.01 * rng.normal(0, 1, (200, 6))
    own = reference + 0.016 * rng.normal(0, 1, reference.shape)  # louder than what varies
    assert agreement(own, reference)["correlation"] < 0.6
    assert judged(own, reference).outcome == "ok"
    assert judged(own[::-1], reference).outcome == "failed"


def test_a_mask_has_no_choice_an_example():
    rng = np.random.default_rng(8)
    masks = sigmoid(rng.normal(0, 1, (2, 10, 4, 4, 1)))
    assert "top1_chance" not in agreement(*masks)


def test_answers_that_shrank_fit_smaller_ones_and_are_not_displaced():
    signal = Network(1)()
    reference = np.concatenate([signal, 0.3 * signal, 0.09 * signal], axis=-1)
    assert agreement(0.3 * reference, reference)["displaced"] == 0
    zeros = agreement(np.zeros_like(reference), reference)
    assert (zeros["displaced"], zeros["correlation"]) == (0, 0)


@pytest.mark.parametrize("seed", range(20))
def test_noise_of_few_examples_that_hardly_vary_is_not_another_order(seed):
    rng = np.random.default_rng(seed)
    reference = 0.05 + 0.002 * rng.normal(0, 1, (20, 6))
    own = reference + 0.0026 * rng.normal(0, 1, reference.shape)
    assert agreement(own, reference)["correlation"] < 0.688
    found = judged(own, reference)
    assert (found.outcome, found.reason, found.warnings) == ("ok", "", ())


def test_what_the_original_has_not_either_is_not_asked_for():
    reference = Network(10)()
    reference[20:30, 3] = -np.inf
    own = reference + 1e-4 * np.random.default_rng(9).normal(0, 1, reference.shape)
    assert judged(own, reference, "float16").outcome == "ok"
    own[20, 3] = np.inf
    assert "0.083 % of the values of the output are not finite" in judged(own, reference).reason


# --- faults ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("precision", ["int8", "bfloat16", "float16"])
@pytest.mark.parametrize("fault", ["not finite", "noise"])
def test_faults_after_the_first_examples_are_found(precision, fault):
    reference = softmax(Network(10)())
    own = reference.copy()
    if fault == "noise":
        noise = np.random.default_rng(2).normal(0, 1, own[8:].shape)
        loud = 1.2 * NOISE[precision] * np.linalg.norm(reference)
        own[8:] += loud * noise / np.linalg.norm(noise)
    else:
        own[8:40] = np.nan
    found = judged(own, reference, precision)
    assert found.outcome == "failed"
    assert found.warnings == ()  # none of the first moved
    assert ("is off by" if fault == "noise" else "are not finite") in found.reason


@pytest.mark.parametrize("precision", ["int8", "bfloat16", "float16"])
def test_two_outputs_that_hardly_differ_are_not_swapped_unseen(precision):
    first = Network(1)()
    reference = {"first": 50 + first, "second": 50.2 + 1.02 * first}
    noise = 0.02 * np.random.default_rng(1).normal(0, 1, (2, *first.shape))
    own = {"first": reference["first"] + noise[0], "second": reference["second"] + noise[1]}
    assert judged(own, reference, precision).outcome == "ok"
    found = judged({"first": own["second"], "second": own["first"]}, reference, precision)
    assert found.outcome == "failed"
    assert "output 'first' holds another's answers" in found.reason


@pytest.mark.parametrize("seed", range(5))
def test_two_classes_are_not_swapped_unseen_by_uncertain_examples(seed):
    network = Network(10, seed)
    reference, own = softmax(0.1 * network()), softmax(0.1 * network(255))
    assert reference.max() < 0.5  # no example is sure of its class
    assert judged(own, reference).outcome == "ok"
    found = judged(swapped(own), reference)
    assert found.outcome == "failed"
    assert "2 columns of the output hold another's answers" in found.reason


def test_two_classes_with_like_weights_are_not_swapped_unseen():
    weights = np.random.default_rng(3).normal(0, 0.5, (24, 10))
    weights[:, 2] = weights[:, 1] + np.random.default_rng(4).normal(0, 0.05, 24)
    network = Network(10, weights=weights)
    reference, own = softmax(network()), softmax(network(1023))
    assert judged(own, reference).outcome == "ok"
    assert judged(swapped(own), reference).outcome == "failed"


def test_three_classes_in_turn_are_displaced():
    network = Network(10)
    turned = network(255)
    turned[:, [1, 2, 3]] = turned[:, [2, 3, 1]]
    assert agreement(turned, network())["displaced"] == 3


@pytest.mark.parametrize("form", [softmax, sigmoid, lambda x: 100 + x, lambda x: softmax(0.05 * x)])
@pytest.mark.parametrize("precision", ["int8", "bfloat16", "float16"])
def test_a_batch_in_reversed_order_is_found(form, precision):
    network = Network(10)
    assert judged(form(network())[::-1], form(network()), precision).outcome == "failed"


@pytest.mark.parametrize("around", [0.0, 100.0])
def test_a_flipped_sign_is_found(around):
    reference = around + Network(1)()
    assert judged(2 * around - reference, reference).outcome == "failed"
    assert judged(-reference, reference).outcome == "failed"


@pytest.mark.parametrize("precision", ["int8", "bfloat16", "float16"])
def test_a_transposed_mask_is_found(precision):
    rng = np.random.default_rng(5)
    rows, columns = np.mgrid[:16, :16]
    centres = rng.uniform(3, 13, (40, 2, 1, 1))
    apart = (rows - centres[:, 0]) ** 2 + (columns - centres[:, 1]) ** 2
    reference = sigmoid(4 - apart / 3)[..., None]
    assert judged(rounded(reference, 255), reference, precision).outcome == "ok"
    found = judged(reference.transpose(0, 2, 1, 3), reference, precision)
    assert found.outcome == "failed"


def test_choices_by_chance_are_those_of_shuffled_answers():
    rng = np.random.default_rng(6)
    reference = softmax(np.concatenate([rng.normal(2, 1, (200, 1)), np.zeros((200, 2))], axis=1))
    found = agreement(reference[rng.permutation(200)], reference)
    assert found["top1"] <= found["top1_chance"] < 1
    always = agreement(0.9 * np.eye(3)[np.zeros(9, int)] + 0.01, np.eye(3)[np.zeros(9, int)])
    assert "top1_chance" not in always  # chance says nothing of who always chooses the same


# --- what rounded inputs do -----------------------------------------------------------------------


def test_inputs_are_rounded_on_the_scale_that_calibration_finds():
    from scenarios.core import quality
    from scenarios.core.data import Data, Part

    rng = np.random.default_rng(10)
    table = rng.uniform(0, [255, 1], (1000, 2)).astype(np.float32)
    table[-400:, 0] += 1000  # sorted: the first examples are not the others
    data = Data("own", "table", Part(table[:500] % 255), Part(table))
    seen = []

    def network(x):
        seen.append(x)
        return x.sum(axis=1, keepdims=True)

    workload = SimpleNamespace(
        data=data, spec=SimpleNamespace(seed=0), facts=SimpleNamespace(fixed_batch=None),
        network=lambda: network,
    )  # fmt: skip
    found = quality.rounded_inputs(workload, table.sum(axis=1, keepdims=True))
    assert found["examples@rounded_inputs"] == 256
    given = np.concatenate(seen)
    step = float(quality.calibration(data).inputs.max()) / 255
    assert np.allclose(given / step, np.round(given / step), atol=1e-3)
    assert given.max() <= 255 * step * (1 + 1e-6)  # what lies beyond is cut off
    assert np.mean(np.isclose(given[:256, 0], 255 * step)) > 0.3  # as are all the last ones
    assert found["relative_error@rounded_inputs"] > 0.5
