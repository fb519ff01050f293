"""The shared model and data core that every scenario is applied to."""

from typing import TYPE_CHECKING, Any

from scenarios.core.paths import InferencePath, InputPath, JobPath, TrainingPath
from scenarios.core.registry import scenario

if TYPE_CHECKING:
    from scenarios.core.workload import Workload

__all__ = ["InferencePath", "InputPath", "JobPath", "TrainingPath", "Workload", "scenario"]


def __getattr__(name: str) -> Any:
    if name == "Workload":  # needs TensorFlow, which whoever only marks a scenario may not have
        from scenarios.core.workload import Workload

        return Workload
    raise AttributeError(f"module 'scenarios.core' has no attribute {name!r}")
