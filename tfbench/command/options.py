"""Arguments and options that several commands share."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

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
Epochs = Annotated[int | None, typer.Option(min=1, help="Epochs of the baseline's training.")]
Seed = Annotated[int | None, typer.Option(help="Of data split, weights and orders.")]
SettingsFile = Annotated[
    Path | None, typer.Option(help=r"TOML file with \[tool.tfbench]. Default: pyproject.toml.")
]
Claims = Annotated[
    Path | None,
    typer.Option(
        help="Your own table of claims (.csv, .toml: scenario, speed, size, quality), to be judged."
    ),
]
Anonymize = Annotated[
    bool,
    typer.Option(
        "--anonymize", help="Replace user names, home folders and host names in the run's files."
    ),
]
PricePerHour = Annotated[
    float | None,
    typer.Option(min=0, help="Of this machine: adds the cost of a million answers to the tables."),
]
Json = Annotated[
    bool,
    typer.Option(
        "--json", help="One JSON object on standard output; all else goes to standard error."
    ),
]
ScenarioFolders = Annotated[
    list[Path] | None,
    typer.Option(
        "--scenarios", metavar="DIR", help="Folder of scenarios of your own; may be repeated."
    ),
]
Exclude = Annotated[
    list[str] | None,
    typer.Option(metavar="GLOB", help="Scenarios that are not wanted; may be repeated."),
]
Cache = Annotated[
    str | None, typer.Option(help="Folder of trained models and converted artifacts.")
]

Resume = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Go on with the run in this folder, with its own settings."),
]
Force = Annotated[
    bool, typer.Option("--force", help="With --resume: though something has changed.")
]
Shard = Annotated[
    str | None,
    typer.Option(metavar="K/N", help="Measure one part of N, such as 2/5; `merge` joins them."),
]
WORKLOAD: dict[str, Any] = {
    "model": Annotated[
        str | None,
        typer.Option(
            help="cnn, FILE.py:function, module:function, a .keras, .h5, .hdf5, .tflite or .onnx "
            "file, a SavedModel folder, or applications:NAME."
        ),
    ],
    "data": Annotated[
        str | None,
        typer.Option(
            help="digits, npz:PATH, csv:PATH, images:DIR, tfrecord:GLOB, FILE.py:function, mnist, "
            "cifar10, synthetic:HxWxC, or samples (drawn from the model's own signature)."
        ),
    ],
    "target": Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Of a table: what is to be predicted.")
    ],
    "task": Annotated[
        str | None,
        typer.Option(
            help="auto, classification, binary, multilabel, regression, segmentation or other."
        ),
    ],
    "metric": Annotated[
        str | None,
        typer.Option(help="accuracy, f1, auc, mae, … or FILE.py:function(y_true, y_pred)."),
    ],
    "signature": Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Of a SavedModel, .tflite or tf.Module of several."),
    ],
    "weights": Annotated[
        Path | None, typer.Option(metavar="FILE", help="Weights for applications:NAME.")
    ],
    "take": Annotated[
        int | None, typer.Option(min=1, help="Examples drawn from a dataset at most.")
    ],
    "workload": Annotated[
        str | None,
        typer.Option(
            help=r"FILE.py:function that returns data, model and task, or the NAME of a table "
            r"\[tool.tfbench.workloads.NAME]."
        ),
    ],
    "batch": Annotated[int | None, typer.Option(min=1, help="Training batch size.")],
    "train_budget": Annotated[
        str | None,
        typer.Option(help="Time that one technique's own training may take, such as 60s or 10m."),
    ],
    "safe": Annotated[
        bool | None,
        typer.Option(
            "--safe",
            help="Refuse model files that bring code: Lambda layers, classes of one's own, unknown "
            "operations.",
        ),
    ],
    "cache": Cache,
}
"""What names a workload: the same for every command that measures."""


def with_workload(command: Callable[..., None]) -> Callable[..., None]:
    """The command with an option for each of `WORKLOAD`, which it gets as `workload`, a dict."""

    @functools.wraps(command)
    def called(**arguments: Any) -> None:
        given = {name: arguments.pop(name) for name in WORKLOAD}
        texts = {k: str(v) if isinstance(v, Path) else v for k, v in given.items()}
        command(workload=texts, **arguments)

    own = dict(inspect.signature(command, eval_str=True).parameters)
    del own["workload"]
    for name, kind in WORKLOAD.items():
        own[name] = inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind
        )
    called.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in own.values()]
    )
    called.__annotations__ = {name: each.annotation for name, each in own.items()}
    return called


MaxLoss = Annotated[
    str | None,
    typer.Option(
        "--max-loss", "--max-accuracy-loss",
        help="Of quality: 0.5pp (percentage points), or 1% (of the plain model's).",
    ),
]  # fmt: skip
