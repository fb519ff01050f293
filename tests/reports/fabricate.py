"""Fabricated runs: launches drawn from known distributions, in a real run's folder."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bench.results.as_json import to_json
from bench.results.histogram import bucket
from bench.results.store import Run, RunFolder, read_run
from bench.results.values import Launch, Scenario, Turn

EXAMPLES = 400
ENVIRONMENT = {
    "cpu": "Example CPU at 2.0 GHz",
    "cores": 2,
    "memory_bytes": 8_000_000_000,
    "packages": {"tensorflow": "2.21.0", "numpy": "2.4.0"},
}


@dataclass
class Spec:
    """One scenario to fabricate."""

    id: str
    baseline: str | None = None
    speedup: float = 1.0
    """Against its baseline."""
    spread: float = 0.003
    """Sd of a launch's log effect."""
    outcome: str = "ok"
    reason: str = ""
    size: int | None = None
    gzip: int | None = None
    wrong: int = 10
    """Test examples it gets wrong, the last ones first."""
    first_step_s: float = 0.5
    memory: int = 50_000_000
    """Peak."""
    parameters: int | None = 100_000
    multiply_adds: int | None = 10_000_000
    deployment: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    summary: str = "A fabricated path."
    module: str = ""
    proof: Mapping[str, Any] = field(default_factory=dict)
    probes: Mapping[str, Any] = field(default_factory=dict)
    examples: int | None = None
    level: float = 1.0
    """Its time ÷ that of the plain path, where it has no baseline."""

    @property
    def kind(self) -> str:
        return self.id.split("/")[0]

    def scenario(self) -> Scenario:
        return Scenario(
            self.id,
            self.kind,  # type: ignore[arg-type]
            self.summary,
            self.module or f"scenarios.{self.kind}.module",
            "function",
            "module.py",
            1,
            self.baseline,
            deployment=self.deployment,
        )


CEILINGS = {
    "float32_flop_per_s": 1.0e11,
    "int8_op_per_s": 3.0e11,
    "l2_memory_bytes_per_s": 6.0e10,
    "dram_memory_bytes_per_s": 1.0e10,
}


def waiting(share: float) -> dict[str, float]:
    """Probes of an input pipeline for which a training step waits that share of its time."""
    return {
        "input_wait_share": share,
        "training_step_cached_ns": 40e6,
        "training_step_with_input_ns": 40e6 / (1 - share),
    }


PLAIN_NS = {"infer": 1.3e6, "train": 40e6, "input": 5e6}

TYPICAL = (
    Spec("infer/function", size=900_000, gzip=450_000, module="scenarios.infer.execution"),
    Spec("infer/eager", "infer/function", 0.13, module="scenarios.infer.execution"),
    Spec("infer/xla", "infer/function", 1.3, first_step_s=1.4, module="scenarios.infer.execution"),
    Spec("infer/litert-float32", "infer/function", 4.8, size=400_000, gzip=360_000,
         deployment=("other runtime",), module="scenarios.infer.litert"),
    Spec("infer/litert-int8", "infer/litert-float32", 2.6, size=110_000, gzip=90_000, wrong=12,
         deployment=("other runtime", "calibration data"), module="scenarios.infer.litert",
         proof={"int8_operations": 8, "arithmetic_operations": 8}),
    Spec("infer/pruned", "infer/function", 1.0, size=900_000, gzip=130_000, wrong=11,
         deployment=("retraining",), module="scenarios.infer.compression",
         proof={"sparsity": 0.801}),
    Spec("infer/separable", "infer/function", 1.5, size=300_000, gzip=110_000, wrong=13,
         parameters=25_000, multiply_adds=2_000_000, module="scenarios.infer.architecture"),
    Spec("infer/combined", "infer/litert-float32", 5.2, size=40_000, gzip=30_000, wrong=14,
         parameters=25_000, multiply_adds=2_000_000, deployment=("retraining", "other runtime"),
         module="scenarios.infer.architecture"),
    Spec("infer/tensorrt", "infer/function", outcome="unsupported",
         reason="no GPU: install an NVIDIA driver and libnvinfer 10",
         deployment=("special hardware", "other runtime")),
    *(Spec(f"infer/function-b{n}", speedup=1.0, examples=n, level=9 * n / (n + 9),
           size=900_000, gzip=450_000, module="scenarios.infer.execution")
      for n in (8, 32, 256)),
    Spec("train/function", first_step_s=1.2, module="scenarios.train.loops"),
    Spec("train/eager", "train/function", 0.2, first_step_s=0.4, module="scenarios.train.loops"),
    Spec("train/fit", "train/function", 0.99, spread=0.02, module="scenarios.train.loops"),
    Spec("train/xla", "train/function", 1.05, first_step_s=6.5, module="scenarios.train.compile"),
    Spec("train/mixed-float16", "train/function", 0.25, module="scenarios.train.precision"),
    Spec("input/memory", module="scenarios.input.pipelines"),
    Spec("input/map-serial", "input/memory", 0.4, probes=waiting(0.6),
         module="scenarios.input.pipelines"),
    Spec("input/prefetch", "input/map-serial", 1.7, probes=waiting(0.12),
         module="scenarios.input.pipelines"),
)  # fmt: skip


def typical(folder: Path, launches: int = 6, **more: Any) -> Run:
    """A run as a quick sweep on two cores gives it."""
    return fabricate(folder, TYPICAL, launches, **more)


def fabricate(
    folder: Path,
    specs: Sequence[Spec] = TYPICAL,
    launches: int = 6,
    turns: int = 12,
    configurations: Sequence[str] = ("cpu-1",),
    controls: bool = True,
    seed: int = 0,
    facts: Mapping[str, Any] | None = None,
    machine: float = 1.0,
) -> Run:
    """Write a run's folder and read it back.

    Args:
        folder: Its folder, made here.
        specs: The scenarios.
        launches: Timing launches a group.
        turns: Turns a launch.
        configurations: Where it ran.
        controls: Whether the plain scenario has its controls.
        seed: Of the draws.
        facts: Added to run.json.
        machine: Speed of the machine; latencies are divided by it, effects are not.
    """
    draw = np.random.default_rng(seed)
    made: list[Launch] = []
    for configuration in configurations:
        pace = 1.0 if configuration == "cpu-1" else 1.6
        made += _launches(specs, configuration, launches, turns, draw, machine * pace, controls)
    target = RunFolder.create(folder)
    target.write_facts(
        {
            "name": folder.name,
            "started": 1767323045.0,
            "ended": 1767323645.0,
            "settings": {"profile": "quick", "launches": launches},
            "configurations": [
                {"name": c, "threads": n + 1, "cpus": list(range(n + 1))}
                for n, c in enumerate(configurations)
            ],
            "workload": {"model": "cnn", "data": "digits", "batch": 32},
            "environment": ENVIRONMENT,
            "git": {"commit": "0123456789abcdef"},
            "scenarios": [to_json(spec.scenario()) for spec in specs],
            "command": "tfbench run --profile quick",
            "ceilings": {c: CEILINGS for c in configurations},
            "controls": {
                f"{kind}/function@{c}": {"expected": 0.05, "passed": True}
                for kind in ("infer", "train")
                for c in configurations
            },
            "warnings": [],
            **(facts or {}),
        }
    )
    target.append(made)
    run = read_run(folder)
    target.write_effects(run.effects.rows)
    return run


def _launches(
    specs: Sequence[Spec],
    configuration: str,
    launches: int,
    turns: int,
    draw: np.random.Generator,
    machine: float,
    controls: bool,
) -> list[Launch]:
    by_id = {spec.id: spec for spec in specs}
    parents = {spec.baseline for spec in specs} - {None}
    made: list[Launch] = []
    for spec in specs:
        if spec.outcome != "ok":
            made.append(
                Launch(spec.id, configuration, spec.baseline or spec.id, purpose="probe",
                       outcome=spec.outcome, reason=spec.reason)  # type: ignore[arg-type]
            )  # fmt: skip
            continue
        made.append(_probe(spec, configuration))
    groups = [s for s in specs if s.id in parents or not s.baseline]
    for group in groups:
        if group.outcome != "ok":
            continue
        members = [s for s in specs if s.baseline == group.id and s.outcome == "ok"]
        level = _level(group, by_id) / machine
        for index in range(launches):
            made += _group(group, members, configuration, index, turns, level, draw, controls)
    return made


def _level(spec: Spec, by_id: Mapping[str, Spec]) -> float:
    if spec.baseline and spec.baseline in by_id:
        return _level(by_id[spec.baseline], by_id) / spec.speedup
    return PLAIN_NS.get(spec.kind, 1e6) * spec.level


def _group(
    group: Spec,
    members: Sequence[Spec],
    configuration: str,
    index: int,
    turns: int,
    level: float,
    draw: np.random.Generator,
    controls: bool,
) -> list[Launch]:
    drift = np.exp(0.05 * np.cumsum(draw.normal(size=turns)))
    told = [(group, "baseline", 1.0)] + [(m, "candidate", 1 / m.speedup) for m in members]
    if controls and group.id in ("infer/function", "train/function"):
        told += [(group, "control-same", 1.0), (group, "control-slow", 1.05)]
    made = []
    for order, (spec, role, factor) in enumerate(told):
        spread = spec.spread if role == "candidate" else 0.002
        base = level * factor * math.exp(draw.normal(0, spread))
        noise = np.exp(draw.normal(0, 0.01, size=turns))
        steps = max(1, round(20e6 / base))
        taken = tuple(
            Turn(r, (order + r) % len(told), steps, int(base * drift[r] * noise[r] * steps))
            for r in range(turns)
        )
        histogram: dict[str, int] = {}
        if spec.kind == "infer":
            for value in base * np.exp(np.abs(draw.normal(0, 0.06, size=60))):
                histogram[bucket(value)] = histogram.get(bucket(value), 0) + 1
        made.append(
            Launch(
                spec.id,
                configuration,
                f"{group.id}@{configuration}",
                role,  # type: ignore[arg-type]
                index=index,
                start_order=order,
                turns=taken,
                warmup_turns=tuple(
                    Turn(k, 0, 1, int(base * (1 + 8 * math.exp(-k)))) for k in range(8)
                ),
                latency_histogram=histogram,
                examples_per_step=spec.examples or (1 if spec.kind == "infer" else 32),
                build_s=0.2,
                first_step_s=spec.first_step_s,
                cpu_share=0.99,
                waiting_cpu_share=0.001,
                probes=spec.probes,
                warnings=spec.warnings,
            )
        )
    return made


def _probe(spec: Spec, configuration: str) -> Launch:
    truth = [k % 10 for k in range(EXAMPLES)]
    right = [int(k < EXAMPLES - spec.wrong) for k in range(EXAMPLES)]
    quality = spec.kind != "input"
    return Launch(
        spec.id,
        configuration,
        spec.baseline or spec.id,
        "candidate" if spec.baseline else "baseline",
        "probe",
        artifact_bytes=spec.size,
        artifact_gzip_bytes=spec.gzip,
        peak_memory_bytes=spec.memory + 1_000_000 * len(spec.id),
        parameters=spec.parameters,
        multiply_adds=spec.multiply_adds if spec.kind == "infer" else None,
        accuracy=sum(right) / EXAMPLES if quality else None,
        final_loss=0.05 if spec.kind == "train" else None,
        predictions=tuple(t if r else (t + 1) % 10 for t, r in zip(truth, right, strict=True))
        if quality
        else (),
        correct=tuple(right) if quality else (),
        proof=spec.proof,
        probes={"flops_per_step": 2.0 * spec.multiply_adds, "bytes_per_step": 2e6}
        if spec.kind == "infer" and spec.multiply_adds
        else {},
    )


def renamed(spec: Spec, **changes: Any) -> Spec:
    """The spec with changes."""
    return dataclasses.replace(spec, **changes)
