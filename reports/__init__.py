"""Turns a run's stored results into tables, plots and pages. Never measures."""

from reports.writing import write

__all__ = ["write"]
