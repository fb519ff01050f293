"""A run for pandas: one row a scenario and configuration, raw values with units in the names."""

from __future__ import annotations

import dataclasses
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.results import extras
from bench.results.errors import UsageError
from bench.results.store import Run, read_run
from bench.results.values import Estimate
from reports.facts.derive import facts_of
from reports.facts.measured import Measured

if TYPE_CHECKING:
    import pandas as pd


class ShownRun(Run):
    """A run that shows itself as a table in a notebook.

    Made by `reports.read`; everything a Run has is there too.
    """

    def frame(self) -> pd.DataFrame:
        """The run's rows with raw values; a missing value is missing."""
        return frame(self)

    def _repr_html_(self) -> str:
        from reports.forms.html import run_table

        return run_table(facts_of(self))


def read(folder: Path | str) -> ShownRun:
    """Read a run's folder for a notebook.

    Raises:
        StoreError: It is no run's folder.
    """
    run = read_run(Path(folder))
    return ShownRun(run.folder, run.facts, run.launches)


def frame(run: Run) -> pd.DataFrame:
    """The columns of effects.csv and what only the report adds, unrounded.

    Raises:
        UsageError: pandas is not installed.
    """
    try:
        import pandas as pd
    except ModuleNotFoundError as error:
        raise UsageError(f"a frame {extras.lacking(error.name or 'pandas')}") from None
    return pd.DataFrame([_record(m) for m in facts_of(run).all]).convert_dtypes()


def export(run: Run, target: Path) -> None:
    """Write the frame as CSV or Parquet, by the file's ending.

    Raises:
        UsageError: The ending is another, or a library that the file needs is not installed.
    """
    if target.suffix == ".csv":
        frame(run).to_csv(target, index=False)
    elif target.suffix == ".parquet":
        if find_spec("pandas") is None:  # the extra of Parquet's library brings both
            raise UsageError(f"a .parquet file {extras.lacking('pyarrow')}")
        table = frame(run)
        try:
            table.to_parquet(target, index=False)
        except ImportError:
            raise UsageError(f"a .parquet file {extras.lacking('pyarrow')}") from None
    else:
        raise UsageError(f"{target.name}: give a file that ends in .csv or .parquet")


def _record(m: Measured) -> dict[str, Any]:
    """A row of effects.csv by its columns, and behind them what only the report derives."""
    effect, probe = m.effect, m.probe
    points = m.step_change if m.quality and m.quality.metric == "accuracy" else None
    record: dict[str, Any] = {
        "scenario": m.scenario,
        "configuration": m.configuration,
        "kind": m.kind,
        "family": m.family,
    }
    record |= {f.name: getattr(effect, f.name) for f in dataclasses.fields(effect)}
    record |= {
        "warnings": "; ".join(effect.warnings),
        "accuracy_delta_low_pp": 100 * points.low if points else None,
        "accuracy_delta_high_pp": 100 * points.high if points else None,
        "latency_low_ns": m.latency.low if m.latency else None,
        "latency_high_ns": m.latency.high if m.latency else None,
        "p90_ns": m.quantile_ns(0.9),
        "samples": m.samples,
        "root": m.root,
        **_estimate("speedup_against_root", m.against_root),
        "gzip_bytes": m.gzip_bytes,
        "parameters": probe.parameters if probe else None,
        "multiply_adds": probe.multiply_adds if probe else None,
        **_estimate("quality_delta_against_root", m.quality_change),
    }
    return {name: None if value == "" else value for name, value in record.items()}


def _estimate(name: str, item: Estimate | None) -> dict[str, float | None]:
    low, high = (item.low, item.high) if item else (None, None)
    return {name: item.value if item else None, f"{name}_low": low, f"{name}_high": high}
