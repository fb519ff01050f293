"""Turns a run's stored results into tables, plots and pages. Never measures.

In a notebook: `import reports; run = reports.read("runs/..."); run` shows the run's table,
`run.frame()` is a pandas DataFrame.
"""

from reports.forms.frames import ShownRun, export, frame, read
from reports.forms.short import comment, job_summary
from reports.forms.writing import write

__all__ = ["ShownRun", "comment", "export", "frame", "job_summary", "read", "write"]
