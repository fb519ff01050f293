"""The shared model and data core that every scenario is applied to."""

from scenarios.core.paths import InferencePath, InputPath, JobPath, TrainingPath
from scenarios.core.registry import scenario
from scenarios.core.workload import Workload

__all__ = ["InferencePath", "InputPath", "JobPath", "TrainingPath", "Workload", "scenario"]
