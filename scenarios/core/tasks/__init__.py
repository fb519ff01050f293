"""Tasks: inferred from outputs and targets, each with its loss, its metrics and its agreement."""

from scenarios.core.tasks.agreement import agreement
from scenarios.core.tasks.forms import form_of, probing
from scenarios.core.tasks.inference import infer
from scenarios.core.tasks.judging import Quality
from scenarios.core.tasks.metrics import METRICS, Metric
from scenarios.core.tasks.values import Compiled, Task

__all__ = [
    "METRICS",
    "Compiled",
    "Metric",
    "Quality",
    "Task",
    "agreement",
    "form_of",
    "infer",
    "probing",
]
