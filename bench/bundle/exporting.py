"""Writing a bundle: the form, its baseline, samples, the claim, and how to use them."""

from __future__ import annotations

import dataclasses
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bench.bundle import claim as claims
from bench.bundle import places, scripts, texts
from bench.bundle.claim import Claim, Form, Quality, Speed
from bench.bundle.measuring import Launches, Pair
from bench.bundle.paths import Paths
from bench.results import extras
from bench.results.as_json import from_json, to_json
from bench.results.errors import StoreError, UsageError
from bench.results.values import Configuration, Scenario, WorkloadSpec
from bench.sweep.discovery import ROOT
from bench.sweep.environment import fingerprint
from bench.sweep.interpreter import Environment
from bench.sweep.preloaded import Pool
from bench.sweep.progress import Reporter
from bench.sweep.running import LaunchFailed

EXPORT = "scenarios.bundles.exporting:export"
SAMPLES = 16
TIMEOUT_S = 1800.0
BUDGET_S = 60.0
"""For measuring the pair again."""
WIDTH = 0.03
"""Relative half-width of the interval that suffices."""
PRECISIONS = {"int8": "bfloat16", "float16": "float16", "bfloat16": "bfloat16"}
"""Within what the same file repeats its outputs on another processor, by what its arithmetic is:
integers are rounded alike or off by a level, far less than quantization itself may differ."""


@dataclass(frozen=True)
class Subject:
    """What is exported, as a run knows it."""

    scenario: Scenario
    baseline: Scenario | None
    """The plain model or loop; None: it is that itself."""
    configuration: Configuration
    workload: WorkloadSpec
    speedup: Speed | None = None
    """As the run measured it."""
    quality: Quality | None = None
    agreement: Mapping[str, float] = field(default_factory=dict)
    proof: Mapping[str, Any] = field(default_factory=dict)
    command: str = ""
    """Of the run."""
    run: str = ""
    chosen_among: int = 1
    """Measured scenarios that it was chosen from."""
    memory_bytes: int = 4 << 30


def export(subject: Subject, out: Path, reporter: Reporter, measure: bool = True) -> Claim:
    """Write a bundle.

    Args:
        subject: What is exported.
        out: Its folder, new or empty; it appears when it is whole.
        reporter: Told what happens.
        measure: Measure the pair again on fresh launches, and claim that.

    Raises:
        UsageError: The path is no file, or cannot be built here.
        StoreError: The folder is not empty, or cannot be written.
    """
    with _writing(out) as folder:
        claim = _claim(subject, out)
        source = ROOT / subject.scenario.path
        if source.is_file():
            text = scripts.script(subject.scenario, source, subject.workload)
            (folder / "scenario.py").write_text(text, encoding="utf-8")
        if subject.scenario.kind == "infer":
            model, base = _forms(subject, folder, reporter)
            claim = dataclasses.replace(claim, model=model, baseline_model=base)
            versions = claim.environment["packages"] | _versions(model)
            (folder / "infer.py").write_text(texts.infer_script(claim, model), encoding="utf-8")
            (folder / "requirements.txt").write_text(texts.requirements(model, versions))
        if measure and subject.baseline is not None:
            claim = _measured(folder, subject, claim, reporter)
        elif subject.speedup is not None:
            claim = dataclasses.replace(claim, notes=(*claim.notes, _unmeasured(subject)))
        names = [path.name for path in folder.iterdir()]
        (folder / "README.md").write_text(texts.readme(claim, names), encoding="utf-8")
        claim = dataclasses.replace(claim, files=places.digests(folder))
        claims.write(folder, claim)
    return claim


@contextmanager
def _writing(out: Path) -> Iterator[Path]:
    """A folder that takes its place when all is in it."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise StoreError(f"{out} exists and is not empty: choose another --out")
    part = out.with_name(f".part-{out.name}")
    try:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        yield part
        if out.exists():
            out.rmdir()
        part.rename(out)
    except OSError as error:
        raise StoreError(
            f"{out} cannot be written ({error.strerror or error}): choose another --out"
        ) from None
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _claim(subject: Subject, out: Path) -> Claim:
    run = subject.run or "RUN"
    return Claim(
        scenario=subject.scenario.id,
        kind=subject.scenario.kind,
        summary=subject.scenario.summary,
        baseline=subject.baseline.id if subject.baseline else "",
        configuration=subject.configuration,
        speedup=subject.speedup,
        quality=subject.quality,
        agreement=subject.agreement,
        precision=PRECISIONS.get(subject.scenario.follows or "int8", "float32"),
        proof=subject.proof,
        workload=to_json(dataclasses.replace(subject.workload, cache="")),
        environment=fingerprint(),
        commands={
            "run": subject.command or "tfbench run",
            "export": f"tfbench export {run} {subject.scenario.id} --out {out}",
            "verify": f"tfbench verify {out}",
        },
    )


def _forms(subject: Subject, folder: Path, reporter: Reporter) -> tuple[Form, Form | None]:
    """The files of the path and of its baseline, and the samples of both."""
    with Pool(subject.workload, subject.memory_bytes) as pool:
        reporter.begin(f"{subject.scenario.id}: writing its form")
        model = _form(pool, subject, subject.scenario, folder)
        base = None
        if subject.baseline is not None:
            reporter.begin(f"{subject.baseline.id}: writing the baseline's form")
            base = _form(pool, subject, subject.baseline, folder / "baseline")
            base = dataclasses.replace(base, place=f"baseline/{base.place}")
    own = folder / "samples.npz"
    if base is not None:
        plain = folder / "baseline" / "samples.npz"
        arrays = _arrays(own)
        others = _arrays(plain)
        outputs = [name for name in others if name.startswith("output/")]
        arrays |= {f"plain/{name.removeprefix('output/')}": others[name] for name in outputs}
        np.savez(own, allow_pickle=False, **arrays)
        plain.unlink()
    return model, base


def _form(pool: Pool, subject: Subject, scenario: Scenario, folder: Path) -> Form:
    where = subject.configuration
    environment = Environment.of(scenario, where, where.python, ROOT)
    try:
        _call(pool, environment, scenario, where, "prepare", {})
        found = _call(
            pool, environment, scenario, where, "apply",
            {"function": EXPORT, "folder": str(folder.resolve()), "count": SAMPLES},
        )  # fmt: skip
    except LaunchFailed as error:
        raise UsageError(f"{scenario.id} cannot be exported: {error.reason}") from None
    form = from_json(Form, found)
    return dataclasses.replace(form, size_bytes=places.size_bytes(folder / form.place))


def _call(
    pool: Pool, environment: Environment, scenario: Scenario, where: Configuration,
    do: str, arguments: dict[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """The answer of a launch; one that is to apply something is built before."""
    launch = pool.launch(environment, scenario, where)
    try:
        if do == "apply":
            launch.call("build", TIMEOUT_S, first_step=False)
        return launch.call(do, TIMEOUT_S, **arguments)
    finally:
        launch.close()


def _measured(folder: Path, subject: Subject, claim: Claim, reporter: Reporter) -> Claim:
    """The claim with the effect of its files, or of its training path, on fresh launches."""
    where = subject.configuration
    until_s = time.monotonic() + BUDGET_S
    try:
        if claim.model is not None:
            how = "measured again on fresh launches of these files"
            with Launches(folder, claim, where) as launches:
                pair = launches.pair(precise, until_s, reporter)
        else:
            assert subject.baseline is not None  # asked before
            how = "measured again on fresh launches"
            paths = Paths(subject.scenario, subject.baseline, subject.workload)
            pair = paths.pair(where, precise, until_s, reporter)
    except LaunchFailed as error:
        raise UsageError(f"the pair cannot be measured again: {error.reason}") from None
    if pair is None:
        raise UsageError(
            f"{BUDGET_S:.0f} s sufficed for no two launches: use --no-measure to claim the run's"
        )
    found = pair.speedup()
    speedup = Speed(found.value, found.low, found.high, found.launches, how)
    same = pair.control()
    note = (
        f"Meanwhile the baseline measured {same.value:.3f}× [{same.low:.3f}, {same.high:.3f}] the "
        "speed of itself."
    )
    return dataclasses.replace(claim, speedup=speedup, notes=(*claim.notes, note))


def precise(pair: Pair) -> bool:
    """Whether the interval is narrow enough."""
    found = pair.speedup()
    return (found.high - found.low) / 2 <= WIDTH * found.value


def _unmeasured(subject: Subject) -> str:
    return f"The speed is the run's: chosen among {subject.chosen_among}, not measured again."


def _arrays(file: Path) -> dict[str, Any]:
    with np.load(file, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def _versions(form: Form) -> dict[str, str]:
    known = {name: extras.version(name) for name in texts.PACKAGES[form.runtime]}
    return {name: version for name, version in known.items() if version is not None}
