"""`tfbench diagnose`: what bounds a path, how that is known, and what to try next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from bench.explain import diagnose as diagnose_
from bench.explain.diagnose import Diagnosis, NextStep
from bench.explain.verdict import BALANCED, BOUNDS
from bench.sweep import settings as settings_
from bench.sweep.progress import reporter
from tfbench.screen.answer import answer
from tfbench.screen.terminal import Console

DONE = {
    "cached": "on one batch again and again",
    "pipeline": "without its computation",
    "half": "on half a batch",
    "one core": "on one core",
    "graph": "as one tf.function",
    "products": "with its matrix products alone",
    "twice": "with each matrix product done twice",
    "silent": "without communication",
}
"""What was done to the step of a variant."""


def diagnose(
    path: str,
    flags: Mapping[str, Any],
    file: Path | None,
    steps: int,
    devices: int | None = None,
    console: Console | None = None,
    as_json: bool = False,
) -> int:
    """Print the diagnosis of a path in each configuration; returns the exit code 0.

    Args:
        path: A scenario's id, or `file.py:function` that takes the workload and returns a path.
        flags: Settings that win over the file's (configuration, data, model, ...).
        file: The settings file.
        steps: Most next steps to measure; 0: none.
        devices: Logical devices for a path of the user's own that has replicas.
        console: Where to print.
        as_json: Print one object instead.

    Raises:
        TfbenchError: Wrong usage, or the path cannot be taken apart.
    """
    out = console or Console()
    settings = settings_.load(file, flags)
    subject = diagnose_.subject(path, settings.folders)
    answers = []
    for configuration in settings.configurations:
        found = diagnose_.diagnose(subject, settings, configuration, devices)
        tried: Sequence[NextStep] = ()
        if not as_json:
            show(found, out)
        if steps:
            with reporter(Console(stderr=True)) as progress:
                tried = diagnose_.next_steps(found, subject.kind, settings, progress, steps)
            if not as_json:
                show_steps(tried, out)
        answers.append(_answer(found, tried))
    if as_json:
        answer("diagnose", diagnoses=answers)
    return 0


def _answer(found: Diagnosis, tried: Sequence[NextStep]) -> dict[str, Any]:
    """A diagnosis for programs; its trace is in a run's folder."""
    return {
        "subject": found.subject, "configuration": found.configuration, "step_s": found.step_s,
        "verdict": found.verdict, "missing": found.missing, "warnings": found.warnings,
        "next_steps": tried,
    }  # fmt: skip


def show(found: Diagnosis, out: Console) -> None:
    """Print shares, verdict and evidence."""
    judged = found.verdict
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("share of a step", "by ablation", "by trace", "what it is"):
        table.add_column(name, justify="left" if name[0] != "b" else "right")
    for name, meaning in BOUNDS.items():
        table.add_row(
            name, _percent(judged.ablation.get(name)), _percent(judged.traced.get(name)), meaning
        )
    out.print(f"{found.subject} in {found.configuration}: a step takes {1e3 * found.step_s:.3g} ms")
    out.print(table)
    bound = "no single bottleneck" if judged.bound == BALANCED else BOUNDS[judged.bound]
    out.print(
        f"verdict: {judged.bound} ({bound}); confidence {judged.confidence}: "
        f"{judged.agreeing_rounds} of {judged.rounds} rounds agree"
    )
    missing = (f"no time of the step {DONE[name]}: {why}" for name, why in found.missing.items())
    warnings = (f"warning: {warning}" for warning in found.warnings)
    for note in (*judged.notes, *missing, *warnings):
        out.print(f"  {note}", highlight=False, markup=False)


def show_steps(tried: Sequence[NextStep], out: Console) -> None:
    """Print the next steps with their measured effects, in the reference guide's order."""
    if not tried:
        out.print("next steps: none of the scenarios addresses this bound")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("next step", "scenario", "measured", "against"):
        table.add_column(name)
    for step in tried:
        table.add_row(step.name, step.scenario, _gain(step), step.against)
    out.print(table)


def _gain(step: NextStep) -> str:
    if step.speedup is None:
        return step.reason
    said = f"{step.speedup:.2f}× as fast"
    return said if step.accuracy_pp is None else f"{said}, accuracy {step.accuracy_pp:+.1f} pp"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.0f} %"
