"""`tfbench recommend`: the best scenario of a run under constraints."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.results.errors import UsageError
from tfbench.command.options import Json, MaxLoss, ScenarioFolders
from tfbench.screen.answer import answer
from tfbench.screen.plain import tell

if TYPE_CHECKING:
    from reports.facts.recommend import Recommendation

_SIZE = re.compile(r"^\s*([\d.]+)\s*(B|KB|MB|GB)?\s*$", re.IGNORECASE)
_TIME = re.compile(r"^\s*([\d.]+)\s*(ns|us|µs|ms|s)\s*$")
_SIZES = {"b": 1.0, "kb": 1e3, "mb": 1e6, "gb": 1e9}
_TIMES = {"ns": 1.0, "us": 1e3, "µs": 1e3, "ms": 1e6, "s": 1e9}
MOST_MEASURED = 6
"""Unmeasured scenarios that `--measure` takes on."""


def recommend(
    run: Annotated[Path, typer.Argument(help="A run's folder.", show_default=False)],
    minimize: Annotated[str, typer.Option(help="latency, size, memory or cost.")] = "latency",
    max_loss: MaxLoss = "1pp",
    max_size: Annotated[str | None, typer.Option(help="Of the file, such as 100KB.")] = None,
    max_memory: Annotated[str | None, typer.Option(help="Peak, such as 50MB.")] = None,
    max_latency: Annotated[str | None, typer.Option(help="Of an answer, such as 2ms.")] = None,
    configuration: Annotated[
        str | None, typer.Option(help="Of the run. Default: its first.")
    ] = None,
    kind: Annotated[str, typer.Option(help="infer or train.")] = "infer",
    price: Annotated[
        float | None, typer.Option(min=0, help="Of an hour of the machine, to minimize cost.")
    ] = None,
    measure: Annotated[
        Path | None,
        typer.Option(help="Measure the most promising that the run lacks, into this new folder."),
    ] = None,
    scenario_folders: ScenarioFolders = None,
    as_json: Json = False,
) -> None:
    """Recommend a scenario under constraints, with what each constraint costs."""
    import reports

    known = reports.read(run)
    from bench.sweep import settings
    from bench.sweep.discovery import discover
    from reports.facts.derive import facts_of
    from reports.facts.limits import Limits, Loss
    from reports.facts.recommend import recommend as choose
    from reports.facts.recommend import unmeasured

    limits = Limits(
        Loss.read(max_loss, "--max-loss"),
        parsed(max_size, _SIZE, _SIZES, "--max-size", "100KB"),
        parsed(max_memory, _SIZE, _SIZES, "--max-memory", "50MB"),
        parsed(max_latency, _TIME, _TIMES, "--max-latency", "2ms"),
    )
    facts = facts_of(known)
    found = choose(facts, minimize, limits, configuration, kind, price)  # type: ignore[arg-type]
    folders = settings.scenario_folders(settings.read_table(None), scenario_folders)
    promising = unmeasured(facts, discover(folders=folders), kind)[:MOST_MEASURED]
    if as_json and not (measure and promising):  # else the run's answer is the one object
        answer("recommend", run=run, **_answer(found), promising=promising)
    elif not as_json:
        tell(found.text())
    if not promising:
        return
    if measure is None:
        if not as_json:
            tell(f"Not measured, and promising (--measure DIR): {', '.join(promising)}")
        return
    _measure(facts.run.facts, found.configuration, promising, measure, folders, as_json)


def _answer(found: Recommendation) -> dict[str, Any]:
    """A recommendation for programs."""
    chosen = [found.best, *found.runners_up] if found.best else []
    choices = [
        {
            "scenario": each.measured.scenario, "goal_value": each.goal,
            "effect": each.measured.effect, "over_plain": each.measured.against_root,
            "loss_percent": each.measured.loss_percent(), "sure_best": each.sure_best,
            "sure_within": each.sure_within,
        }
        for each in chosen
    ]  # fmt: skip
    return {
        "goal": found.goal, "configuration": found.configuration,
        "best": choices[0] if choices else None, "runners_up": choices[1:],
        "costs": found.costs, "refused": found.refused,
    }  # fmt: skip


def parsed(
    text: str | None,
    pattern: re.Pattern[str],
    units: dict[str, float],
    option: str,
    example: str,
) -> float | None:
    """A limit as a number in its base unit; None where none was given.

    Raises:
        UsageError: It cannot be read.
    """
    if text is None:
        return None
    match = pattern.match(text)
    try:
        value = float(match[1]) if match else None
    except ValueError:
        value = None
    if match is None or value is None:
        raise UsageError(f"{option} {text!r} cannot be read: write it as {example}")
    return value * units.get((match[2] or "b").lower(), 1.0)


def _measure(
    facts: dict[str, Any],
    configuration: str,
    promising: list[str],
    out: Path,
    folders: Sequence[str],
    as_json: bool,
) -> None:
    """Measure scenarios in the way of the run whose facts are given."""
    from tfbench.command import running

    workload = facts.get("workload") or {}
    flags = {
        "configuration": configuration,
        "profile": (facts.get("settings") or {}).get("profile"),
        "scenario_folders": folders,
        **{k: workload.get(k) for k in ("data", "model", "batch", "epochs", "seed", "cache")},
    }
    known = {key: value for key, value in flags.items() if value}
    raise typer.Exit(running.run(promising, known, None, out, as_json))
