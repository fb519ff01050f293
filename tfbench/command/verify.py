"""`tfbench verify`: a bundle's claim, measured again on this machine."""

from __future__ import annotations

import json
from pathlib import Path

from rich.console import Console

from bench.bundle.verifying import Verification
from bench.bundle.verifying import verify as measure
from bench.guard.rule import limits
from bench.sweep.progress import reporter


def verify(bundle: Path, budget: str, data: str | None, as_json: bool) -> int:
    """Measure a bundle's claim again and show what became of it; returns the exit code."""
    with reporter(Console(stderr=True)) as progress:
        found = measure(bundle, limits.seconds(budget), progress, data or "")
    if as_json:
        print(json.dumps(found.as_json(), indent=1, ensure_ascii=False))
    else:
        show(found)
    return found.exit_code


def show(found: Verification) -> None:
    """Print each promise, and the verdict."""
    for check in found.checks:
        print(f"{check.what}: {check.verdict}: {check.reason}")
    for note in found.notes:
        print(f"  {note}")
    print(f"{found.scenario}: the claim {_SAID[found.verdict]}")


_SAID = {
    "holds": "holds",
    "does not hold": "does not hold",
    "cannot tell": "can neither be confirmed nor refuted here",
}
