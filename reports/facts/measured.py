"""What a run measured, as values: a row for each scenario and configuration, and all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from bench.results import statistics
from bench.results.histogram import histogram_quantile
from bench.results.quality import Quality
from bench.results.store import Run
from bench.results.values import Effect, Estimate, Launch, Scenario

PLAIN = {"infer": "infer/function", "train": "train/function"}
"""The plain model that the reference guide's effect table compares with, and the plain loop."""


@dataclass(frozen=True)
class Measured:
    """One scenario in one configuration. What is not known is None; a failed row has little."""

    effect: Effect
    info: Scenario | None
    launches: tuple[Launch, ...]
    root: str
    """The plain path at the end of its chain of baselines."""
    timed: tuple[Launch, ...] = ()
    probe: Launch | None = None
    log_ratio: Estimate | None = None
    """ln(time ÷ its baseline's)."""
    against_root: Estimate | None = None
    """Speed-up against the root, chained over the baselines in between."""
    launch_effects: tuple[float, ...] = ()
    """ln(time ÷ its baseline's) of each launch that both took part in."""
    latency: Estimate | None = None
    """Of one update or answer, ns; over launches."""
    quality: Quality | None = None
    step_change: Estimate | None = None
    """Its quality minus its baseline's, on the same test examples."""
    quality_change: Estimate | None = None
    """Its quality minus the root's, on the same test examples."""
    worst_class: tuple[str, float] | None = None
    """The class (or tag) that loses most against the root, and the change of its share."""
    file_factor: float | None = None
    """Root's file ÷ its own: above 1 is smaller."""
    gzip_factor: float | None = None
    """The same of the compressed files."""
    multiply_add_factor: float | None = None
    """Root's multiply-adds ÷ its own."""
    work_factor: float | None = None
    """Its multiply-adds ÷ its baseline's."""
    histogram: Mapping[str, int] = field(default_factory=dict)
    """Of single steps, all launches together."""
    precision: str = "float32"
    """Number type of most of its products."""
    ceiling_share: float | None = None
    """Of the machine's peak of that type."""
    type_factor: float | None = None
    """The machine's peak of that type ÷ that of float32."""
    operations_per_s: float | None = None
    operations_per_byte: float | None = None
    """Of memory traffic, as counted."""
    waiting_share: float | None = None
    """Share of a training step that waits for this input pipeline: median over launches."""
    input_step_ns: tuple[float, float] | None = None
    """Of a training step with this input pipeline: its time on a cached batch, and what is added to
    it; medians over launches."""
    load: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """What a load generator measured, by name: a value a launch."""

    @property
    def scenario(self) -> str:
        """Its id."""
        return self.effect.scenario

    @property
    def configuration(self) -> str:
        """Where it ran."""
        return self.effect.configuration

    @property
    def anchor(self) -> str:
        """Key of its details."""
        return f"{self.scenario} {self.configuration}".strip()

    @property
    def ok(self) -> bool:
        """Whether it has figures."""
        return self.effect.status == "ok"

    @property
    def kind(self) -> str:
        """train, infer, input or serve."""
        return self.info.kind if self.info else self.scenario.split("/")[0]

    @property
    def family(self) -> str:
        """The module that it comes from: `litert`, `loops` and so on."""
        return self.info.module.rpartition(".")[2] if self.info else self.kind

    @cached_property
    def speedup(self) -> Estimate | None:
        """Against its baseline."""
        return statistics.as_speedup(self.log_ratio) if self.log_ratio else None

    def gain(self, relative: bool = False) -> Estimate | None:
        """Its quality's gain over the root's, negative where it loses: see `Quality.gain`."""
        if self.quality is None or self.quality_change is None:
            return None
        return self.quality.gain(self.quality_change, relative)

    @property
    def disagreement(self) -> float | None:
        """How far its answers are from the plain model's, where no label says which are right.

        Share of test examples with another class; else the largest relative error of an output.
        """
        if self.quality is not None or self.probe is None:
            return None
        if self.effect.agreement is not None:
            return 1 - self.effect.agreement
        found = self.probe.agreement.items()
        errors = [x for name, x in found if name.rpartition("/")[2] == "relative_error"]
        return max(errors, default=None)

    def loss_percent(self, relative: bool = False) -> float | None:
        """What it loses of the root's quality: percentage points of a share, else percent.

        Without labels, how far its answers are from the root's.

        Args:
            relative: Percent of the root's quality also where that is a share.
        """
        gain = self.gain(relative)
        if gain is not None:
            return -100 * gain.value
        if self.disagreement is not None:
            return 100 * self.disagreement
        return 0.0 if self.scenario == self.root else None

    @property
    def gzip_bytes(self) -> int | None:
        """Of what would be shipped, compressed."""
        return self.probe.artifact_gzip_bytes if self.probe else None

    @property
    def examples_per_unit(self) -> float:
        """Examples in one update or answer."""
        return self.timed[0].examples_per_step / self.timed[0].updates_per_step

    @property
    def samples(self) -> int:
        """Single steps behind the quantiles."""
        return sum(self.histogram.values())

    def quantile_ns(self, quantile: float) -> float | None:
        """A quantile of single steps, None without the samples that bound it with 95 %."""
        if quantile > 0.5:
            return statistics.bounded_quantile(self.histogram, quantile)
        return histogram_quantile(self.histogram, quantile)


@dataclass(frozen=True)
class Control:
    """The baseline against itself, or against itself with a known slow-down."""

    configuration: str
    baseline: str
    injected: float
    """Slow-down put into the step, as a share; 0 for the baseline against itself."""
    effect: Estimate
    """ln(time ÷ baseline's time)."""
    passed: bool
    """As the run judged its controls when it ended."""


@dataclass(frozen=True)
class Facts:
    """All that a run says; made by `reports.facts.derive.facts_of`."""

    run: Run
    all: tuple[Measured, ...]
    """Every scenario and configuration of the run, in its order."""
    across: Mapping[tuple[str, str, str], Estimate]
    """Time in the first configuration ÷ in the other, where both took turns live: by scenario,
    first and other configuration."""
    controls: tuple[Control, ...]

    @cached_property
    def _by_key(self) -> dict[tuple[str, str], Measured]:
        return {(m.scenario, m.configuration): m for m in self.all}

    def get(self, scenario: str, configuration: str) -> Measured | None:
        """One of them, None where it was not run."""
        return self._by_key.get((scenario, configuration))

    def of(self, kind: str, configuration: str | None = None) -> list[Measured]:
        """Those of a kind, in all configurations or one."""
        chosen = (m for m in self.all if m.kind == kind)
        return [m for m in chosen if configuration in (None, m.configuration)]

    @cached_property
    def configurations(self) -> tuple[str, ...]:
        """Configurations that have rows."""
        return tuple(dict.fromkeys(m.configuration for m in self.all))

    def first(self, kind: str) -> list[Measured]:
        """Rows with figures of a kind, in the first configuration that has any."""
        rows = [m for m in self.of(kind) if m.ok]
        return [m for m in rows if m.configuration == rows[0].configuration]

    @cached_property
    def pareto(self) -> frozenset[tuple[str, str]]:
        """Inference rows that no other row of the configuration and root beats in all three.

        Compared are latency, compressed size and quality; rows that lack one are left out.
        """
        front = set()
        rows = [m for m in self.of("infer") if _criteria(m)]
        for m in rows:
            rivals = (x for x in rows if (x.configuration, x.root) == (m.configuration, m.root))
            if not any(dominates(_criteria(x), _criteria(m)) for x in rivals):
                front.add((m.scenario, m.configuration))
        return frozenset(front)

    def ceilings(self, configuration: str) -> dict[str, Any]:
        """The machine's measured ceilings in a configuration; empty where none were measured."""
        return ceilings_of(self.run, configuration)


def ceilings_of(run: Run, configuration: str) -> dict[str, Any]:
    """See `Facts.ceilings`."""
    found = run.facts.get("ceilings") or {}
    one = found.get(configuration) if isinstance(found, dict) else None
    return one if isinstance(one, dict) else {}


def of_one_root(rows: Iterable[Measured], kind: str = "") -> list[Measured]:
    """Rows of one root (the kind's plain scenario, else the commonest), so that they compare."""
    rows = list(rows)
    roots = [m.root for m in rows]
    plain = PLAIN.get(kind, "")
    root = plain if plain in roots else max(dict.fromkeys(roots), key=roots.count, default="")
    return [m for m in rows if m.root == root]


def by_family(rows: Iterable[Measured]) -> list[Measured]:
    """Rows with those of a family together, families in order of appearance."""
    groups: dict[str, list[Measured]] = {}
    for m in rows:
        groups.setdefault(m.family, []).append(m)
    return [m for group in groups.values() for m in group]


def dominates(one: tuple[float, ...] | None, other: tuple[float, ...] | None) -> bool:
    """Whether one is at least as good in everything and better in something (less is better)."""
    if one is None or other is None:
        return False
    return all(a <= b for a, b in zip(one, other, strict=True)) and one != other


def _criteria(m: Measured) -> tuple[float, ...] | None:
    found, size = m.quality, m.gzip_bytes
    if m.effect.latency_ns is None or size is None or found is None:
        return None
    worse = -found.value if found.larger_is_better else found.value
    return (m.effect.latency_ns, float(size), worse)
