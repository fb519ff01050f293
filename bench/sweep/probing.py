"""A probe: a launch that is not timed and finds a path's proof, quality, size and memory."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from bench.results import likeness, tolerance
from bench.results.tolerance import FIRST_LOSSES
from bench.results.values import Launch, Scenario
from bench.sweep.members import Process
from bench.sweep.running import LaunchFailed
from bench.sweep.settings import Profile

COLD_BUILD_S = 0.25
"""A step that took longer to build may have made its artifact, where its launch does not say
whether it did (an older version). Two small networks were converted in 0.96 and 1.17 s, and built
from their files in 0.02 and 0.03 s."""
TRAININGS_SHARE = 0.2
"""Of the limit of one message: all trainings of a path may take that long, or there are fewer."""
SEQUENCES = (
    "losses", "step_losses", "outputs", "predictions", "correct", "accuracies", "scores", "answers",
    "qualities",
)  # fmt: skip
"""Fields of an answer that come as lists, or not at all."""


LEFT_OUT = "losses_left_out"
"""A probe's fact: so many of its first losses would have taken too long."""
REPEATED = {"accuracy": "accuracies", "quality": "qualities"}
"""What is known after each of repeated trainings, and the field that holds it of all of them."""


def probe(
    start: Callable[..., Process],
    record: Launch,
    scenario: Scenario,
    profile: Profile,
    compared: bool = False,
    training_s: float = math.inf,
) -> Launch:
    """The record with what the probe found, or with its outcome and reason where it ended early.

    Args:
        start: Forks a launch of the path; `training=1` and so on forks one of a repeated training,
            `comparable=True` one on a comparable workload.
        record: What is known before.
        scenario: The path's.
        profile: How long a message may take, after how many epochs quality is reported, and of how
            many trainings.
        compared: Whether its losses are compared with another path's: those of one more launch,
            on a comparable workload.
        training_s: What all trainings of a path may take together; a single one takes half of it at
            most, and is cut short there.
    """
    short = {} if math.isinf(training_s) else {"train_s": training_s / 2}
    limit_s = profile.timeout_s * (4 if scenario.unit == "job" else 1)
    launch, started = None, time.monotonic()
    try:
        launch = start()
        built = launch.call("build", limit_s, first_step=False)
        made = built.pop("made", built["build_s"] > COLD_BUILD_S)
        if made and scenario.unit == "step":
            # which leaves free memory to grow into unseen: the next one finds the artifact
            launch.close()
            launch = None
            launch = start()
            built = launch.call("build", limit_s, first_step=False)
        begun = time.monotonic()
        found = launch.call("probe", limit_s, first=FIRST_LOSSES, epochs=profile.epochs, **short)
        one_s = time.monotonic() - begun
        warnings = tuple(found.pop("warnings", ()))
        record = dataclasses.replace(record, warnings=(*record.warnings, *warnings))
        told = [name for name in REPEATED if found.get(name) is not None]
        if scenario.kind == "train" and scenario.unit == "step" and told:
            count = _affordable(one_s, profile, training_s)
            more = [_again(start, n, profile, short) for n in range(1, count)]
            for name in told:
                values = [found[name], *(each[name] for each in more if name in each)]
                found[REPEATED[name]] = values
            record = _warned(record, told[0], 1 + len(more), one_s, profile)
        if compared and scenario.kind == "train" and scenario.unit == "step":
            found["losses"], left_out = comparable_losses(start, limit_s)
            if left_out:
                found["probes"] = found.get("probes", {}) | {LEFT_OUT: left_out}
        fields = built | found | {name: tuple(found.get(name, ())) for name in SEQUENCES}
        known = {field.name for field in dataclasses.fields(Launch)}
        record = dataclasses.replace(record, **{k: v for k, v in fields.items() if k in known})
    except LaunchFailed as error:
        record = dataclasses.replace(
            record,
            outcome=error.outcome,  # type: ignore[arg-type]
            reason=error.reason,
            output=launch.output() if launch and error.outcome != "unsupported" else "",
        )
    finally:
        if launch is not None:
            launch.close()
    return dataclasses.replace(record, wall_s=time.monotonic() - started)


def checked(
    launch: Launch,
    base: Launch | None,
    scenario: Scenario,
    disturbed: Callable[[], Iterable[Sequence[float]]] = tuple,
) -> Launch:
    """The probe, failed where its losses or outputs leave the baseline's.

    Args:
        launch: Of a path.
        base: Of its baseline.
        scenario: The path's.
        disturbed: Gives the baseline's first losses from weights moved by one rounding of the
            path's precision, for some roundings. Asked where losses leave the baseline's.
    """
    if not scenario.follows:
        return _explained(launch, scenario)
    if launch.outcome != "ok" or base is None or base.outcome != "ok":
        return launch
    if scenario.kind == "train":
        count = FIRST_LOSSES - max(x.probes.get(LEFT_OUT, 0) for x in (launch, base))
        own, theirs = launch.losses[:count], base.losses[:count]
        if count < FIRST_LOSSES:
            note = f"its losses are compared over {count} updates: more would take too long"
            launch = _warned_of(launch, note)
        found = tolerance.losses_differ(own, theirs, scenario.follows)
        if found is None:
            return launch
        moved = tolerance.moved_by((each[:count] for each in disturbed()), theirs)
        parted = tolerance.losses_differ(own, theirs, scenario.follows, moved)
        if parted is None:
            why = f"its updates amplify roundings, so that trainings may part by {max(moved):.1%}"
            return _warned_of(launch, f"{found}: {why}")
        return _failed(launch, f"does other work than {base.scenario}: {parted}")
    broken = likeness.not_finite(launch.agreement)
    found = broken or _outputs_differ(launch, base, scenario.follows)
    judged = scenario.follows in tolerance.NOISE and "relative_error" in launch.agreement
    if judged and not broken:
        return _over_all(launch, base, found, scenario)
    return _failed(launch, f"does not answer as {base.scenario}: {found}" if found else "")


def _failed(launch: Launch, reason: str) -> Launch:
    return dataclasses.replace(launch, outcome="failed", reason=reason) if reason else launch


def _explained(launch: Launch, scenario: Scenario) -> Launch:
    """The probe of a changed network, which says where eight bits cost its quality."""
    return _warned_of(launch, likeness.rounded_away(launch.agreement, scenario.inputs_in))


def _over_all(launch: Launch, base: Launch, moved: str | None, scenario: Scenario) -> Launch:
    """The probe of a reduced precision, judged by all test examples.

    A few answers near a limit move far in 8 bits (`moved`), and all the others hardly. Answers in
    another's place are a converter's fault, whatever rounding alone would cost.
    """
    agreement, precision = launch.agreement, str(scenario.follows)
    if moved:
        over_all = agreement["relative_error"]
        launch = _warned_of(launch, f"single answers move far: {moved}; over all by {over_all:.0%}")
    lost = likeness.drowned(agreement, precision, moved=bool(moved))
    elsewhere = likeness.displaced(agreement)
    found = elsewhere or lost or likeness.shuffled(agreement, precision)
    if not found:
        return launch
    cause = likeness.rounded_away(agreement, scenario.inputs_in)
    if cause and found is lost:
        return dataclasses.replace(launch, outcome="unsupported", reason=cause)
    return _failed(_warned_of(launch, cause), f"does not answer as {base.scenario}: {found}")


def _warned_of(launch: Launch, note: str | None) -> Launch:
    return dataclasses.replace(launch, warnings=(*launch.warnings, note)) if note else launch


def _outputs_differ(launch: Launch, base: Launch, precision: str) -> str | None:
    """What differs, each output by its name and on its own scale where there are several."""
    if not (launch.outputs_named and base.outputs_named):
        return tolerance.outputs_differ(launch.outputs, base.outputs, precision)
    for name, outputs in base.outputs_named.items():
        found = tolerance.outputs_differ(launch.outputs_named.get(name, ()), outputs, precision)
        if found:
            return f"output {name!r}: {found}"
    return None


def _affordable(one_s: float, profile: Profile, training_s: float) -> int:
    """Trainings that take no longer than their share, of those that the profile wants."""
    fit = int(min(TRAININGS_SHARE * profile.timeout_s, training_s) / max(one_s, 1e-9))
    return max(1, min(profile.trainings, fit))


def _warned(record: Launch, name: str, count: int, one_s: float, profile: Profile) -> Launch:
    """The record, which says where a path was trained less often than the profile wants."""
    if count >= profile.trainings:
        return record
    note = f"{name} is that of {count}, not {profile.trainings} trainings: {one_s:.0f} s each"
    return dataclasses.replace(record, warnings=(*record.warnings, note))


def comparable_losses(start: Callable[..., Process], limit_s: float) -> tuple[list[float], int]:
    """The first losses of a path on a comparable workload, and how many took too long.

    Raises:
        LaunchFailed: It does not train.
    """
    launch = start(comparable=True)
    try:
        launch.call("build", limit_s, first_step=False)
        answer = launch.call("losses", limit_s, first=FIRST_LOSSES)
        return list(answer["losses"]), int(answer.get("left_out", 0))
    finally:
        launch.close()


def _again(
    start: Callable[..., Process], training: int, profile: Profile, short: Mapping[str, float]
) -> dict[str, float]:
    """How good the path is after one more training."""
    launch = start(training=training)
    try:
        launch.call("build", profile.timeout_s, first_step=False)
        answer = launch.call("accuracy", profile.timeout_s, epochs=profile.epochs, **short)
        return {name: float(answer[name]) for name in REPEATED if answer.get(name) is not None}
    finally:
        launch.close()
