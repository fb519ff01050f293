"""Two thousand launches, good and bad ones: nothing of them stays with those who started them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import psutil
import pytest

from bench.results.values import WorkloadSpec
from bench.sweep.discovery import ROOT, discover
from bench.sweep.groups import run_launch
from bench.sweep.interpreter import Environment
from bench.sweep.members import Member
from bench.sweep.preloaded import Pool
from bench.sweep.settings import PROFILES, find_configuration

LAUNCHES = int(os.environ.get("TFBENCH_SOAK", "2000"))
GROWTH_BYTES = 4 << 20
"""Of the resident memory between the first quarter and the end, over which it would be a leak of
two kilobytes a launch."""
CONFIGURATION = find_configuration("cpu-1", {})
SOURCE = '''
import os, subprocess, sys
from scenarios.core import InferencePath, scenario

def path(infer):
    return InferencePath(infer=infer, inputs=[1], examples=1, predict=lambda x: x, proof=dict)

@scenario()
def fine(workload):
    """Adds."""
    return path(lambda x: sum(range(10_000)))

@scenario(baseline="infer/fine")
def raises(workload):
    """Raises."""
    raise RuntimeError("no")

@scenario(baseline="infer/fine")
def dies(workload):
    """Is killed."""
    os.kill(os.getpid(), 9)

@scenario(baseline="infer/fine")
def leaves(workload):
    """Leaves a process and prints."""
    subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(1000)"])
    print("x" * 10_000)
    return path(lambda x: sum(range(10_000)))
'''


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "bench").symlink_to(ROOT / "bench")
    (tmp_path / "scenarios" / "infer").mkdir(parents=True)
    (tmp_path / "scenarios" / "core").symlink_to(ROOT / "scenarios" / "core")
    for package in ("scenarios", "scenarios/infer"):
        (tmp_path / package / "__init__.py").touch()
    (tmp_path / "scenarios" / "infer" / "some.py").write_text(SOURCE)
    return tmp_path


def held(root: Path) -> Mapping[str, Mapping[str, int]]:
    """What this process and the preloaded one hold; processes that launches left among them."""
    me = psutil.Process()
    both = {"parent": me, "preloaded": me.children()[0]}
    found = {
        name: {"memory": each.memory_info().rss, "files": each.num_fds()}
        for name, each in both.items()
    }
    left = [p for p in psutil.process_iter(["cwd"]) if p.info["cwd"] == str(root)]
    shared = len(list(Path("/dev/shm").iterdir()))
    return {**found, "all": {"processes": len(left), "shared memory": shared}}


@pytest.mark.slow
@pytest.mark.faults("In a launch", {"2,000 launches, one in three of them bad": "nothing stays"})
def test_nothing_stays_of_two_thousand_launches(root: Path, cache: Path) -> None:
    known = discover(root)
    short = PROFILES["smoke"].__class__("soak", (2,), 1.0, 1, 2, 0.01, 0.01, 1, 60, trace=False)
    with Pool(WorkloadSpec(data="synthetic:8x8x3", cache=str(cache)), 2 << 30) as pool:
        environment = Environment.of(known["infer/fine"], CONFIGURATION, "", root)
        start = pool.starting(
            Environment(
                environment.python, environment.root, environment.variables, folder=str(root)
            )
        )
        names = ("fine", "fine", "leaves", "raises", "fine", "dies")
        members = [
            Member(known[f"infer/{name}"], CONFIGURATION, start, "candidate" if n else "baseline")
            for n, name in enumerate(names)
        ]
        count = LAUNCHES // len(members)
        seen: list[Mapping[str, Mapping[str, int]]] = []
        for index in range(count):
            found = run_launch("g", members, index, short, seed=1)
            assert [x.outcome for x in found] == ["ok", "ok", "ok", "failed", "ok", "failed"]
            if index in (0, count // 4, count // 2, count - 1):
                seen.append(held(root))
                print(index * len(members), seen[-1])
    for who in ("parent", "preloaded"):
        memory = [each[who]["memory"] for each in seen]
        assert memory[-1] - memory[1] <= GROWTH_BYTES
        assert seen[-1][who]["files"] == seen[0][who]["files"]
    assert seen[-1]["all"]["processes"] == seen[0]["all"]["processes"]
    assert seen[-1]["all"]["shared memory"] <= seen[0]["all"]["shared memory"]
