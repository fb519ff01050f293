"""Workloads of the cases, asked in preloaded processes that all tests share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bench.results.values import WorkloadSpec
from bench.sweep.preloaded import Pool
from tests.cases.asking import Ask, Asked


@pytest.fixture(scope="session")
def ask(pool: Pool, cache: Path) -> Ask:
    """Gives the workload of some fields of a `WorkloadSpec`; one is asked once whatever it says."""
    asked: dict[WorkloadSpec, Asked] = {}

    def ask(**fields: Any) -> Asked:
        given = {"data": "synthetic:12x12x3", "epochs": 1, "cache": str(cache)} | fields
        spec = WorkloadSpec(**given)
        return asked.setdefault(spec, Asked(pool, spec))

    return ask
