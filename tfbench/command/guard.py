"""`tfbench guard`: its flags."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tfbench.command.options import (
    Epochs,
    Exclude,
    Json,
    ScenarioFolders,
    Scenarios,
    Seed,
    SettingsFile,
    with_workload,
)


@with_workload
def guard(
    workload: dict[str, Any],
    patterns: Scenarios = None,
    base: Annotated[
        str | None, typer.Option(help="Branch, tag or commit to compare with, live.")
    ] = None,
    base_python: Annotated[
        str | None, typer.Option(help="Interpreter of the base: another environment.")
    ] = None,
    baseline: Annotated[
        Path | None, typer.Option(help="A stored run, or a folder of several: for trends.")
    ] = None,
    bisect: Annotated[
        str | None, typer.Option(metavar="GOOD..BAD", help="Find the commit that regressed.")
    ] = None,
    pytest: Annotated[
        str | None,
        typer.Option(metavar="PATH", help="Your tests with the fixture or mark `benchmark`."),
    ] = None,
    expression: Annotated[
        str | None, typer.Option("-k", metavar="EXPR", help="Some of them, as pytest's -k.")
    ] = None,
    calls: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Your functions bench_*, with optional setup_*."),
    ] = None,
    command: Annotated[
        str | None, typer.Option(metavar="CMD", help="A command, as whole processes.")
    ] = None,
    prepare: Annotated[
        str | None, typer.Option(metavar="CMD", help="Runs before each run of --command.")
    ] = None,
    cleanup: Annotated[
        str | None, typer.Option(metavar="CMD", help="Runs when --command is measured.")
    ] = None,
    install: Annotated[
        str | None,
        typer.Option(metavar="CMD", help="Installs a version, each into its own environment."),
    ] = None,
    python: Annotated[
        str | None, typer.Option(help="Interpreter of your code. Default: the one of tfbench.")
    ] = None,
    budget: Annotated[
        str | None, typer.Option(help="Time that may be spent: 90s, 10m, 1h. Default: 10m.")
    ] = None,
    configuration: Annotated[
        str | None, typer.Option(help="cpu-1 (default), cpu-all, gpu-0, … or your own.")
    ] = None,
    profile: Annotated[str | None, typer.Option(help="Which scenarios: quick or full.")] = None,
    exclude: Exclude = None,
    epochs: Epochs = None,
    seed: Seed = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for guard.json, guard.md, junit.xml, guard.sarif, launches."),
    ] = None,
    allow_inconclusive: Annotated[
        bool, typer.Option("--allow-inconclusive", help="Exit with 0 instead of 3.")
    ] = False,
    scenario_folders: ScenarioFolders = None,
    settings: SettingsFile = None,
    resume: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Go on with the guard in this folder, as it was begun."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Compare the working tree with another version; exits with 1 on a regression."""
    from tfbench.command import guard_request, guarding

    flags = workload | {
        "profile": profile, "configuration": configuration, "exclude": exclude,
        "epochs": epochs, "seed": seed, "scenario_folders": scenario_folders,
    }  # fmt: skip
    code = guard_request.Code(pytest, expression, calls, command, prepare, cleanup, install, python)
    if resume is not None:
        others = flags | vars(code) | {
            "base": base, "base_python": base_python, "baseline": baseline, "bisect": bisect,
            "budget": budget, "out": out, "settings": settings,
            "allow_inconclusive": allow_inconclusive or None,
        }  # fmt: skip
        raise typer.Exit(guarding.resume(resume, patterns or [], others, as_json))
    request = guard_request.Request(
        base, base_python, baseline, bisect, budget, out, allow_inconclusive, code
    )
    raise typer.Exit(guarding.guard(patterns or [], request, flags, settings, as_json))
