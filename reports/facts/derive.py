"""From a run to its facts: the one place where launches are turned into what a report shows."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any

from bench.results import statistics
from bench.results.effects import log_ratio
from bench.results.quality import quality, quality_change
from bench.results.store import Run
from bench.results.values import Effect, Estimate, Launch
from reports.facts import peaks
from reports.facts.measured import Control, Facts, Measured, ceilings_of


def facts_of(run: Run) -> Facts:
    """Everything that a run says, derived once.

    Args:
        run: The run as read from its folder.
    """
    every: dict[tuple[str, str], list[Launch]] = {}
    for launch in run.launches:
        if launch.role in ("baseline", "candidate") and not launch.side:
            every.setdefault((launch.scenario, launch.configuration), []).append(launch)
    rows = (_measured(run, row, every) for row in run.effects.rows)
    across = {key: statistics.as_speedup(x) for key, x in run.effects.across().items()}
    return Facts(run, tuple(rows), across, _controls(run))


def _measured(run: Run, row: Effect, every: dict[tuple[str, str], list[Launch]]) -> Measured:
    scenario, where, effects = row.scenario, row.configuration, run.effects
    info, root = run.scenarios.get(scenario), effects.root(scenario)
    launches = tuple(every[scenario, where])
    if row.status != "ok":
        return Measured(row, info, launches, root)
    timed, probe = tuple(effects.timed(scenario, where)), effects.probe(scenario, where)
    plain = effects.probe(root, where) if root != scenario else None
    base = effects.probe(row.baseline, where) if row.baseline else None
    chain = effects.against(scenario, root, where) if row.baseline else None
    ceilings = ceilings_of(run, where)
    precision = peaks.arithmetic_precision(probe.proof if probe else {})
    return Measured(
        effect=row,
        info=info,
        launches=launches,
        root=root,
        timed=timed,
        probe=probe,
        log_ratio=effects.log_ratio(scenario, row.baseline, where) if row.baseline else None,
        against_root=statistics.as_speedup(chain) if chain else None,
        launch_effects=_launch_effects(effects.timed(row.baseline, where), timed),
        latency=latency_over(timed),
        quality=quality(probe),
        step_change=quality_change(base, probe),
        quality_change=quality_change(plain, probe),
        worst_class=_worst_class(plain, probe),
        file_factor=_factor(plain, probe, "artifact_bytes"),
        gzip_factor=_factor(plain, probe, "artifact_gzip_bytes"),
        multiply_add_factor=_factor(plain, probe, "multiply_adds"),
        work_factor=_factor(probe, base, "multiply_adds"),
        histogram=effects.histogram(scenario, where),
        precision=precision,
        ceiling_share=peaks.ceiling_share(probe, row.latency_ns, ceilings),
        type_factor=peaks.type_factor(precision, ceilings),
        waiting_share=_middle(x.probes.get("input_wait_share") for x in timed),
        input_step_ns=_input_step(timed),
        load=_load(timed),
        **_rates(probe, timed, row.latency_ns),
    )


def latency_over(timed: Sequence[Launch]) -> Estimate | None:
    """Time of one update or answer, ns: the launches' medians, with the spread between them.

    The value is the median over launches (as in effects.csv); the interval is the t-interval of
    the launches' median turns, moved to it: it says how far another launch may lie, and decides
    how many digits are shown.
    """
    values = [median(t.step_ns for t in x.turns) / x.updates_per_step for x in timed]
    if not values:
        return None
    mean = statistics.over_launches(values)
    value = median(values)
    shift = value - mean.value
    return Estimate(value, mean.low + shift, mean.high + shift, mean.launches)


def _launch_effects(bases: Sequence[Launch], timed: Sequence[Launch]) -> tuple[float, ...]:
    own = [x for x in bases if x.role == "baseline"]
    pairs = (log_ratio(own, [x]) for x in timed if x.role == "candidate")
    return tuple(pair.value for pair in pairs if pair is not None)


def _worst_class(plain: Launch | None, own: Launch | None) -> tuple[str, float] | None:
    before, after = (x.class_qualities if x else {} for x in (plain, own))
    changes = {name: after[name] - before[name] for name in before if name in after}
    name = min(changes, key=lambda name: changes[name], default=None)
    return None if name is None else (name, changes[name])


def _rates(
    probe: Launch | None, timed: Sequence[Launch], latency_ns: float | None
) -> dict[str, float]:
    operations = probe.probes.get("flops_per_step") if probe else None
    moved = probe.probes.get("bytes_per_step") if probe else None
    if not operations or not moved or not latency_ns:
        return {}
    seconds = latency_ns * 1e-9 * timed[0].updates_per_step
    return {"operations_per_s": operations / seconds, "operations_per_byte": operations / moved}


def _input_step(timed: Sequence[Launch]) -> tuple[float, float] | None:
    cached = [x.probes.get("training_step_cached_ns") for x in timed]
    whole = [x.probes.get("training_step_with_input_ns") for x in timed]
    base, total = _middle(cached), _middle(whole)
    if base is None or total is None or None in (*cached, *whole):
        return None
    return base, max(0.0, total - base)


def _load(timed: Sequence[Launch]) -> dict[str, tuple[float, ...]]:
    found: dict[str, tuple[float, ...]] = {}
    for launch in timed:
        for name, value in launch.probes.get("figures", {}).items():
            found[name] = (*found.get(name, ()), float(value))
    return found


def _middle(values: Any) -> float | None:
    known = [float(x) for x in values if isinstance(x, (int, float))]
    return median(known) if known else None


def _factor(whole: Launch | None, part: Launch | None, name: str) -> float | None:
    if whole is None or part is None:
        return None
    one, other = getattr(whole, name), getattr(part, name)
    return one / other if one and other else None


def _controls(run: Run) -> tuple[Control, ...]:
    """All controls of a run, those without a slow-down first."""
    keys: dict[tuple[str, str], list[Launch]] = {}
    baselines: dict[str, list[Launch]] = {}
    for launch in run.launches:
        if launch.outcome != "ok" or launch.purpose != "timing" or launch.side:
            continue
        if launch.role == "baseline":
            baselines.setdefault(launch.group, []).append(launch)
        elif launch.role.startswith("control"):
            keys.setdefault((launch.role, launch.group), []).append(launch)
    verdicts = run.facts.get("controls") or {}
    found = []
    for (role, group), launches in sorted(keys.items()):
        effect = log_ratio(baselines.get(group, []), launches)
        verdict = verdicts.get(group) or {}
        injected = float(verdict.get("expected", 0.0)) if role == "control-slow" else 0.0
        if effect is not None:
            one = launches[0]
            passed = bool(verdict.get("passed", False))
            found.append(Control(one.configuration, one.scenario, injected, effect, passed))
    return tuple(found)
