"""What would make numbers bad on this machine: each measured, with what to do about it."""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from bench.sweep import quotas
from bench.sweep.machine import Machine

Level = Literal["fine", "note", "bad"]
"""`note`: costs precision that turns and launches win back; `bad`: figures would mislead."""
SAMPLE_S = 1.0
"""How long counters are watched."""
STEAL, LOAD, OTHERS = 0.02, 0.5, 0.1
"""Shares of the cores' time: stolen by the hypervisor, load a core, used by other programs."""
JITTER = 0.05
"""Relative spread of a fixed piece of arithmetic, repeated: above it the clock rate varies."""
PROFILING = (
    "PYTHONPROFILEIMPORTTIME", "PYTHONTRACEMALLOC", "PYTHONMALLOCSTATS", "PYTHONDEVMODE",
    "COVERAGE_PROCESS_START", "TF_CPP_MAX_VLOG_LEVEL", "TF_CPP_VMODULE", "CUDA_LAUNCH_BLOCKING",
    "NVTX_INJECTION64_PATH", "CUDA_INJECTION64_PATH", "MALLOC_CHECK_", "MALLOC_PERTURB_",
    "ONEDNN_VERBOSE", "DNNL_VERBOSE", "MKL_VERBOSE",
)  # fmt: skip
"""Variables that make programs trace, check or print while they run."""
PROFILERS = ("prof", "san.so", "heaptrack", "valgrind", "memray")
"""Parts of names of libraries that trace a program they are preloaded into."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    name: str
    level: Level
    measured: str
    advice: str = ""
    """What to do; "" where it is fine."""


def examine(machine: Machine | None = None, wanted_cores: int = 0) -> list[Finding]:
    """Look at everything once; takes a little more than a second.

    Args:
        machine: What to look at.
        wanted_cores: Cores that the configurations ask for; 0: whatever there is.
    """
    machine = machine or Machine()
    before = _counters(machine)
    machine.sleep(SAMPLE_S)
    after = _counters(machine)
    spent = {name: after[name] - before.get(name, 0.0) for name in after}
    return [
        _steal(spent),
        _others(spent),
        _load(machine),
        _cores(machine, wanted_cores),
        _governor(machine),
        _turbo(machine),
        _jitter(machine),
        _swapping(machine, spent),
        _huge_pages(machine),
        _clock_source(machine),
        _build(),
        _variables(machine),
        _gpus(machine),
    ]


def worst(findings: list[Finding]) -> Level:
    """The worst level among them."""
    levels = {finding.level for finding in findings}
    return "bad" if "bad" in levels else "note" if "note" in levels else "fine"


def _counters(machine: Machine) -> dict[str, float]:
    """CPU times of all cores (jiffies) and pages swapped since the system's start."""
    found = {}
    for line in machine.read("/proc/stat").splitlines():
        if line.startswith("cpu "):
            values = [float(v) for v in line.split()[1:]]
            values += [0.0] * (8 - len(values))
            user, nice, system, idle, wait, irq, soft, steal = values[:8]
            found["total"] = sum(values[:8])
            found["idle"] = idle + wait
            found["steal"] = steal
            found["used"] = user + nice + system + irq + soft
    for line in machine.read("/proc/vmstat").splitlines():
        if line.startswith(("pswpin ", "pswpout ")):
            name, value = line.split()
            found[name] = float(value)
    return found


def _steal(spent: Mapping[str, float]) -> Finding:
    if not spent.get("total"):
        return Finding("steal time", "note", "not counted here", "watch the controls of each run")
    share = spent["steal"] / spent["total"]
    text = f"{share:.1%} of the cores' time in {SAMPLE_S:.0f} s"
    if share <= STEAL:
        return Finding("steal time", "fine", text)
    advice = "the hypervisor gives the cores to others: use a dedicated host, or another time"
    return Finding("steal time", "bad", text, advice)


def _others(spent: Mapping[str, float]) -> Finding:
    if not spent.get("total"):
        return Finding("other programs", "note", "not counted here", "close what is not needed")
    share = spent["used"] / spent["total"]
    text = f"{share:.0%} of the cores' time is used while tfbench sleeps"
    if share <= OTHERS:
        return Finding("other programs", "fine", text)
    return Finding("other programs", "bad", text, "end what else runs (`top` shows it), or wait")


def _load(machine: Machine) -> Finding:
    text = machine.read("/proc/loadavg").split()
    if not text:
        return Finding("load", "note", "not known here", "close what is not needed")
    load = float(text[0])
    shown = f"{load:.2f} in the last minute on {machine.cores} cores"
    if load <= LOAD * machine.cores:
        return Finding("load", "fine", shown)
    return Finding("load", "note", shown, "wait until earlier work has ended")


def _cores(machine: Machine, wanted: int) -> Finding:
    quota = quotas.cores(machine)
    text = f"{machine.cores} usable" + (f", a quota of {quota:.1f}" if quota else "")
    there = min(machine.cores, quota) if quota else machine.cores
    if there < wanted:
        advice = f"the configuration asks for {wanted}: give the process more, or ask for fewer"
        return Finding("cores", "bad", text, advice)
    if quota and quota < machine.cores:
        advice = "a CPU quota pauses turns: lift it, or limit the container by cpuset instead"
        return Finding("cores", "bad", text, advice)
    if machine.cores < 2:
        advice = "the parent shares the core with the turns: cpu-1 needs a second one"
        return Finding("cores", "note", text, advice)
    return Finding("cores", "fine", text)


def _governor(machine: Machine) -> Finding:
    files = machine.root.glob("sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor")
    names = {file.read_text(encoding="utf-8").strip() for file in files}
    if not names:
        return Finding("governor", "fine", "none here: the clock rate is not this system's to set")
    text = ", ".join(sorted(names))
    if names <= {"performance"}:
        return Finding("governor", "fine", text)
    advice = "`sudo cpupower frequency-set -g performance` keeps the clock rate up between turns"
    return Finding("governor", "note", text, advice)


def _turbo(machine: Machine) -> Finding:
    no_turbo = machine.read("/sys/devices/system/cpu/intel_pstate/no_turbo")
    boost = machine.read("/sys/devices/system/cpu/cpufreq/boost")
    if not no_turbo and not boost:
        return Finding("turbo", "fine", "not this system's to set")
    if no_turbo == "1" or boost == "0":
        return Finding("turbo", "fine", "off")
    advice = (
        "the clock rate depends on heat and on the other cores: `echo 1 | sudo tee "
        "/sys/devices/system/cpu/intel_pstate/no_turbo` (Intel) or `echo 0 | sudo tee "
        "/sys/devices/system/cpu/cpufreq/boost` steadies it"
    )
    return Finding("turbo", "note", "on", advice)


def _jitter(machine: Machine) -> Finding:
    spread = machine.jitter()
    text = f"the same arithmetic takes ±{spread:.1%}"
    if spread <= JITTER:
        return Finding("steadiness", "fine", text)
    advice = "clock rate or neighbours vary: more launches (`--profile full`) average it out"
    return Finding("steadiness", "note", text, advice)


def _swapping(machine: Machine, spent: Mapping[str, float]) -> Finding:
    pages = spent.get("pswpin", 0.0) + spent.get("pswpout", 0.0)
    free = 0
    for line in machine.read("/proc/meminfo").splitlines():
        if line.startswith("MemAvailable:"):
            free = int(line.split()[1]) * 1024
    limit = quotas.memory_bytes(machine)
    free = min(free, limit) if limit else free
    text = f"{pages:.0f} pages in {SAMPLE_S:.0f} s, {free / 2**30:.1f} GiB of memory available"
    text += f", a limit of {limit / 2**30:.1f} GiB" if limit else ""
    if pages:
        return Finding(
            "swapping", "bad", text, "free memory: a turn that waits for swap is no turn"
        )
    if free and free < 2 << 30:
        advice = "a group of launches needs some GiB: close programs, or lower `members`"
        return Finding("swapping", "note", text, advice)
    return Finding("swapping", "fine", text)


def _huge_pages(machine: Machine) -> Finding:
    text = machine.read("/sys/kernel/mm/transparent_hugepage/enabled")
    mode = text.partition("[")[2].partition("]")[0] or text or "not there"
    if mode != "always":
        return Finding("huge pages", "fine", mode)
    advice = (
        "pages are merged in the background, differently in each launch: `echo madvise | sudo tee "
        "/sys/kernel/mm/transparent_hugepage/enabled`"
    )
    return Finding("huge pages", "note", mode, advice)


def _clock_source(machine: Machine) -> Finding:
    name = machine.read("/sys/devices/system/clocksource/clocksource0/current_clocksource")
    if not name or name in ("tsc", "kvm-clock", "arch_sys_counter", "hyperv_clocksource_tsc_page"):
        return Finding("clock source", "fine", name or "not known here")
    advice = "reading this clock costs microseconds, which steps below 0.1 ms will feel: use tsc"
    return Finding("clock source", "note", name, advice)


def _build() -> Finding:
    problems = []
    if sysconfig.get_config_var("Py_DEBUG") or hasattr(sys, "gettotalrefcount"):
        problems.append("a debug build of Python")
    if sys.flags.dev_mode:
        problems.append("Python's development mode")
    if sys.gettrace() is not None or sys.getprofile() is not None:
        problems.append("a tracer or profiler is on")
    if problems:
        advice = "use a release build of Python without tracers: the interpreter is part of a step"
        return Finding("build", "bad", ", ".join(problems), advice)
    return Finding("build", "fine", f"release build of Python {sys.version.split()[0]}")


def _variables(machine: Machine) -> Finding:
    names = [name for name in PROFILING if machine.environment.get(name, "") not in ("", "0")]
    if "xla_dump_to" in machine.environment.get("XLA_FLAGS", ""):
        names.append("XLA_FLAGS=--xla_dump_to")
    preloaded = machine.environment.get("LD_PRELOAD", "")
    if any(part in preloaded for part in PROFILERS):
        names.append(f"LD_PRELOAD={preloaded}")
    if not names:
        return Finding("variables", "fine", "none that profile, trace or check")
    advice = f"`unset {' '.join(n.partition('=')[0] for n in names)}`: they taint every turn"
    return Finding("variables", "bad", ", ".join(names), advice)


def _gpus(machine: Machine) -> Finding:
    if not list((machine.root / "dev").glob("nvidia[0-9]*")):
        return Finding("GPU", "fine", "none")
    query = "--query-compute-apps=pid,process_name,used_memory"
    text = machine.command(["nvidia-smi", query, "--format=csv,noheader"])
    processes = [line.strip() for line in text.splitlines() if line.strip()]
    if processes:
        advice = "end them: they take the device's time and memory in the middle of turns"
        return Finding("GPU", "bad", "; ".join(processes), advice)
    return Finding("GPU", "fine", "no other process computes on it")
