"""`tfbench verify`: a bundle's claim, measured again on this machine."""

from __future__ import annotations

from pathlib import Path

from bench.bundle.verifying import Verification
from bench.bundle.verifying import verify as measure
from bench.results.quantities import seconds
from bench.sweep.progress import reporter
from tfbench.screen.answer import answer
from tfbench.screen.plain import tell
from tfbench.screen.terminal import Console


def verify(bundle: Path, budget: str, data: str | None, as_json: bool) -> int:
    """Measure a bundle's claim again and show what became of it; returns the exit code."""
    with reporter(Console(stderr=True)) as progress:
        found = measure(bundle, seconds(budget), progress, data or "")
    if as_json:
        answer("verify", **vars(found), verdict=found.verdict)
    else:
        show(found)
    return found.exit_code


def show(found: Verification) -> None:
    """Print each promise, and the verdict."""
    for check in found.checks:
        tell(f"{check.what}: {check.verdict}: {check.reason}")
    for note in found.notes:
        tell(f"  {note}")
    tell(f"{found.scenario}: the claim {_SAID[found.verdict]}")


_SAID = {
    "holds": "holds",
    "does not hold": "does not hold",
    "cannot tell": "can neither be confirmed nor refuted here",
}
