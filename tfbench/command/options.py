"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Scenarios = Annotated[
    list[str] | None,
    typer.Argument(help="Scenario ids or globs such as 'infer/litert-*'. Default: the profile's."),
]
Profile = Annotated[
    str | None, typer.Option(help="smoke (seconds), quick (minutes) or full (narrow intervals).")
]
Configurations = Annotated[
    str | None,
    typer.Option(help="cpu-1, cpu-all, gpu-0, … or your own; several, separated by commas."),
]
Data = Annotated[
    str | None,
    typer.Option(
        help="digits, npz:PATH, images:DIR, tfrecord:GLOB, mnist, cifar10 or synthetic:HxWxC."
    ),
]
Model = Annotated[
    str | None, typer.Option(help="cnn, module:function or path/to/file.py:function.")
]
Batch = Annotated[int | None, typer.Option(min=1, help="Training batch size.")]
Epochs = Annotated[int | None, typer.Option(min=1, help="Epochs of the baseline's training.")]
Seed = Annotated[int | None, typer.Option(help="Of data split, weights and orders.")]
Cache = Annotated[
    str | None, typer.Option(help="Folder of trained models and converted artifacts.")
]
SettingsFile = Annotated[
    Path | None, typer.Option(help=r"TOML file with \[tool.tfbench]. Default: pyproject.toml.")
]
ScenarioFolders = Annotated[
    list[Path] | None,
    typer.Option(
        "--scenarios", metavar="DIR", help="Folder of scenarios of your own; may be repeated."
    ),
]
