"""What can be seen of a workload's names at once, before TensorFlow is imported anywhere."""

from __future__ import annotations

import ast
import csv
import dataclasses
import difflib
import glob
import re
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from bench.results.data_names import SAMPLES, SCHEMES, source
from bench.results.errors import UsageError
from bench.results.values import WorkloadSpec

NAME_BYTES, PATH_BYTES = 255, 4096
"""What a file system lets a name and a path be."""
TASKS = (
    "auto", "classification", "binary", "multilabel", "regression", "segmentation", "other",
)  # fmt: skip


def check_workload(workload: WorkloadSpec) -> None:
    """Look at names, files and headers.

    Raises:
        UsageError: One of them is wrong; the message is one line that says what to do.
    """
    _check_lengths(workload)
    if not workload.factory:
        check_data(workload.data, workload.target)
    if workload.batch < 1:
        raise UsageError(f"batch {workload.batch} is not a size: use 1 or more")
    if workload.take < 0:
        raise UsageError(f"{workload.take} is no number of examples to take: use 1 or more")
    if workload.task not in TASKS:
        raise UsageError(f"unknown task {workload.task!r}{near(workload.task, TASKS)}")
    for what, name in (
        ("model", workload.model), ("metric", workload.metric), ("workload", workload.factory),
    ):  # fmt: skip
        if name.rpartition(":")[0].endswith(".py"):
            check_function(what, name)


def _check_lengths(workload: WorkloadSpec) -> None:
    """Refuse names that no file can have: the system does not even look for them."""
    for field in dataclasses.fields(workload):
        value = getattr(workload, field.name)
        if isinstance(value, str):
            parts = [len(part.encode("utf-8", "surrogatepass")) for part in re.split("[/:]", value)]
            if max(parts) > NAME_BYTES or sum(parts) + len(parts) > PATH_BYTES:
                what = field.name.replace("_", " ")
                raise UsageError(
                    f"the name of {what} {value[:40]!r}… is longer than any file's: give its path"
                )


def check_data(name: str, target: str = "") -> None:
    """A scheme that there is, a place that exists, and a target among a table's columns.

    Raises:
        UsageError: It is not so.
    """
    scheme, place = source(name)
    if name == SAMPLES:
        return
    if scheme not in SCHEMES:
        raise UsageError(f"unknown data {name!r}{near(scheme, (*SCHEMES, SAMPLES))}")
    if scheme == "function":
        if place.rpartition(":")[0].endswith(".py"):
            check_function("data", place)
        return
    if scheme == "tfrecord" and not glob.glob(place):  # noqa: PTH207 - an absolute pattern too
        raise UsageError(f"no file matches {place}: give a pattern of TFRecord files")
    if scheme not in ("npz", "csv", "images"):
        return
    path = Path(place or "?")
    if not path.exists():
        raise UsageError(f"{place or 'the data path'} does not exist: give the path of your data")
    if path.is_dir() != (scheme == "images"):
        wanted = "a folder with one folder a class" if scheme == "images" else "a file"
        raise UsageError(f"{place} is not {wanted}: give the path of your data")
    if scheme == "npz" and not zipfile.is_zipfile(path):
        raise UsageError(f"{place} is not a readable .npz file: write it with numpy.savez")
    if scheme == "csv":
        columns = header(path)
        if target and target not in columns:
            raise UsageError(f"{place} has no column {target!r}{near(target, columns)}")


def header(path: Path) -> list[str]:
    """The columns that a table's first line names; it is separated by comma, semicolon or tab.

    Raises:
        UsageError: The file is empty or no text.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            line = file.readline()
            separator = max(",;\t", key=line.count)
            file.seek(0)
            columns = next(csv.reader(file, delimiter=separator), [])
    except (OSError, ValueError, csv.Error) as error:
        raise UsageError(f"{path} is not a readable table: {error}") from None
    if not any(columns):
        raise UsageError(f"{path} is empty: its first line must name the columns")
    return [column.strip() for column in columns]


def check_function(what: str, name: str) -> None:
    """`FILE.py:function`: the file exists, is Python, and defines or imports that name.

    Raises:
        UsageError: It is not so.
    """
    place, _, function = name.rpartition(":")
    path = Path(place)
    if not path.is_file():
        raise UsageError(f"{what} file {place} does not exist: give the path of your file")
    try:
        names = set(_names(ast.parse(path.read_bytes()).body))
    except SyntaxError as error:
        raise UsageError(f"{place}:{error.lineno}: {error.msg}") from None
    except (OSError, ValueError) as error:
        raise UsageError(f"{place} cannot be read as Python: {error}") from None
    if function not in names and "*" not in names:
        raise UsageError(f"{place} has no function {function!r}{near(function, names)}")


def near(name: str, known: Iterable[str]) -> str:
    """`: did you mean X?`, or all there are."""
    each = sorted(known)
    found = difflib.get_close_matches(name, each, n=1, cutoff=0.5)
    return f": did you mean {found[0]}?" if found else f": use one of {', '.join(each)}"


def _names(body: list[ast.stmt]) -> Iterator[str]:
    """What a module's top level binds, also inside `if`, `try` and `with`."""
    for statement in body:
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield statement.name
            continue
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            yield from ((alias.asname or alias.name) for alias in statement.names)
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.id
        for inner in ("body", "orelse", "finalbody"):
            yield from _names(getattr(statement, inner, []))
        for handler in getattr(statement, "handlers", []):
            yield from _names(handler.body)
