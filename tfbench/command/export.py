"""`tfbench export`: a scenario of a run as a bundle that works without tfbench."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tfbench.command.options import MaxLoss, ScenarioFolders, SettingsFile
from tfbench.screen.plain import tell


def export(
    run: Annotated[Path, typer.Argument(help="A run's folder.", show_default=False)],
    scenario: Annotated[
        str | None, typer.Argument(help="Its id. Default: what `recommend` chooses.")
    ] = None,
    out: Annotated[Path, typer.Option(help="The bundle's folder.")] = Path("bundle"),
    configuration: Annotated[
        str | None, typer.Option(help="Of the run. Default: its first.")
    ] = None,
    max_loss: MaxLoss = "1pp",
    measure: Annotated[
        bool,
        typer.Option(
            "--measure/--no-measure", help="Measure it again with its baseline, and claim that."
        ),
    ] = True,
    scenario_folders: ScenarioFolders = None,
    settings: SettingsFile = None,
) -> None:
    """Write a model with infer.py, samples and a claim that can be measured again."""
    from bench.bundle import texts
    from bench.results.store import read_run
    from bench.sweep import settings as settings_
    from bench.sweep.progress import reporter
    from reports.facts.limits import Loss
    from tfbench import exporting
    from tfbench.screen.terminal import Console

    folders = settings_.scenario_folders(settings_.read_table(settings), scenario_folders)
    loss = Loss.read(max_loss, "--max-loss")
    with reporter(Console(stderr=True)) as progress:
        claim = exporting.export(
            read_run(run), out, progress, scenario, configuration, loss, measure, folders
        )
    tell(f"{claim.scenario}: {texts.verdict(claim).replace('**', '').replace('`', '')}")
    for note in claim.notes:
        tell(f"  {note}")
    tell(f"bundle: {out}\nnext: tfbench verify {out}")
