"""Measuring a bundle's claim again on this machine. A bundle's Python is never run."""

from __future__ import annotations

import struct
import time
import tokenize
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.bundle import checks, measuring, paths, places
from bench.bundle import claim as claims
from bench.bundle.checks import FALSE, OPEN, Check, Verdict
from bench.bundle.claim import Claim, Form
from bench.bundle.measuring import Launches
from bench.results.errors import Unsupported, UsageError
from bench.results.files import refuse_links
from bench.results.quality import quality_change
from bench.sweep.environment import fingerprint
from bench.sweep.progress import Reporter
from bench.sweep.running import LaunchFailed

SAMPLES = "samples.npz"
UNREADABLE = (
    OSError, ValueError, EOFError, KeyError, TypeError, SyntaxError, OverflowError, MemoryError,
    RuntimeError, zipfile.BadZipFile, zlib.error, struct.error, tokenize.TokenError,
)  # fmt: skip
"""What numpy.load and zipfile raise on files that are no archive of arrays, or claim to be huge."""


@dataclass(frozen=True)
class Verification:
    """What became of a bundle's claim."""

    scenario: str
    checks: tuple[Check, ...]
    notes: tuple[str, ...] = ()
    """What differs from where it was claimed, and what was not examined."""

    @property
    def verdict(self) -> Verdict:
        """Of all checks together."""
        return checks.together(self.checks)

    @property
    def exit_code(self) -> int:
        """0 holds, 1 does not hold, 3 cannot tell."""
        return checks.EXIT_CODES[self.verdict]


def verify(bundle: Path, budget_s: float, reporter: Reporter, data: str = "") -> Verification:
    """Measure a bundle's claim again.

    Args:
        bundle: Its folder.
        budget_s: Time for all of it.
        reporter: Told what happens.
        data: What its quality is measured on, by name; empty: quality is not examined.

    Raises:
        UsageError: It is no bundle, or holds what leads out of it.
    """
    until_s = time.monotonic() + budget_s
    refuse_links(bundle)
    claim = claims.read(bundle)
    forms = [form for form in (claim.model, claim.baseline_model) if form is not None]
    found = [places.inside(bundle, form.place) for form in forms]
    models = [form.place for form in forms]
    made = [checks.files(claim.files, places.digests(bundle), models)]
    made += [
        checks.size(form, places.size_bytes(path), form.place)
        for form, path in zip(forms, found, strict=True)
    ]
    if checks.together(made) == FALSE:  # other files than those of the claim: nothing is run
        return Verification(claim.scenario, tuple(made), ("nothing was run",))
    if claim.model is None:
        made.append(_path(bundle, claim, until_s, budget_s, reporter))
        return Verification(claim.scenario, tuple(made), tuple(_elsewhere(claim)))
    made += _run(bundle, claim, until_s, budget_s, reporter, data)
    notes = [*_elsewhere(claim), *(() if data else checks.unverified(claim))]
    return Verification(claim.scenario, tuple(made), tuple(notes))


def _run(
    bundle: Path, claim: Claim, until_s: float, budget_s: float, reporter: Reporter, data: str
) -> list[Check]:
    """What needs launches: outputs, quality, speed."""
    made: list[Check] = []
    try:
        where = measuring.configuration_here(claim.configuration or _one_core())
        with Launches(bundle, claim, where, data) as launches:
            made += _outputs(bundle, claim, launches, reporter)
            if data:
                reporter.begin(f"quality on {data}")
                made += _quality(claim, launches, data)
            if claim.speedup is not None and claim.baseline_model is not None:
                speedup = claim.speedup
                pair = launches.pair(lambda p: checks.decided(speedup, p), until_s, reporter)
                made.append(checks.speed(speedup, pair, budget_s))
    except (Unsupported, UsageError, LaunchFailed) as error:
        made.append(Check("what it takes to run it", OPEN, str(error)))
    return made


def _path(bundle: Path, claim: Claim, until_s: float, budget_s: float, reporter: Reporter) -> Check:
    """The speed of a training path, measured by this installation's own lines."""
    if claim.speedup is None:
        return Check("speed", OPEN, "the claim says no speed: nothing is promised")
    speedup = claim.speedup
    try:
        found = paths.here(bundle, claim)
        where = measuring.configuration_here(claim.configuration or _one_core())
        pair = found.pair(where, lambda p: checks.decided(speedup, p), until_s, reporter)
    except (Unsupported, UsageError, LaunchFailed) as error:
        return Check("speed", OPEN, str(error))
    return checks.speed(speedup, pair, budget_s)


def _outputs(bundle: Path, claim: Claim, launches: Launches, reporter: Reporter) -> Iterator[Check]:
    sides = ((claim.model, "output/", "the model"), (claim.baseline_model, "plain/", "baseline"))
    for form, prefix, whose in sides:
        if form is None:
            continue
        reporter.begin(f"outputs of {whose} on the samples")
        expected = recorded(bundle, form, prefix)
        try:
            found = launches.ask(form, "answers")["outputs"]
        except LaunchFailed as error:
            yield Check(f"outputs of {whose}", FALSE, f"it does not answer: {error.reason}")
            continue
        precision = claim.precision if form is claim.model else "float32"
        yield checks.outputs(whose, found, expected, precision)


def recorded(bundle: Path, form: Form, prefix: str) -> list[list[float]]:
    """Outputs in `samples.npz`, in the order of the form's.

    Raises:
        UsageError: The file cannot be read.
    """
    try:
        with np.load(bundle / SAMPLES, allow_pickle=False) as arrays:
            return [
                np.asarray(arrays[prefix + port.name], float).ravel().tolist()
                for port in form.outputs
                if prefix + port.name in arrays.files
            ]
    except UNREADABLE as error:
        said = " ".join(str(error).split()) or type(error).__name__
        raise UsageError(f"{bundle / SAMPLES} cannot be read: {said}") from None


def _quality(claim: Claim, launches: Launches, data: str) -> Sequence[Check]:
    if claim.quality is None or claim.model is None or claim.baseline_model is None:
        return [Check("quality", OPEN, "the claim says nothing of quality")]
    base, own = (launches.probe(form) for form in (claim.baseline_model, claim.model))
    made = [checks.quality(claim.quality, quality_change(base, own), data)]
    if data == claim.workload.get("data"):
        level = checks.level(claim.quality, own.quality, data)
        made += [level] if level is not None else []
    return made


def _one_core() -> Any:
    from bench.sweep.settings import find_configuration

    return find_configuration("cpu-1", {})


def _elsewhere(claim: Claim) -> Iterator[str]:
    """How this machine differs from the claim's."""
    here = fingerprint()
    for name in ("cpu", "cores", "gpus"):
        if claim.environment.get(name) != here.get(name):
            yield f"claimed with {name} {claim.environment.get(name)}, here {here.get(name)}"
    there = claim.environment.get("packages")
    if isinstance(there, Mapping):
        own: Mapping[str, str] = here["packages"]
        for name in sorted(there.keys() & own.keys()):
            if there[name] != own[name]:
                yield f"claimed with {name} {there[name]}, here {own[name]}"
