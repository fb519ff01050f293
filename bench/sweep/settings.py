"""What to measure and how long: profiles, configurations, and the user's settings file."""

from __future__ import annotations

import dataclasses
import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from bench.results.errors import UsageError
from bench.results.values import Configuration, WorkloadSpec
from bench.sweep import quotas, settings_types, workloads
from bench.sweep.checking import check_workload, near
from bench.sweep.checking_models import check_model
from bench.sweep.machine import Machine


@dataclass(frozen=True)
class Profile:
    """How much is spent on each group."""

    name: str
    looks: tuple[int, ...]
    """Launches after which the interval's width is looked at; even, so that orders balance."""
    half_width: float
    """Relative half-width of the 95 % interval that suffices; else the last look ends it."""
    turn_ms: float
    rounds: int
    """Rounds a launch."""
    member_s: float
    """Time a launch may spend in one member's turns; slower members take fewer of them."""
    warmup_s: float
    """Cap of the warm-up."""
    epochs: int
    """Epochs after which training paths' accuracies are compared."""
    timeout_s: float
    """Limit of one message to a launch (a build, a warm-up, a probe)."""
    suite: str = "quick"
    trace: bool = True
    controls: bool = True
    members: int = 10
    """Most members of a group; larger groups are split, the baseline in each part."""
    within_error: float = 0.0
    """Relative standard error that a launch's own turns shall bring its effects down to: rounds go
    on beyond `rounds`, up to `member_s` a member on average. 0: exactly `rounds`."""
    trainings: int = 1
    """Of each training path, to compare accuracies: each starts from other weights."""
    placements: int = 1
    """Segments of a launch; before each but the first, members' memory is remapped."""
    build_apart: bool = False
    """Build members that run on one core at the same time, each on a core of its own. Build and
    first-step times are then only good for comparing the members."""
    built_alone: int = 2
    """Launches of a group whose members are built one after the other: what a build and a first
    step take is known of these, two for both start orders. In later ones several are built at the
    same time."""
    train_budget_s: float = 60.0
    """Time that one technique's own training may take."""
    launch_s: float = 180.0
    """A group whose launch takes longer is launched twice only."""


PROFILES = {
    "smoke": Profile("smoke", (2,), 1.0, 5, 3, 0.1, 0.3, 1, 300, trace=False, controls=False,
                     train_budget_s=10.0, launch_s=60.0),
    "quick": Profile(
        "quick", (4, 6), 0.03, 10, 24, 0.6, 0.8, 3, 300,
        placements=4, within_error=0.01, trainings=4,
    ),
    "full": Profile(
        "full", (6, 8, 12, 16, 24), 0.01, 10, 80, 1.2, 5.0, 10, 1800,
        suite="full", placements=6, trainings=6, train_budget_s=600.0, launch_s=900.0,
    ),
}  # fmt: skip
MEMORY_SHARE = 0.8
"""Of the machine's memory; a launch that grows beyond its part of it is ended."""
MEMBER_BYTES = 1 << 30
"""What a launch of a small model holds of its own: 0.4 to 0.8 GiB were seen."""


@dataclass(frozen=True)
class Settings:
    """All settings of one run."""

    profile: Profile
    configurations: tuple[Configuration, ...]
    workload: WorkloadSpec
    patterns: tuple[str, ...] = ()
    memory_bytes: int = 0
    """Limit of one launch's resident memory."""
    members: int = 10
    """Most members of a group that fit into memory at once."""
    seed: int = 0
    """Of the orders and paddings."""
    folders: tuple[str, ...] = ()
    """Users' folders of scenarios."""
    baseline: str = ""
    """Id of the path that all inference scenarios are compared with; empty: each one's own."""
    exclude: tuple[str, ...] = ()
    """Ids and globs of scenarios that are not wanted."""
    group_bytes: int = 0
    """Memory that a group's members may hold together; 0: any."""
    shard: tuple[int, int] = (1, 1)
    """Which part of the run, and of how many."""


def load(
    file: Path | None,
    flags: Mapping[str, Any],
    patterns: Sequence[str] = (),
    table: Mapping[str, Any] | None = None,
) -> Settings:
    """Settings from `[tool.tfbench]` of a TOML file; flags that are not None win.

    Args:
        file: Settings file; None: pyproject.toml of the current folder, where there is one.
        flags: profile, configuration, launches, python, scenario_folders, baseline, exclude, and
            what names the workload (`workloads.KEYS`).
        patterns: Scenario ids and globs.
        table: What was read already, instead of the file.

    Raises:
        UsageError: A key, profile or configuration is unknown, or the file cannot be read.
    """
    table = read_table(file) if table is None else dict(table)
    own = table.pop("configurations", {})
    overrides = table.pop("profiles", {})
    known = {*workloads.KEYS, "workloads", "profile", "configuration", "launches", "python",
             "scenarios", "scenario_folders", "guard", "baseline", "exclude"}  # fmt: skip
    for key in table:
        if key not in known:
            raise UsageError(f"unknown setting {key!r}{near(key, known)}")
    merged = table | {key: value for key, value in flags.items() if value is not None}
    names = merged.get("configuration") or ("cpu-all",)
    names = names.split(",") if isinstance(names, str) else names
    profile = find_profile(merged.get("profile", "quick"), overrides)
    if merged.get("launches"):
        profile = dataclasses.replace(profile, looks=(int(merged["launches"]),))
    workload = workloads.make(table, flags, profile.train_budget_s)
    check_workload(workload)
    check_model(workload)
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = quotas.memory_bytes(Machine()) or total
    total, available = min(total, limit), min(psutil.virtual_memory().available, limit)
    return Settings(
        profile,
        with_pythons([find_configuration(name, own) for name in names], merged.get("python")),
        workload,
        tuple(patterns) or tuple(merged.get("scenarios", ())),
        memory_bytes=int(total * MEMORY_SHARE / 2),
        members=max(2, min(profile.members, available // MEMBER_BYTES)),
        seed=int(merged.get("seed", 0)),
        folders=scenario_folders(table, flags.get("scenario_folders")),
        baseline=str(merged.get("baseline", "")),
        exclude=_globs(merged.get("exclude", ())),
        group_bytes=int(available * MEMORY_SHARE),
        shard=find_shard(flags.get("shard")),
    )


def find_shard(given: str | None) -> tuple[int, int]:
    """`2/5`: the second of five parts.

    Raises:
        UsageError: It is no such part.
    """
    if not given:
        return 1, 1
    number, slash, parts = given.partition("/")
    if not (slash and number.isdigit() and parts.isdigit() and 1 <= int(number) <= int(parts)):
        raise UsageError(f"{given!r} is no part of a run: use 1/5 to 5/5 for the five parts of one")
    return int(number), int(parts)


def _globs(given: str | Sequence[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


def scenario_folders(
    table: Mapping[str, Any], flag: Sequence[Path | str] | None = None
) -> tuple[str, ...]:
    """Users' folders of scenarios: the command line's, else the settings', as full paths.

    Raises:
        UsageError: The setting is no list of folders.
    """
    given = flag or table.get("scenario_folders", ())
    listed = isinstance(given, list | tuple)
    if not listed or not all(isinstance(each, str | Path) for each in given):
        raise UsageError('scenario_folders must be a list of folders, such as ["my_scenarios"]')
    return tuple(str(Path(each).absolute()) for each in given)


def read_table(file: Path | None) -> dict[str, Any]:
    """The `[tool.tfbench]` table of a TOML file, {} where there is none."""
    path = file or Path("pyproject.toml")
    if file is None and not path.exists():
        return {}
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise UsageError(f"settings file {path} cannot be read: {error}") from None
    return table_of(text, str(path))


def table_of(text: str, path: str) -> dict[str, Any]:
    """The table of a file that holds this text; `path` names it where it is wrong."""
    try:
        found = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"settings file {path} cannot be read: {error}") from None
    tool = found.get("tool", {})
    table = tool.get("tfbench", {}) if isinstance(tool, Mapping) else {}
    if not isinstance(table, Mapping):
        raise UsageError(f"settings file {path}: write [tool.tfbench] as a table")
    settings_types.check(table)
    return dict(table)


def find_profile(name: str, overrides: Mapping[str, Any]) -> Profile:
    """A built-in profile with the user's changes; raises UsageError when it is unknown."""
    if name not in PROFILES:
        raise UsageError(f"unknown profile {name!r}{near(name, PROFILES)}")
    changes = dict(overrides.get(name, {}))
    fields = {f.name for f in dataclasses.fields(Profile)}
    for key in changes:
        if key not in fields:
            raise UsageError(f"unknown profile setting {key!r}{near(key, fields)}")
    if "looks" in changes:
        changes["looks"] = tuple(changes["looks"])
    return dataclasses.replace(PROFILES[name], **changes)


def find_configuration(name: str, own: Mapping[str, Any]) -> Configuration:
    """`cpu-1`, `cpu-all`, `gpu-N`, or one of the settings file; raises UsageError otherwise."""
    available = tuple(sorted(os.sched_getaffinity(0)))
    if name in own:
        table = dict(own[name])
        cpus = tuple(int(c) for c in table.pop("cpus", available))
        threads = int(table.pop("threads", len(cpus)))
        device = str(table.pop("device", "cpu"))
        environment = {str(k): str(v) for k, v in table.pop("environment", {}).items()}
        python = str(table.pop("python", ""))
        if table:
            raise UsageError(
                f"configuration {name!r} has an unknown key {next(iter(table))!r}: use threads, "
                "cpus, device, environment, python"
            )
        if not cpus or not set(cpus) <= set(available):
            raise UsageError(f"configuration {name!r} asks for cores {cpus}, there are {available}")
        return Configuration(name, threads, cpus, device, environment, python)
    hidden = {"CUDA_VISIBLE_DEVICES": "-1"}
    builtin = {
        "cpu-1": Configuration("cpu-1", 1, available[-1:], "cpu", hidden),
        "cpu-all": Configuration("cpu-all", len(available), available, "cpu", hidden),
    }
    for gpu in gpus():
        number = gpu.removeprefix("gpu-")
        builtin[gpu] = Configuration(
            gpu, len(available), available, f"gpu:{number}", {"CUDA_VISIBLE_DEVICES": number}
        )
    if name not in builtin:
        raise UsageError(f"unknown configuration {name!r}{near(name, {**builtin, **own})}")
    return builtin[name]


def with_pythons(
    configurations: Sequence[Configuration], python: str | None
) -> tuple[Configuration, ...]:
    """Each configuration as it is, and once more for each other interpreter.

    Args:
        configurations: Those of the run.
        python: Paths of interpreters separated by commas, each with its own TensorFlow.

    Raises:
        UsageError: A path is no interpreter.
    """
    found = list(configurations)
    for path in filter(None, (python or "").split(",")):
        if "\0" in path or not os.access(path, os.X_OK) or Path(path).is_dir():
            raise UsageError(f"cannot start {path}: give the path of a Python interpreter")
        place = Path(path).absolute()
        label = place.parent.parent.name or place.name
        found += [
            dataclasses.replace(c, name=f"{c.name}@{label}", python=str(place))
            for c in configurations
        ]
    return tuple(found)


def gpus() -> list[str]:
    """`gpu-0`, … for each NVIDIA device file of this machine."""
    devices = sorted(Path("/dev").glob("nvidia[0-9]*"))
    return [f"gpu-{device.name.removeprefix('nvidia')}" for device in devices]
