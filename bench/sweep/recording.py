"""What run.json says of a run before anything is measured: enough to go on with it later."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.results import checked
from bench.results.as_json import from_json, to_json
from bench.results.errors import StoreError
from bench.results.store import reading
from bench.results.user_files import made_from
from bench.results.values import Configuration, Scenario, WorkloadSpec
from bench.sweep.environment import fingerprint, git_state
from bench.sweep.settings import Profile, Settings
from bench.sweep.sources import ROOT

CODE = ("bench/launch", "bench/results", "bench/sweep", "scenarios")
"""What decides figures, of this project."""
MOST_BYTES, PICTURES = 1 << 30, (".jpg", ".jpeg", ".png")
"""A larger file, or a folder's picture, is known by its size and time, not by what it holds."""


def facts(
    settings: Settings, scenarios: Sequence[Scenario], name: str, command: str
) -> dict[str, Any]:
    """The first facts of a run.

    Args:
        settings: What to measure and how long.
        scenarios: The selected ones, baselines included.
        name: The folder's.
        command: How to run it again.
    """
    profile = settings.profile
    return {
        "name": name,
        "started": time.time(),
        "command": command,
        "workload_spec": to_json(settings.workload),
        "settings": {**to_json(profile), "seed": settings.seed, "profile": profile.name},
        "configurations": [to_json(c) for c in settings.configurations],
        "scenarios": [to_json(s) for s in scenarios],
        "environment": fingerprint(),
        "git": git_state(ROOT),
        "warnings": [],
        "selection": {
            "patterns": list(settings.patterns),
            "exclude": list(settings.exclude),
            "folders": list(settings.folders),
            "baseline": settings.baseline,
            "members": settings.members,
            "group_bytes": settings.group_bytes,
            "memory_bytes": settings.memory_bytes,
            "shard": list(settings.shard),
        },
        "code": code_digest(settings.folders),
        "files": files(settings.workload),
    }


def settings_of(facts: dict[str, Any], name: str) -> Settings:
    """The settings that a run was begun with.

    Raises:
        StoreError: It did not keep them, or they are damaged.
    """
    if "merged" in facts:
        raise StoreError(f"{name} was put together from several runs: go on with one of them")
    if facts.get("kind") == "guard":
        raise StoreError(f"{name} is a guard's: go on with it by tfbench guard --resume {name}")
    selection = facts.get("selection")
    if not isinstance(selection, dict) or "code" not in facts:
        raise StoreError(
            f"{name} was written by an older tfbench, which kept too little to go on: start anew"
        )
    with reading(Path(name) / "run.json"):
        found = Settings(
            from_json(Profile, facts["settings"]),
            tuple(
                from_json(Configuration, each)
                for each in facts["configurations"]
                if each["name"] not in facts.get("columns", {})
            ),
            from_json(WorkloadSpec, facts["workload_spec"]),
            tuple(selection["patterns"]),
            memory_bytes=int(selection["memory_bytes"]),
            members=int(selection["members"]),
            seed=int(facts["settings"].get("seed", 0)),
            folders=tuple(selection["folders"]),
            baseline=str(selection["baseline"]),
            exclude=tuple(selection["exclude"]),
            group_bytes=int(selection["group_bytes"]),
            shard=tuple(selection["shard"]),
        )
        checked.check(Settings, found, "settings")
        if not found.configurations:
            raise ValueError("it names no configuration")
    return found


def code_digest(folders: Sequence[Path | str] = (), root: Path = ROOT) -> str:
    """Of the code that measures and of all scenarios."""
    places = [*(root / each for each in CODE), *map(Path, folders)]
    total = hashlib.sha256()
    for file in sorted(file for place in places for file in place.rglob("*.py")):
        total.update(str(file.relative_to(root) if file.is_relative_to(root) else file).encode())
        total.update(file.read_bytes())
    return total.hexdigest()[:16]


def files(workload: WorkloadSpec) -> dict[str, str]:
    """Digests of the files that a workload names, and of those that they are made from."""
    return {str(path): _digest(path) for path in dict.fromkeys(_named(workload)) if path.exists()}


def changed(facts: Mapping[str, Any], workload: WorkloadSpec) -> list[str]:
    """What rows say of files that are no longer what they were when the run began."""
    then, now = facts.get("files", {}), files(workload)
    return [
        f"{name} changed while it was measured: measure again"
        for name in sorted(then.keys() | now.keys())
        if then.get(name) != now.get(name)
    ]


def _named(workload: WorkloadSpec) -> Iterator[Path]:
    names = (workload.model, workload.data, workload.weights, workload.factory, workload.metric)
    for name in filter(None, names):
        for part in {name, name.partition(":")[2], name.rpartition(":")[0]}:
            if part and ("/" in part or Path(part).suffix):
                yield Path(part)
            if part.endswith(".py") and Path(part).is_file():
                yield from made_from(Path(part))[1:]


def _digest(path: Path) -> str:
    total = hashlib.sha256()
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if not file.is_file():
            continue
        state = file.stat()
        total.update(str(file.relative_to(path)).encode())
        if state.st_size > MOST_BYTES or (path.is_dir() and file.suffix in PICTURES):
            total.update(f"{state.st_size} {state.st_mtime_ns}".encode())
            continue
        with file.open("rb") as stream:
            while part := stream.read(1 << 20):
                total.update(part)
    return total.hexdigest()[:16]


def default_folder() -> Path:
    """runs/<time>-<host>."""
    return Path("runs") / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.uname().nodename}"
