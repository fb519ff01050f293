"""What times needs the standard library alone: it runs in an interpreter that has nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import importlib, json, os, pkgutil, socket, sys, tempfile

import bench.launch.timing
for found in pkgutil.walk_packages(bench.launch.timing.__path__, "bench.launch.timing."):
    importlib.import_module(found.name)

from bench.launch.timing.callables import CallableLaunch
from bench.launch.timing.launch import be
from bench.results.messages import Channel
from bench.results.values import Configuration

ours, theirs = socket.socketpair()
log = tempfile.TemporaryFile()
here = Configuration("here", 1, tuple(os.sched_getaffinity(0)))
pid = os.fork()
if pid == 0:
    ours.close()
    be(lambda: CallableLaunch(lambda: sum(range(1000)), here, 100), theirs.detach(), log.fileno())
theirs.close()
channel = Channel(ours.detach())

def ask(do, **arguments):
    channel.send({"do": do, **arguments})
    return channel.receive()

built = ask("build")
warm = ask("warm", turn_ns=1_000_000, cap_ns=10_000_000)
answers = [ask("turn", steps=warm["steps"]), ask("remap"), ask("turn", steps=1), ask("nothing")]
done = ask("done")
channel.close()
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
packages = {name for name in sys.modules if "site-packages" in
            (getattr(sys.modules[name], "__file__", None) or "")}
print(json.dumps([built, warm, answers, done, status, sorted(packages)]))
"""


def test_it_takes_turns_where_no_package_is_installed(bare: Path) -> None:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    done = subprocess.run(
        [str(bare), "-c", PROGRAM], env=clean | {"PYTHONPATH": str(ROOT)}, cwd=bare.parent,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    built, warm, answers, end, status, packages = json.loads(done.stdout)
    assert built["first_step_s"] > 0
    assert warm["steps"] > 1
    turn, remapped, single, error = answers
    assert turn["elapsed_ns"] > single["elapsed_ns"] > 0
    assert remapped["pages"] > 0
    assert error["error"]["outcome"] == "failed"  # an answer, not the end of the launch
    assert end["histogram"] == {}
    assert status == 0
    assert packages == []


def test_the_bare_interpreter_is_bare(bare: Path) -> None:
    done = subprocess.run(
        [str(bare), "-c", "import numpy"], capture_output=True, text=True, check=False,
        env={k: v for k, v in os.environ.items() if not k.startswith("PYTHON")},
    )  # fmt: skip
    assert "ModuleNotFoundError" in done.stderr, sys.executable
