"""Runs the quick suite on one of the zoo's models, in a process and a folder of its own."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from bench.sweep.discovery import ROOT, discover
from research.zoo.models import Model

PROFILE, CONFIGURATION = "smoke", "cpu-all"
MEASURES = ("bench", "scenarios", "research/zoo")
"""Folders of the code that a result follows from."""
MARK = "zoo.json"
"""What a finished run's folder was made from, beside the run's own files."""


def command(model: Model, out: Path, cache: str, only: tuple[str, ...] = ()) -> list[str]:
    """The arguments of `tfbench` for a model."""
    quick = [each.id for each in discover().values() if each.suite == "quick"]
    wanted = only or ((*quick, *model.also) if model.also else ())
    return [
        "run", *wanted, *model.given(out / "made"), "--profile", PROFILE,
        "--configuration", CONFIGURATION, "--out", str(out / model.name),
        *(["--cache", cache] if cache else []),
    ]  # fmt: skip


def is_done(model: Model, out: Path) -> bool:
    """Whether this version of the code has measured the model already."""
    mark = out / model.name / MARK
    return mark.exists() and json.loads(mark.read_text())["key"] == key(model)


def key(model: Model) -> str:
    """Names what a result follows from: how the model is given, and the code that measures."""
    given = (model.model, model.data, model.flags, model.also, dict(model.environment))
    digest = hashlib.sha256(repr(given).encode())
    for top in MEASURES:
        for file in sorted((ROOT / top).rglob("*.py")):
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def last_line(model: Model, out: Path) -> str:
    """The last line that a run printed."""
    log = out / f"{model.name}.log"
    text = log.read_text(encoding="utf-8") if log.exists() else ""
    return (text.strip().splitlines() or ["it printed nothing"])[-1]


def measure(model: Model, out: Path, cache: str = "", only: tuple[str, ...] = ()) -> Path:
    """Run a model; returns the run's folder.

    Args:
        model: Which.
        out: The zoo's folder; a run that was there is replaced.
        cache: Folder of trained models and artifacts; empty: the user's.
        only: Scenario ids and globs instead of the quick suite.
    """
    folder = out / model.name
    _set_aside(folder)
    environment = os.environ | model.environment | {"PYTHONPATH": os.pathsep.join(
        filter(None, (str(ROOT), os.environ.get("PYTHONPATH", "")))
    )}  # fmt: skip
    _write_what_is_made(model, out / "made", environment)
    started = time.time()
    log = out / f"{model.name}.log"
    arguments = command(model, out, cache, only)
    with log.open("w", encoding="utf-8") as written:
        done = subprocess.run(
            [sys.executable, "-m", "tfbench", *arguments],
            stdout=written, stderr=subprocess.STDOUT, cwd=ROOT, env=environment,
        )  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    facts = {
        "key": key(model),
        "code": done.returncode,
        "seconds": round(time.time() - started, 1),
    }
    (folder / MARK).write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    return folder


def _set_aside(folder: Path) -> None:
    """Keep an earlier run under a name of its own: tfbench writes into new folders only."""
    if folder.exists():
        folder.rename(folder.with_name(f"{folder.name}.{time.time_ns()}"))


def _write_what_is_made(model: Model, folder: Path, environment: dict[str, str]) -> None:
    first, _, name = model.model.partition("!")
    if first != "made" or (folder / name).exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    code = f"from research.zoo import builders; builders.write_{name}({str(folder / name)!r})"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, env=environment)
