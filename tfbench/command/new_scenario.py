"""`tfbench new-scenario`: a scenario of a user's own, ready to be filled in."""

from __future__ import annotations

import keyword
import re
from pathlib import Path
from string import Template
from typing import Annotated

import typer

from bench.results.errors import StoreError, UsageError
from bench.sweep.sources import FAMILIES
from tfbench.screen.plain import tell

SKELETONS = Path(__file__).resolve().parents[1] / "skeletons"
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def new_scenario(
    name: Annotated[
        str,
        typer.Argument(
            help="Its id, such as infer/my-runtime; families: train, input, infer, serve.",
            show_default=False,
        ),
    ],
    folder: Annotated[
        Path, typer.Option("--dir", help="Folder of your scenarios; made if it is not there.")
    ] = Path("my_scenarios"),
) -> None:
    """Write a commented scenario that runs, and its test."""
    file, test = write(name, folder)
    tell(f"scenario: {file}\ntest: {test}")
    tell(f"next: tfbench run {name} --scenarios {folder} --profile smoke")


def write(id: str, folder: Path) -> tuple[Path, Path]:
    """Write the skeleton and its test; returns their paths.

    Raises:
        UsageError: The id is none, or a file is there already.
        StoreError: The files cannot be written.
    """
    family, _, name = id.partition("/")
    function = name.replace("-", "_")
    if family not in FAMILIES or not NAME.fullmatch(name) or keyword.iskeyword(function):
        raise UsageError(
            f"{id!r} is no id: use {', '.join(FAMILIES[:-1])} or {FAMILIES[-1]}, a slash and "
            "lower-case words joined by hyphens, such as infer/my-runtime"
        )
    files = folder / family / f"{function}.py", folder / family / f"test_{function}.py"
    for file in files:
        if file.exists():
            raise UsageError(f"{file} is there already: choose another name or folder")
    try:
        files[0].parent.mkdir(parents=True, exist_ok=True)
        for file, skeleton in zip(files, (family, "test"), strict=True):
            text = (SKELETONS / f"{skeleton}.py.txt").read_text(encoding="utf-8")
            filled = Template(text).substitute(id=id, function=function)
            file.write_text(filled, encoding="utf-8")
    except OSError as error:
        raise StoreError(f"{folder} cannot be written: {error.strerror}") from None
    return files
