"""From a run to a bundle: which scenario, and what the run knows of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.bundle.claim import Claim, Quality, Speed
from bench.bundle.exporting import Subject
from bench.bundle.exporting import export as write
from bench.results.as_json import from_json
from bench.results.errors import UsageError
from bench.results.store import Run
from bench.results.values import Configuration, Scenario, WorkloadSpec
from bench.sweep.discovery import discover
from bench.sweep.progress import Reporter
from reports.facts.derive import facts_of
from reports.facts.limits import Limits, Loss
from reports.facts.measured import Facts, Measured
from reports.facts.recommend import recommend

ONE_POINT = Loss(1.0)


def export(
    run: Run,
    out: Path,
    reporter: Reporter,
    scenario: str | None = None,
    configuration: str | None = None,
    max_loss: Loss | None = ONE_POINT,
    measure: bool = True,
    folders: Sequence[Path | str] = (),
) -> Claim:
    """Write a bundle of a run's scenario.

    Args:
        run: The run.
        out: The bundle's folder.
        reporter: Told what happens.
        scenario: Its id; None: what `recommend` chooses.
        configuration: Of the run; None: its first that has the scenario.
        max_loss: Most quality that the chosen may lose; None: any.
        measure: Measure the pair again.
        folders: Of scenarios of the user's own.

    Raises:
        UsageError: The run has no such scenario, or none that satisfies, or it is not known here.
    """
    facts = facts_of(run)
    chosen, among = choose(facts, scenario, configuration, max_loss)
    here = discover(folders=folders)
    return write(subject(run, facts, chosen, among, here), out, reporter, measure=measure)


def choose(
    facts: Facts, scenario: str | None, configuration: str | None, max_loss: Loss | None
) -> tuple[Measured, int]:
    """The scenario that is exported, and among how many it was chosen."""
    if scenario is None:
        found = recommend(facts, limits=Limits(max_loss), configuration=configuration)
        if found.best is None:
            raise UsageError("no measured scenario satisfies the limits: name one, or raise them")
        where = found.configuration
        rows = [m for m in facts.of("infer", where) if m.ok]
        return found.best.measured, len(rows)
    rows = [m for m in facts.all if m.scenario == scenario]
    if configuration is not None:
        rows = [m for m in rows if m.configuration == configuration]
    if not rows:
        known = ", ".join(dict.fromkeys(m.scenario for m in facts.all if m.ok))
        raise UsageError(f"the run has no {scenario}: it has {known}")
    fine = [m for m in rows if m.ok]
    if not fine:
        raise UsageError(f"{scenario} has no figures in this run: {rows[0].effect.reason}")
    return fine[0], len([m for m in facts.of(fine[0].kind, fine[0].configuration) if m.ok])


def subject(
    run: Run, facts: Facts, chosen: Measured, among: int, here: Mapping[str, Scenario]
) -> Subject:
    """What the run knows of a scenario; its code is that of its id here, whatever the run names."""
    info = _known(here, chosen.scenario)
    if info.kind not in ("infer", "train"):
        raise UsageError(f"{chosen.scenario} is no model: export an inference or a training path")
    where = next(
        (c for c in run.facts.get("configurations", ()) if c["name"] == chosen.configuration), None
    )
    if where is None:
        raise UsageError(f"the run does not say what {chosen.configuration} is")
    base = _known(here, chosen.root) if chosen.root != chosen.scenario else None
    facts_ = run.facts
    named: Any = facts_.get("workload_spec", facts_.get("workload") or {})
    return Subject(
        info,
        base,
        from_json(Configuration, where),
        from_json(WorkloadSpec, named),
        _speed(chosen),
        _quality(facts, chosen),
        dict(chosen.probe.agreement) if chosen.probe else {},
        dict(chosen.probe.proof) if chosen.probe else {},
        str(run.facts.get("command", "")),
        str(run.folder),
        among,
    )


def _known(here: Mapping[str, Scenario], id: str) -> Scenario:
    if id not in here:
        raise UsageError(f"no scenario {id} is known here: give its folder by --scenarios DIR")
    return here[id]


def _speed(chosen: Measured) -> Speed | None:
    found = chosen.against_root
    if found is None or chosen.root == chosen.scenario:
        return None
    known = found.launches > 1
    low, high = (found.low, found.high) if known else (None, None)
    return Speed(found.value, low, high, found.launches, "as the run measured it")


def _quality(facts: Facts, chosen: Measured) -> Quality | None:
    own, change = chosen.quality, chosen.quality_change
    if own is None:
        return None
    root = facts.get(chosen.root, chosen.configuration)
    before = root.quality.value if root is not None and root.quality is not None else None
    if change is None:
        return Quality(own.metric, own.value, before, larger_is_better=own.larger_is_better)
    return Quality(
        own.metric, own.value, before, change.value, change.low, change.high,
        own.larger_is_better,
    )  # fmt: skip
