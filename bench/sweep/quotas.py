"""What a container may use: limits that its control group sets, of either version, or any above."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from bench.sweep.machine import Machine

GROUPS = "/sys/fs/cgroup"
UNLIMITED = 1 << 60
"""What version 1 says where there is no limit of memory is larger."""


def cores(machine: Machine) -> float:
    """The CPU quota in cores, 0 where there is none."""
    found = [
        int(quota) / int(period)
        for folder in _folders(machine, "cpu")
        for quota, period in (
            [*machine.read(f"{folder}/cpu.max").split(), "", ""][:2],
            [machine.read(f"{folder}/cpu.cfs_{name}_us") for name in ("quota", "period")],
        )
        if quota.isdigit() and period.isdigit() and int(period)
    ]
    return min(found, default=0.0)


def memory_bytes(machine: Machine) -> int:
    """The limit of memory, 0 where there is none."""
    found = [
        int(text)
        for folder in _folders(machine, "memory")
        for name in ("memory.max", "memory.limit_in_bytes")
        if (text := machine.read(f"{folder}/{name}")).isdigit() and int(text) < UNLIMITED
    ]
    return min(found, default=0)


def _folders(machine: Machine, controller: str) -> Iterator[str]:
    """Of this process's groups and those above; the first is the container's own root."""
    yield GROUPS
    yield f"{GROUPS}/{controller}"
    for line in machine.read("/proc/self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers and controller not in controllers.split(","):
            continue
        place = PurePosixPath(path.lstrip("/"))
        for each in (place, *place.parents):
            yield f"{GROUPS}/{controller}/{each}" if controllers else f"{GROUPS}/{each}"
