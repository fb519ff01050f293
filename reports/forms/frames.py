"""A run for pandas: one row a scenario and configuration, raw values with units in the names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.results.errors import UsageError
from bench.results.store import Run, read_run
from reports.facts.measured import Facts, Measured

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

        return run_table(Facts(self))


def read(folder: Path | str) -> ShownRun:
    """Read a run's folder for a notebook.

    Raises:
        StoreError: It is no run's folder.
    """
    run = read_run(Path(folder))
    return ShownRun(run.folder, run.facts, run.launches)


def frame(run: Run) -> pd.DataFrame:
    """The columns of effects.csv and what only the report adds, unrounded."""
    import pandas as pd

    return pd.DataFrame([_record(m) for m in Facts(run).all]).convert_dtypes()


def export(run: Run, target: Path) -> None:
    """Write the frame as CSV or Parquet, by the file's ending.

    Raises:
        UsageError: The ending is another, or Parquet's library is not installed.
    """
    table = frame(run)
    if target.suffix == ".csv":
        table.to_csv(target, index=False)
    elif target.suffix == ".parquet":
        try:
            table.to_parquet(target, index=False)
        except ImportError:
            raise UsageError(
                "Parquet needs pyarrow: python -m pip install -c constraints.txt '.[parquet]'"
            ) from None
    else:
        raise UsageError(f"{target.name}: give a file that ends in .csv or .parquet")


def _record(m: Measured) -> dict[str, Any]:
    effect, probe, delta, root = m.effect, m.probe, m.accuracy_delta, m.against_root
    record: dict[str, Any] = {
        "scenario": m.scenario,
        "configuration": m.configuration,
        "kind": m.kind,
        "family": m.family,
        "baseline": effect.baseline or None,
        "status": effect.status,
        "reason": effect.reason or None,
        "latency_ns": effect.latency_ns,
        "latency_low_ns": m.latency.low if m.latency else None,
        "latency_high_ns": m.latency.high if m.latency else None,
        "p50_ns": m.quantile_ns(0.5),
        "p90_ns": m.quantile_ns(0.9),
        "p99_ns": m.quantile_ns(0.99),
        "samples": m.samples,
        "throughput_per_s": effect.throughput_per_s,
        "speedup": effect.speedup,
        "speedup_low": effect.speedup_low,
        "speedup_high": effect.speedup_high,
        "root": m.root,
        "speedup_against_root": root.value if root else None,
        "speedup_against_root_low": root.low if root else None,
        "speedup_against_root_high": root.high if root else None,
        "size_bytes": effect.size_bytes,
        "gzip_bytes": probe.artifact_gzip_bytes if probe else None,
        "parameters": probe.parameters if probe else None,
        "multiply_adds": probe.multiply_adds if probe else None,
        "accuracy": effect.accuracy,
        "accuracy_delta_pp": 100 * delta.value if delta else None,
        "accuracy_delta_low_pp": 100 * delta.low if delta else None,
        "accuracy_delta_high_pp": 100 * delta.high if delta else None,
        "agreement": m.agreement,
        "peak_memory_bytes": effect.peak_memory_bytes,
        "first_step_s": effect.first_step_s,
        "break_even_steps": effect.break_even_steps,
        "difficulty": effect.difficulty or None,
        "warnings": "; ".join(effect.warnings) or None,
    }
    return record
