"""The plots of reports. All modules but `drawn` need Matplotlib, which the extra `plots` brings."""

from __future__ import annotations

from importlib.util import find_spec

from bench.results import extras


def absence() -> str:
    """Why nothing can be drawn here, and what to install; empty where plots can be drawn."""
    if find_spec("matplotlib"):
        return ""
    return f"Without plots: drawing {extras.lacking('matplotlib')}."
