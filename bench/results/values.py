"""The value types that sweep, launch, guard and reports exchange; units are in the names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["train", "infer", "input", "serve"]
Outcome = Literal["ok", "unsupported", "failed", "timeout"]
Pass = Literal["timing", "probe", "trace"]
Role = Literal["baseline", "candidate", "control-same", "control-slow"]


@dataclass(frozen=True)
class Scenario:
    """What a scenario's source says of it, read without importing it."""

    id: str
    kind: Kind
    summary: str
    module: str
    function: str
    path: str
    """Of its source, below the folder that holds `scenarios`."""
    line: int
    baseline: str | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    """Keyword arguments of this variant of the function."""
    needs: tuple[str, ...] = ()
    """`gpu`, `tpu`, `package:NAME`, `tensorflow<2.18`, `tensorflow>=2.20`."""
    keras: int = 3
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables that must be set before TensorFlow is imported."""
    devices: int = 1
    """Devices wanted; logical CPU devices where there are fewer GPUs."""
    unit: Literal["step", "job"] = "step"
    """`job`: one step is the whole job, so a launch times it once."""
    follows: Literal["float32", "float16", "bfloat16", "int8"] | None = None
    """Precision within which losses (train) or outputs (infer) must follow the baseline's."""
    inputs_in: Literal["int8"] | None = None
    """Precision that it rounds the inputs to, each on one scale for all of its columns."""
    deployment: tuple[str, ...] = ()
    """Facts the deployment difficulty is derived from: `retraining`, `calibration data`, ..."""
    suite: Literal["quick", "full"] = "quick"
    """The smallest profile that selects it when no ids are given."""
    first: bool = False
    """It is measured before the others: the reference guide's effect table has a row for it."""

    @property
    def path_kind(self) -> str:
        """`kind`, with `infer-runtime` for inference by another runtime than TensorFlow's."""
        return f"{self.kind}-runtime" if "other runtime" in self.deployment else self.kind


@dataclass(frozen=True)
class Configuration:
    """Where a launch runs."""

    name: str
    threads: int
    """Threads of every pool (intra-op, LiteRT, ONNX Runtime, ...)."""
    cpus: tuple[int, ...]
    """Cores that the launch is pinned to."""
    device: str = "cpu"
    environment: Mapping[str, str] = field(default_factory=dict)
    python: str = ""
    """Interpreter of its launches; empty: the sweep's own."""


@dataclass(frozen=True)
class WorkloadSpec:
    """Names the workload; the launch builds it from this."""

    data: str = "digits"
    model: str = "cnn"
    batch: int = 32
    seed: int = 0
    epochs: int = 0
    """Epochs of the baseline's training; 0: chosen from the size of the data."""
    training: int = 0
    """Repeated trainings are numbered: each has other initial weights and another order of batches,
    of the same data. The first, 0, is the one that all scenarios share."""
    comparable: bool = False
    """Losses are to be compared with another path's: models draw no random numbers."""
    disturbed: str = ""
    """A precision whose rounding moves a comparable workload's initial weights; empty: none."""
    disturbance: int = 0
    """Its number: each moves other weights up and down."""
    cache: str = ""
    """Folder of the trained models and converted artifacts; empty: the user's cache folder."""
    task: str = "auto"
    """`classification`, `binary`, `multilabel`, `regression`, `segmentation` or `other`; `auto`:
    inferred from outputs, labels and what the model was compiled with."""
    metric: str = ""
    """Name of the quality's metric, or FILE.py:function(y_true, y_pred); empty: the task's own."""
    target: str = ""
    """Column of a table that is to be predicted."""
    signature: str = ""
    """Of a SavedModel; empty: `serving_default`, or its only one."""
    weights: str = ""
    """File of weights for an architecture that is given by name."""
    take: int = 0
    """Examples drawn from a dataset at most; 0: all of them."""
    factory: str = ""
    """FILE.py:function that returns data, model and task together."""
    train_budget_s: float = 0.0
    """Time that a technique's own training may take; 0: no limit."""
    safe: bool = False
    """Refuse a model's file whose loading runs code of its own."""
    workloads: str = "scenarios.core.launching:Workloads"
    """Names what makes the workload inside a launch (`bench.launch.workloads`)."""


@dataclass(frozen=True)
class Turn:
    """One timed block of steps."""

    round: int
    position: int
    steps: int
    elapsed_ns: int
    delayed_ns: int = 0
    """Time its threads could have run but other programs had the core, summed over threads."""

    @property
    def step_ns(self) -> float:
        """Mean time of a step in this turn, ns."""
        return self.elapsed_ns / self.steps


@dataclass(frozen=True)
class Launch:
    """All that one fresh process reported of one scenario in one configuration."""

    scenario: str
    configuration: str
    group: str = ""
    """The baseline's scenario id."""
    role: Role = "candidate"
    purpose: Pass = "timing"
    index: int = 0
    """Number of the group's launch."""
    side: str = ""
    """Which version of the code or environment (the guard's `base` and `head`)."""
    outcome: Outcome = "ok"
    reason: str = ""
    start_order: int = 0
    """Place in which this member was built and started in its group."""
    turns: tuple[Turn, ...] = ()
    level: float | None = None
    """ln(step time, ns) of this launch, freed from the drift that its group's members share."""
    warmup_turns: tuple[Turn, ...] = ()
    steady: bool = True
    latency_histogram: Mapping[str, int] = field(default_factory=dict)
    """Count of single steps by bucket b, exp(b / 500) ns: 0.2 % wide."""
    examples_per_step: int = 0
    updates_per_step: int = 1
    build_s: float | None = None
    first_step_s: float | None = None
    peak_memory_bytes: int | None = None
    peak_device_memory_bytes: int | None = None
    artifact_bytes: int | None = None
    artifact_gzip_bytes: int | None = None
    parameters: int | None = None
    multiply_adds: int | None = None
    """Of one example's forward pass."""
    accuracy: float | None = None
    """Of a training path: of the first of its trainings."""
    accuracies: tuple[float, ...] = ()
    """Of a training path: of each of its trainings, in the order of `WorkloadSpec.training`."""
    final_loss: float | None = None
    predictions: tuple[int, ...] = ()
    """Predicted class of each test example, in the order of the test half."""
    correct: tuple[int, ...] = ()
    """1 where the prediction was right, else 0."""
    losses: tuple[float, ...] = ()
    """Losses of the first updates from the shared initial weights on a comparable workload."""
    step_losses: tuple[float, ...] = ()
    """What the first steps returned, with dropout and all."""
    outputs: tuple[float, ...] = ()
    """Outputs on fixed inputs, flattened."""
    cpu_share: float | None = None
    """CPU time ÷ wall time while its turns ran, in cores."""
    waiting_cpu_share: float | None = None
    """CPU time ÷ wall time while others' turns ran, in cores."""
    proof: Mapping[str, Any] = field(default_factory=dict)
    """Facts that show the technique engaged."""
    probes: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    output: str = ""
    """The end of what the launch printed, kept when it did not end well."""
    started_s: float = 0.0
    """Unix time."""
    wall_s: float = 0.0
    quality_metric: str = ""
    """Name of the metric that `quality` is measured by."""
    quality_unit: str = ""
    quality_larger_is_better: bool = True
    quality: float | None = None
    """On the test examples; of a training path: of the first of its trainings."""
    quality_examples: int = 0
    """Independent test examples that it was measured on (of a series: blocks of them)."""
    qualities: tuple[float, ...] = ()
    """Of a training path: of each of its trainings, in the order of `WorkloadSpec.training`."""
    scores: tuple[float, ...] = ()
    """Of each test example, where the quality is their mean: 0 or 1, or a real number."""
    answers: tuple[float, ...] = ()
    """The quality on resampled test examples, where it is one of the whole set: the draws are the
    same in every launch, so that those of two paths are paired."""
    answer_step: float = 0.0
    """What the quality typically changes by where one example's answer changes; 0: it is smooth."""
    other_qualities: Mapping[str, float] = field(default_factory=dict)
    """The same answers by the task's other metrics."""
    class_qualities: Mapping[str, float] = field(default_factory=dict)
    """Share of each class's (or tag's) test examples that was classified correctly."""
    agreement: Mapping[str, float] = field(default_factory=dict)
    """With the original network's outputs: `top1` and the `top1_chance` that random choices hardly
    exceed, `relative_error`, `snr_db`, `correlation` over the examples, `correlation_chance` and
    `variation`, and how many classes or outputs are `displaced`; of several outputs each as
    `NAME/top1`, …; `not_finite` is the share of values that
    are infinite or none, where the original's are not; what ends in `@rounded_inputs` is the
    original's own when its inputs are rounded to 8 bits, on `examples` of the test examples"""
    outputs_named: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """Outputs on fixed inputs by name, flattened, where there are several."""


@dataclass(frozen=True)
class Estimate:
    """An estimate with its two-sided interval."""

    value: float
    low: float
    high: float
    launches: int
    confidence: float = 0.95


@dataclass(frozen=True)
class Effect:
    """One row of effects.csv: a scenario in a configuration against its baseline."""

    scenario: str
    configuration: str
    baseline: str = ""
    status: str = "ok"
    reason: str = ""
    latency_ns: float | None = None
    throughput_per_s: float | None = None
    speedup: float | None = None
    speedup_low: float | None = None
    speedup_high: float | None = None
    size_bytes: int | None = None
    size_ratio: float | None = None
    accuracy: float | None = None
    accuracy_delta_pp: float | None = None
    peak_memory_bytes: int | None = None
    first_step_s: float | None = None
    break_even_steps: float | None = None
    difficulty: str = ""
    warnings: tuple[str, ...] = ()
    quality_metric: str = ""
    quality: float | None = None
    quality_delta: float | None = None
    """Against its baseline's, on the same test examples; in the metric's unit, shares as shares."""
    quality_delta_low: float | None = None
    quality_delta_high: float | None = None
    agreement: float | None = None
    """Share of test examples where it predicts the same class as the plain model."""
    p50_ns: float | None = None
    """Of single steps, as are the following; None where too few samples bound it."""
    p95_ns: float | None = None
    p99_ns: float | None = None
