"""Trainings of workloads of other kinds: of tables, series and text, of several inputs and outputs.

Whatever the workload, a training scenario that applies does its baseline's work.
"""

import pytest

from bench.results.tolerance import FIRST_LOSSES, losses_differ
from bench.results.values import WorkloadSpec
from bench.sweep.discovery import ROOT, discover
from bench.sweep.interpreter import Environment
from bench.sweep.preloaded import Pool
from bench.sweep.running import LaunchFailed
from tests.checks import saw
from tests.scenarios.test_train import HERE

pytestmark = [pytest.mark.launches, pytest.mark.usefixtures("lasting")]

KINDS = str(ROOT / "tests" / "scenarios" / "kinds.py")
SCENARIOS = discover()
CHEAP = ("train/function", "train/fit", "train/single-device", "train/grad-accumulation",
         "train/mirrored", "input/memory", "input/shuffle-b64")  # fmt: skip
ANY = ("train/eager", "train/xla", "train/fit-steps-per-execution", "train/persistent-tape",
       "train/mixed-bfloat16", "train/batch-b64", "train/adamw", "train/keras3")  # fmt: skip
"""What applies to every workload that can be trained."""


@pytest.fixture(scope="module")
def seen(pool):
    """What kinds_checks.py saw, run once in a process of its own."""
    return saw(pool, "tests.scenarios.kinds_checks")


def test_a_users_function_puts_a_workload_together(seen):
    found = seen["composed"]
    assert (found["metric"], found["optimizer"], found["batch"]) == ("auc", "SGD", 16)
    assert found["rate"] == 0.25
    assert found["own_loss"] == 7
    assert found["prepared"] == "auc"
    assert found["objects"] == "binary"


def test_the_model_that_was_looked_at_is_the_first_one_of_a_launch(seen):
    """Which draws the numbers that any other draws: the first launch looked at it before."""
    (first, *answers), (second, *others) = seen["looked at"]
    assert (first, second) == (2, 2)
    assert len({*answers, *others}) == 1


def test_outputs_are_weighted_and_callbacks_called_as_the_user_says(seen):
    found = seen["weighted"]
    assert found["epochs"] == 2
    assert found["loss"] == pytest.approx(2 * found["alone"])
    assert found["alone"] > 0


def test_a_baseline_is_doubted_and_never_refused(seen):
    assert seen["doubted"] == {
        "cnn 0.5 None": [
            "the baseline did not converge: accuracy 50.0% after 3 epochs, 97.0% expected: train "
            "longer (--epochs)"
        ],
        "cnn 0.98 None": [],
        "net.py:build 0.5 None": [],  # the default pair's target is no other model's
        "cnn 0.98 luck": ["luck"],
    }


def test_a_users_own_step_takes_the_plain_ones_place(seen):
    assert seen["composed"]["calls"] == 1
    assert all(loss < 1 for loss in seen["composed"]["losses"])  # the given loss would say 7
    assert "your own train_step would have to do it" in seen["composed"]["refused"]


def test_a_function_that_returns_no_workload_is_named(seen):
    assert "kinds.py:" in seen["composed"]["nothing"]
    assert "return tfbench.Workload" in seen["composed"]["nothing"]


def test_a_part_that_no_workload_has_is_named(seen):
    assert "a workload has no 'modell': it has" in seen["composed"]["misspelt"]


def test_converters_get_the_part_behind_the_words(seen):
    found = seen["behind words"]
    assert [each.split()[0] for each in found["dtypes"]] == ["int64", "string"]
    assert found["weights"] == [3, 3]


def test_a_training_keeps_to_its_budget_and_says_so(seen):
    (updates, wanted, plans, words), (whole, all_wanted, one_plan, _) = seen["bounded"]
    assert 1 <= updates < wanted
    assert plans == [wanted, updates]
    assert words.startswith(f"trained {updates:,} updates in")
    assert "budget" in words
    assert whole == all_wanted == one_plan[0]


def test_a_longer_budget_trains_again_what_a_shorter_one_cut(seen):
    """A shorter one takes what is there; without a limit nothing that was cut will do."""
    assert seen["kept"] == [["3", [3]], ["3", [3]], ["3", [3]], ["10", [10]], ["9", [9]]]


def test_a_loss_that_is_no_number_names_the_models_function(seen):
    assert seen["errors"]["nan"].startswith("UsageError")
    assert "kinds.py:" in seen["errors"]["nan"]
    assert "not a number from update 1 on" in seen["errors"]["nan"]


def test_a_bug_in_call_names_its_line(seen):
    lines = (ROOT / "tests/scenarios/kinds.py").read_text().splitlines()
    line = next(i for i, text in enumerate(lines, 1) if "the line that is to be named" in text)
    assert f"kinds.py:{line}: " in seen["errors"]["call"]
    assert "Exception encountered" not in seen["errors"]["call"]


def test_what_xla_cannot_compile_names_the_layer_and_the_way_out(seen):
    assert seen["errors"]["rotation"].startswith("Unsupported")
    assert "'random_rotation" in seen["errors"]["rotation"]
    assert "move it into tf.data" in seen["errors"]["rotation"]
    assert seen["errors"]["flip"] is None
    assert seen["errors"]["strings"].startswith("Unsupported: XLA takes no strings")


def test_the_users_optimizer_and_loss_train(seen):
    name, momentum, loss = seen["compiled"]
    assert (name, loss) == ("SGD", 3)
    assert momentum == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("kind", "chosen"),
    [
        ("two", CHEAP),
        *(
            pytest.param(kind, (*CHEAP, *ANY), marks=pytest.mark.slow)
            for kind in ("two", "amounts", "rare", "series", "text")
        ),
    ],
)
def test_scenarios_do_their_baselines_work(kind, chosen, cache):
    spec = WorkloadSpec(
        data=f"{KINDS}:{kind}_data", model=f"{KINDS}:{kind}", cache=str(cache), epochs=1
    )
    with Pool(spec, 4 << 30) as pool:
        plain = pool.launch(Environment.of(None, HERE, "", ROOT), SCENARIOS["train/function"], HERE)
        plain.call("prepare", 300)
        plain.close()
        found = {id: launched(pool, SCENARIOS[id]) for id in chosen}
    for id, answer in found.items():
        scenario = SCENARIOS[id]
        if kind == "text" and "XLA takes no strings" in answer.get("reason", ""):
            continue
        assert "reason" not in answer, (id, answer.get("reason"))
        if scenario.kind == "train":
            assert answer["quality"] is not None
        if scenario.follows and scenario.baseline in found:
            base = found[scenario.baseline]["losses"]
            assert losses_differ(answer["losses"], base, scenario.follows) is None, id


def launched(pool, scenario):
    """What the probe of a scenario answers, and its losses on a comparable workload."""
    found = {}
    for do in ("probe", "losses") if scenario.kind == "train" else ("probe",):
        launch = pool.launch(
            Environment.of(scenario, HERE, "", ROOT), scenario, HERE, comparable=do == "losses"
        )
        try:
            launch.call("build", 120, first_step=False)
            options = {"epochs": 1} if do == "probe" else {}
            found |= launch.call(do, 300, first=FIRST_LOSSES, **options)
        except LaunchFailed as failure:
            return {"reason": failure.reason}
        finally:
            launch.close()
    return found
