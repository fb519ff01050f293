"""Turns stored results into tables, plots and pages. Never measures."""
