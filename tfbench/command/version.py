"""`tfbench --version`: what a reader of figures asks first; from metadata, without imports."""

from __future__ import annotations

import platform
import tomllib
from pathlib import Path

from bench.results import extras

DISTRIBUTIONS = {
    "tfbench": extras.DISTRIBUTION,
    "TensorFlow": "tensorflow",
    "Keras": "keras",
    "LiteRT": "ai-edge-litert",
}


def versions() -> dict[str, str]:
    """Version by name; what is missing says so."""
    found = {
        name: extras.version(distribution) or "not installed"
        for name, distribution in DISTRIBUTIONS.items()
    }
    return {"tfbench": _own(found.pop("tfbench")), "Python": platform.python_version(), **found}


def text() -> str:
    """One line each."""
    return "\n".join(f"{name} {version}" for name, version in versions().items())


def _own(installed: str) -> str:
    """That of the source tree where the code runs from one, whatever is installed beside it."""
    project = Path(__file__).parents[2] / "pyproject.toml"
    if not project.exists():
        return installed
    with project.open("rb") as file:
        return str(tomllib.load(file)["project"]["version"])
