"""From launches to effects: each scenario against its baseline, one row a configuration."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from statistics import median
from typing import Any

from bench.results import statistics
from bench.results.difficulty import difficulty
from bench.results.quality import agreement, columns
from bench.results.values import Effect, Estimate, Launch, Scenario

LEFT_OUT = "turns_left_out"
"""The probe of a launch that counts its turns in which the machine stood still."""
STOOD_STILL = "the machine or its processes stood still"


class Effects:
    """The effects of a run's launches.

    Args:
        launches: All launches of the run.
        scenarios: What their source says of them, by id.
        run_warnings: Shown in every row (a failed control, say).
    """

    def __init__(
        self,
        launches: Sequence[Launch],
        scenarios: Mapping[str, Scenario],
        run_warnings: Sequence[str] = (),
    ) -> None:
        self.launches = tuple(launches)
        self.scenarios = scenarios
        self.run_warnings = tuple(run_warnings)

    @cached_property
    def rows(self) -> tuple[Effect, ...]:
        """One row a scenario and configuration, in the order of the run."""
        seen: dict[tuple[str, str], None] = {}
        for launch in self.launches:
            if launch.role in ("baseline", "candidate") and not launch.side:
                seen.setdefault((launch.scenario, launch.configuration))
        order = {name: i for i, name in enumerate(self.scenarios)}
        keys = sorted(seen, key=lambda key: (order.get(key[0], len(order)), key[1]))
        return tuple(self._row(*key) for key in keys)

    @cached_property
    def _rows(self) -> dict[tuple[str, str], Effect]:
        return {(row.scenario, row.configuration): row for row in self.rows}

    def row(self, scenario: str, configuration: str) -> Effect | None:
        """The row of a scenario in a configuration, None where it was not run."""
        return self._rows.get((scenario, configuration))

    @cached_property
    def configurations(self) -> tuple[str, ...]:
        """The configurations of the run, in order of appearance."""
        return tuple(dict.fromkeys(launch.configuration for launch in self.launches))

    def root(self, scenario: str) -> str:
        """The plain path at the end of its chain of baselines (itself where it has none)."""
        seen = {scenario}
        while (info := self.scenarios.get(scenario)) and info.baseline:
            if info.baseline in seen:
                return scenario
            scenario = info.baseline
            seen.add(scenario)
        return scenario

    # --- launches -----------------------------------------------------------------------------

    @cached_property
    def _index(self) -> dict[tuple[str, str, str], list[Launch]]:
        index: dict[tuple[str, str, str], list[Launch]] = {}
        for launch in self.launches:
            if launch.role in ("baseline", "candidate") and not launch.side:
                key = (launch.scenario, launch.configuration, launch.purpose)
                index.setdefault(key, []).append(launch)
        return index

    def of(self, scenario: str, configuration: str, purpose: str) -> list[Launch]:
        """The launches of one scenario, configuration and purpose."""
        return self._index.get((scenario, configuration, purpose), [])

    def timed(self, scenario: str, configuration: str) -> list[Launch]:
        """Its timing launches that went well."""
        launches = self.of(scenario, configuration, "timing")
        return [launch for launch in launches if launch.outcome == "ok" and launch.turns]

    def probe(self, scenario: str, configuration: str) -> Launch | None:
        """Its probe launch that went well."""
        probes = self.of(scenario, configuration, "probe")
        return next((launch for launch in probes if launch.outcome == "ok"), None)

    def histogram(self, scenario: str, configuration: str) -> dict[str, int]:
        """Of its single steps, all launches together."""
        total: Counter[str] = Counter()
        for launch in self.timed(scenario, configuration):
            total.update(launch.latency_histogram)
        return dict(total)

    # --- effects ------------------------------------------------------------------------------

    def log_ratio(self, scenario: str, baseline: str, configuration: str) -> Estimate | None:
        """ln(time ÷ baseline's time per example), over the launches both took turns in."""
        own = [x for x in self.timed(scenario, configuration) if x.role == "candidate"]
        return log_ratio(_baselines(self.timed(baseline, configuration)), own)

    def against(self, scenario: str, root: str, configuration: str) -> Estimate | None:
        """ln(time ÷ root's time), chained over the baselines in between; None where not linked."""
        total, current, seen = Estimate(0.0, 0.0, 0.0, 10**6), scenario, set[str]()
        while current != root:
            info = self.scenarios.get(current)
            if info is None or not info.baseline or current in seen:
                return None
            seen.add(current)
            step = self.log_ratio(current, info.baseline, configuration)
            if step is None:
                return None
            total = statistics.chained(total, step)
            current = info.baseline
        return total

    def across(self) -> dict[tuple[str, str, str], Estimate]:
        """ln(time in one configuration ÷ time in the run's first), where both took turns live.

        Returns:
            By (scenario, first configuration, other configuration).
        """
        found: dict[tuple[str, str, str], Estimate] = {}
        sided = [x for x in self.launches if x.side == x.configuration and x.turns]
        for name in dict.fromkeys(x.group for x in sided):
            group = [x for x in sided if x.group == name and x.outcome == "ok"]
            base = _baselines(group)
            for other in dict.fromkeys(x.side for x in group if x.role == "candidate"):
                effect = log_ratio(base, [x for x in group if x.side == other])
                if base and effect is not None:
                    found[base[0].scenario, base[0].side, other] = effect
        return found

    def latency_ns(self, scenario: str, configuration: str) -> float | None:
        """Median over launches of the median turn's time of one update or answer, ns."""
        values = [
            median(turn.step_ns for turn in launch.turns) / launch.updates_per_step
            for launch in self.timed(scenario, configuration)
        ]
        return median(values) if values else None

    def first_step_s(self, scenario: str, configuration: str) -> float | None:
        """Median over launches of the first step: trace, compile and run, s."""
        launches = self.timed(scenario, configuration)
        values = [x.first_step_s for x in launches if x.first_step_s is not None]
        return median(values) if values else None

    # --- rows ---------------------------------------------------------------------------------

    def _row(self, scenario: str, configuration: str) -> Effect:
        info = self.scenarios.get(scenario)
        baseline = (info.baseline if info else None) or ""
        status, reason = self._status(scenario, configuration)
        if status != "ok":
            return Effect(scenario, configuration, baseline, status, reason)
        timed = self.timed(scenario, configuration)
        latency = self.latency_ns(scenario, configuration)
        example = timed[0]
        per_update = example.examples_per_step / example.updates_per_step
        probe = self.probe(scenario, configuration)
        base_probe = self.probe(baseline, configuration) if baseline else None
        effect = self.log_ratio(scenario, baseline, configuration) if baseline else None
        speed = statistics.as_speedup(effect) if effect else None
        known = speed is not None and speed.launches > 1
        size, base_size = _size(probe), _size(base_probe)
        return Effect(
            scenario,
            configuration,
            baseline,
            latency_ns=latency,
            throughput_per_s=per_update * 1e9 / latency if latency else None,
            speedup=speed.value if speed else None,
            speedup_low=speed.low if speed and known else None,
            speedup_high=speed.high if speed and known else None,
            size_bytes=size,
            size_ratio=size / base_size if size and base_size else None,
            peak_memory_bytes=probe.peak_memory_bytes if probe else None,
            first_step_s=self.first_step_s(scenario, configuration),
            break_even_steps=self._break_even(scenario, baseline, configuration, effect),
            difficulty=difficulty(info.deployment) if info and info.kind == "infer" else "",
            warnings=tuple(dict.fromkeys(self._warnings(scenario, baseline, configuration, speed))),
            agreement=agreement(self._plain_probe(scenario, configuration), probe),
            **columns(base_probe, probe),
            **self._quantiles(scenario, configuration),
        )

    def _plain_probe(self, scenario: str, configuration: str) -> Launch | None:
        root = self.root(scenario)
        return self.probe(root, configuration) if root != scenario else None

    def _quantiles(self, scenario: str, configuration: str) -> dict[str, Any]:
        """p50, p95 and p99 of single steps; of several updates at once there are none."""
        if any(launch.updates_per_step > 1 for launch in self.timed(scenario, configuration)):
            return {}
        steps = self.histogram(scenario, configuration)
        return {f"p{q}_ns": statistics.bounded_quantile(steps, q / 100) for q in (50, 95, 99)}

    def _status(self, scenario: str, configuration: str) -> tuple[str, str]:
        probes = self.of(scenario, configuration, "probe")
        timings = self.of(scenario, configuration, "timing")
        for launches in (probes, timings):
            bad = next((x for x in launches if x.outcome != "ok"), None)
            good = [x for x in launches if x.outcome == "ok"]
            if bad is not None and not good:
                return bad.outcome, bad.reason
        if not self.timed(scenario, configuration):
            return "failed", "no launch of it took turns"
        return "ok", ""

    def _break_even(
        self, scenario: str, baseline: str, configuration: str, effect: Estimate | None
    ) -> float | None:
        """Steps after which its longer first step has paid off; None where it never does."""
        first = self.first_step_s(scenario, configuration)
        base_first = self.first_step_s(baseline, configuration) if baseline else None
        base_latency = self.latency_ns(baseline, configuration) if baseline else None
        if first is None or base_first is None or base_latency is None or effect is None:
            return None
        saving_s = base_latency * 1e-9 * (1 - math.exp(effect.value))
        extra_s = first - base_first
        if extra_s <= 0 and saving_s >= 0:
            return 0.0
        return extra_s / saving_s if saving_s > 0 else None

    def _warnings(
        self, scenario: str, baseline: str, configuration: str, speed: Estimate | None
    ) -> Iterator[str]:
        yield from self.run_warnings
        timings = self.of(scenario, configuration, "timing")
        lost = [launch for launch in timings if launch.outcome != "ok"]
        if lost:
            yield f"{len(lost)} of {len(timings)} launches {lost[0].outcome}: {lost[0].reason}"
        unsteady = sum(not launch.steady for launch in self.timed(scenario, configuration))
        if unsteady:
            yield f"{unsteady} of {len(timings)} launches were not steady after warm-up"
        yield from left_out(timings)
        if speed is not None and speed.launches == 1:
            yield "a single launch: no interval"
        if baseline and speed is None:
            yield f"no launch shared with its baseline {baseline}: no speed-up"
        for launch in (*timings, *self.of(scenario, configuration, "probe")):
            yield from launch.warnings


def left_out(launches: Iterable[Launch]) -> Iterator[str]:
    """That turns were left out, and how many, where there were any."""
    if count := sum(launch.probes.get(LEFT_OUT) or 0 for launch in launches):
        yield f"turns left out, for {STOOD_STILL} in them: {count}"


def log_ratio(baselines: Iterable[Launch], candidates: Iterable[Launch]) -> Estimate | None:
    """ln(candidate's time ÷ baseline's time per example), paired by group and launch number."""
    base = {(x.group, x.index): x for x in baselines}
    values, orders = [], []
    for own in candidates:
        other = base.get((own.group, own.index))
        if other is None:
            continue
        value = launch_effect(other, own)
        if value is not None:
            values.append(value)
            orders.append(int(own.start_order < other.start_order))
    return statistics.over_launches(values, orders) if values else None


def launch_effect(base: Launch, own: Launch) -> float | None:
    """ln(time ÷ base's time per example) in one launch of the group that both belong to.

    By their levels among all members; from the rounds that both took part in where a run was
    recorded without levels.
    """
    examples = base.examples_per_step or 1, own.examples_per_step or 1
    if base.level is None or own.level is None:
        return statistics.launch_log_ratio(base.turns, own.turns, *examples)
    return own.level - base.level - math.log(examples[1] / examples[0])


def _baselines(launches: Iterable[Launch]) -> list[Launch]:
    return [launch for launch in launches if launch.role == "baseline"]


def _size(launch: Launch | None) -> int | None:
    return launch.artifact_bytes if launch else None
