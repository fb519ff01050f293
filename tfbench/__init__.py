"""What users import, and the command line.

A scenario of a user's own imports from here alone. Each name is loaded when it is first used, so
that `import tfbench` and `from tfbench import scenario` need no TensorFlow.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.results.errors import NotEngaged, Unsupported
    from scenarios.core.composition import workload
    from scenarios.core.paths import InferencePath, InputPath, JobPath, TrainingPath
    from scenarios.core.registry import scenario
    from scenarios.core.workload import Workload
    from tfbench.library import Run, compare, read, run

__all__ = [
    "InferencePath", "InputPath", "JobPath", "NotEngaged", "Run", "TrainingPath", "Unsupported",
    "Workload", "compare", "read", "run", "scenario", "workload",
]  # fmt: skip
_HOMES = {
    "InferencePath": "scenarios.core.paths",
    "InputPath": "scenarios.core.paths",
    "JobPath": "scenarios.core.paths",
    "NotEngaged": "bench.results.errors",
    "Run": "tfbench.library",
    "TrainingPath": "scenarios.core.paths",
    "Unsupported": "bench.results.errors",
    "Workload": "scenarios.core.workload",
    "compare": "tfbench.library",
    "read": "tfbench.library",
    "run": "tfbench.library",
    "scenario": "scenarios.core.registry",
    "workload": "scenarios.core.composition",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'tfbench' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
