"""Experiments on the harness itself; not installed."""
