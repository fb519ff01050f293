"""The environment's fingerprint: what must be equal before two runs' figures may be compared."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path
from typing import Any

import psutil

from bench.results import extras

PACKAGES = (
    "tensorflow", "keras", "tf_keras", "tensorflow-model-optimization", "ai-edge-litert", "numpy",
    "onnxruntime", "openvino", "nncf", "tensorrt",
)  # fmt: skip
VARIABLES = frozenset({
    "CUDA_DEVICE_ORDER", "CUDA_LAUNCH_BLOCKING", "CUDA_MODULE_LOADING", "CUDA_VISIBLE_DEVICES",
    "DNNL_MAX_CPU_ISA", "DNNL_VERBOSE", "GOMP_CPU_AFFINITY", "KERAS_BACKEND", "KMP_AFFINITY",
    "KMP_BLOCKTIME", "KMP_SETTINGS", "LD_PRELOAD", "MALLOC_ARENA_MAX", "MKL_DEBUG_CPU_TYPE",
    "MKL_ENABLE_INSTRUCTIONS", "MKL_NUM_THREADS", "NVIDIA_TF32_OVERRIDE", "OMP_DYNAMIC",
    "OMP_NUM_THREADS", "OMP_PLACES", "OMP_PROC_BIND", "OMP_SCHEDULE", "OMP_THREAD_LIMIT",
    "OMP_WAIT_POLICY", "ONEDNN_MAX_CPU_ISA", "ONEDNN_VERBOSE", "TF_CPP_MAX_VLOG_LEVEL",
    "TF_CPP_MIN_LOG_LEVEL", "TF_CUDNN_DETERMINISTIC", "TF_CUDNN_USE_AUTOTUNE",
    "TF_DETERMINISTIC_OPS", "TF_DISABLE_MKL", "TF_ENABLE_MKL_NATIVE_FORMAT",
    "TF_ENABLE_ONEDNN_OPTS", "TF_ENABLE_WINOGRAD_NONFUSED", "TF_ENABLE_XLA",
    "TF_FORCE_GPU_ALLOW_GROWTH", "TF_GPU_ALLOCATOR", "TF_GPU_THREAD_COUNT", "TF_GPU_THREAD_MODE",
    "TF_NUM_INTEROP_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_ONEDNN_ENABLE_FAST_CONV",
    "TF_USE_LEGACY_KERAS", "TF_XLA_FLAGS", "XLA_FLAGS", "XLA_PYTHON_CLIENT_ALLOCATOR",
    "XLA_PYTHON_CLIENT_MEM_FRACTION", "XLA_PYTHON_CLIENT_PREALLOCATE",
})  # fmt: skip
"""Variables that change figures, by name: a run's folder is shared, and others, of the same
beginning too (`TF_VAR_…` is Terraform's), may hold a secret."""


def fingerprint() -> dict[str, Any]:
    """Machine, system, packages and variables that change figures."""
    return {
        "host": platform.node(),
        "cpu": _cpu_model(),
        "cpu_flags": _cpu_flags(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_bytes": psutil.virtual_memory().total,
        "gpus": _gpus(),
        "system": platform.system(),
        "kernel": platform.release(),
        "governor": _read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        "python": platform.python_version(),
        "packages": packages(),
        "variables": {k: v for k, v in sorted(os.environ.items()) if k in VARIABLES},
    }


def packages() -> dict[str, str]:
    """Installed versions of the packages whose version changes figures."""
    names = {**{name: name for name in PACKAGES}, "tfbench": extras.DISTRIBUTION}
    known = {name: extras.version(distribution) for name, distribution in names.items()}
    return {name: version for name, version in known.items() if version is not None}


def git_state(folder: Path) -> dict[str, Any]:
    """Commit of the measured code, and whether it has uncommitted changes; {} outside git."""
    commit = _git(folder, "rev-parse", "HEAD")
    if not commit:
        return {}
    return {
        "commit": commit,
        "branch": _git(folder, "rev-parse", "--abbrev-ref", "HEAD"),
        "dirty": bool(_git(folder, "status", "--porcelain", "--untracked-files=no")),
    }


def peak_memory_bytes() -> int:
    """Peak resident memory of this process; 0 where the kernel does not tell.

    Not getrusage: its peak is inherited from the process that started this one.
    """
    for line in _read("/proc/self/status").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


def _git(folder: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=20
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _cpu_model() -> str:
    for line in _read("/proc/cpuinfo").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _cpu_flags() -> list[str]:
    """The vector extensions that decide which kernels run."""
    wanted = ("avx", "fma", "amx", "f16c", "neon", "asimd", "sve", "bf16", "fp16", "vnni")
    for line in _read("/proc/cpuinfo").splitlines():
        if line.startswith(("flags", "Features")):
            return sorted(f for f in line.split() if any(w in f for w in wanted))
    return []


def _gpus() -> list[str]:
    names = []
    for file in sorted(Path("/proc/driver/nvidia/gpus").glob("*/information")):
        for line in _read(str(file)).splitlines():
            if line.startswith("Model:"):
                names.append(line.partition(":")[2].strip())
    return names


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError:
        return ""
