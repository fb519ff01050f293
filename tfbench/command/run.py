"""`tfbench run`: its flags."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tfbench.command.options import (
    Anonymize,
    Claims,
    Configurations,
    Epochs,
    Exclude,
    Force,
    Json,
    PricePerHour,
    Profile,
    Resume,
    ScenarioFolders,
    Scenarios,
    Seed,
    SettingsFile,
    Shard,
    with_workload,
)
from tfbench.command.report import wishes


@with_workload
def run(
    workload: dict[str, Any],
    patterns: Scenarios = None,
    profile: Profile = None,
    configuration: Configurations = None,
    out: Annotated[
        Path | None, typer.Option(help="The run's folder. Default: runs/<time>-<host>.")
    ] = None,
    exclude: Exclude = None,
    baseline: Annotated[
        str | None,
        typer.Option(
            metavar="ID", help="Compare all inference scenarios with this one, as in production."
        ),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Say what would be measured, what not and why, and how long it takes."
        ),
    ] = False,
    epochs: Epochs = None,
    launches: Annotated[
        int | None, typer.Option(min=1, help="Launches of each group, instead of the profile's.")
    ] = None,
    seed: Seed = None,
    resume: Resume = None,
    force: Force = False,
    shard: Shard = None,
    python: Annotated[
        str | None,
        typer.Option(
            help="Another environment's interpreter (another TensorFlow): compared live with this."
        ),
    ] = None,
    scenario_folders: ScenarioFolders = None,
    settings: SettingsFile = None,
    claims: Claims = None,
    price_per_hour: PricePerHour = None,
    anonymize: Anonymize = False,
    as_json: Json = False,
) -> None:
    """Measure scenarios against their baselines and write the report."""
    from tfbench.command import running

    flags = workload | {
        "profile": profile, "configuration": configuration, "exclude": exclude,
        "baseline": baseline, "epochs": epochs, "launches": launches, "seed": seed,
        "python": python, "scenario_folders": scenario_folders, "shard": shard,
    }  # fmt: skip
    if resume is not None or force:
        others = flags | {"out": out, "settings": settings, "claims": claims}
        raise typer.Exit(running.resume(resume, force, as_json, patterns or [], others))
    if dry_run:
        raise typer.Exit(running.foretell(patterns or [], flags, settings, as_json=as_json))
    asked = wishes(claims, price_per_hour)
    raise typer.Exit(running.run(patterns or [], flags, settings, out, as_json, asked, anonymize))
