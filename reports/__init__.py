"""Turns a run's stored results into tables, plots and pages. Never measures.

In a notebook: `import reports; run = reports.read("runs/..."); run` shows the run's table,
`run.frame()` is a pandas DataFrame.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reports.forms.frames import ShownRun, export, frame, read
    from reports.forms.short import comment, job_summary
    from reports.forms.writing import write

__all__ = ["ShownRun", "comment", "export", "frame", "job_summary", "read", "write"]
_HOMES = {
    "ShownRun": "frames", "comment": "short", "export": "frames", "frame": "frames",
    "job_summary": "short", "read": "frames", "write": "writing",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    """Each name is loaded when it is first used: plots need Matplotlib, a table does not."""
    if name not in _HOMES:
        raise AttributeError(f"module 'reports' has no attribute {name!r}")
    return getattr(importlib.import_module(f"reports.forms.{_HOMES[name]}"), name)
