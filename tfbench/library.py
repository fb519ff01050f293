"""The library's face for notebooks and programs: the functions behind the command line."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.plugin import callables
from bench.plugin.effects import MeasuredEffect, alone, launcher, until_precise
from bench.results.errors import UsageError
from bench.results.store import Run as StoredRun
from reports.forms import frames
from tfbench import given
from tfbench.screen.terminal import Console

if TYPE_CHECKING:
    import pandas as pd

    from bench.bundle.claim import Claim


PLOTS = ("speedup-infer", "speedup-train", "pareto")
"""Of the report: shown below a run's table."""


class Run:
    """A run. In a notebook it shows itself as the table of its report."""

    def __init__(self, stored: StoredRun) -> None:
        self.stored = frames.ShownRun(stored.folder, stored.facts, stored.launches)

    @property
    def folder(self) -> Path:
        """Its folder: `report.html`, `plots/`, traces, and all that was measured."""
        return self.stored.folder

    @property
    def effects(self) -> pd.DataFrame:
        """One row a scenario and configuration, raw values with units in the names."""
        return self.stored.frame()

    def best(
        self, max_loss: str | float | None = "1pp", minimize: str = "latency", kind: str = "infer"
    ) -> str:
        """Id of the best scenario.

        Args:
            max_loss: Most quality that it may lose: "0.5pp" (or 0.5) percentage points, "1%" of
                the plain model's; None: any.
            minimize: latency, size, memory or cost.
            kind: infer or train.

        Raises:
            UsageError: No measured scenario satisfies.
        """
        from reports.facts.derive import facts_of
        from reports.facts.limits import Limits, Loss
        from reports.facts.recommend import recommend

        goal: Any = minimize
        found = recommend(facts_of(self.stored), goal, Limits(Loss.read(max_loss)), kind=kind)
        if found.best is None:
            raise UsageError(f"no measured scenario loses at most {max_loss}: raise max_loss")
        return found.best.measured.scenario

    def export(
        self,
        out: Path | str,
        scenario: str | None = None,
        *,
        configuration: str | None = None,
        max_loss: str | float | None = "1pp",
        measure: bool = True,
        scenario_folders: Sequence[Path | str] = (),
    ) -> Claim:
        """Write a bundle: the model with infer.py, samples and a claim; as `tfbench export`."""
        from bench.sweep.progress import Silent
        from reports.facts.limits import Loss
        from tfbench import exporting

        return exporting.export(
            self.stored, Path(out), Silent(), scenario, configuration, Loss.read(max_loss),
            measure, scenario_folders,
        )  # fmt: skip

    def _repr_html_(self) -> str:
        shown = (self.folder / "plots" / f"{name}.svg" for name in PLOTS)
        pictures = (base64.b64encode(file.read_bytes()).decode() for file in shown if file.exists())
        return self.stored._repr_html_() + "".join(
            f'<img alt="" style="max-width:100%" src="data:image/svg+xml;base64,{each}">'
            for each in pictures
        )

    def __repr__(self) -> str:
        return f"Run({str(self.folder)!r})"


def run(
    model: Any = "cnn",
    data: Any = None,
    scenarios: Sequence[str] | str = (),
    profile: str | None = None,
    *,
    out: Path | str | None = None,
    settings: Path | None = None,
    **flags: Any,
) -> Run:
    """Measure scenarios against their baselines and write the report; as `tfbench run`.

    Args:
        model: As for `--model`; a Keras model in memory, which is saved to a file for the launches;
            or a function in a file that builds one.
        data: As for `--data`; `(x, y)`, `((x, y), (x_test, y_test))` or a dict of arrays.
        scenarios: Ids and globs; none: the profile's.
        profile: smoke, quick or full.
        out: The run's folder; None: runs/<time>-<host>.
        settings: A settings file.
        **flags: Other settings by their names: configuration, batch, epochs, seed, launches, …

    Raises:
        TfbenchError: Wrong usage or input; a model or data that cannot be saved.
    """
    from bench.sweep.recording import default_folder
    from tfbench.command import running

    folder = Path(out) if out is not None else default_folder()
    place = given.folder_beside(folder)
    named = {
        "model": given.model(model, place),
        "data": given.data(data, place),
        "profile": profile,
        **flags,
    }
    patterns = (scenarios,) if isinstance(scenarios, str) else tuple(scenarios)
    said = ", ".join(f"{key}={value!r}" for key, value in named.items() if value is not None)
    console = Console() if Console().is_jupyter else Console(stderr=True)
    command = f"tfbench.run({said}, scenarios={patterns!r})"
    facts = running.measure(patterns, named, settings, folder, console, command)
    return Run(facts.run)


def compare(
    new: Callable[[], Any], old: Callable[[], Any], *, within: float = 0.02
) -> MeasuredEffect:
    """How much faster one function without arguments is than another, by turns in fresh launches.

    Args:
        new: The candidate; launches are forks of this process, so closures are fine.
        old: What it is compared with.
        within: Half-width of the interval that suffices; 0.02 is ±2 %.

    Raises:
        Unsupported: This process cannot be forked safely.
        LaunchFailed: One of them raised.
    """
    with alone():
        launch = launcher(callables.members(new, old), callables.PROFILE)
        return until_precise(callables.name(new), callables.name(old), launch, within)


def read(folder: Path | str) -> Run:
    """A run from its folder.

    Raises:
        StoreError: It is no run's folder.
    """
    return Run(frames.read(folder))
