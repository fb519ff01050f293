"""What suites expect of pytest-benchmark and pytest-codspeed, where the guard takes their place.

Their options are accepted and do nothing, their hooks may be implemented, and the names that
suites import for annotations are there.
"""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType
from typing import Any

import pytest

FLAGS = (
    "--benchmark-only", "--benchmark-skip", "--benchmark-disable", "--benchmark-enable",
    "--benchmark-disable-gc", "--benchmark-verbose", "--benchmark-quiet", "--benchmark-save-data",
    "--benchmark-autosave", "--codspeed",
)  # fmt: skip
VALUES = (
    "--benchmark-min-time", "--benchmark-max-time", "--benchmark-min-rounds", "--benchmark-timer",
    "--benchmark-calibration-precision", "--benchmark-warmup-iterations", "--benchmark-save",
    "--benchmark-compare-fail", "--benchmark-storage", "--benchmark-netrc", "--benchmark-sort",
    "--benchmark-group-by", "--benchmark-columns", "--benchmark-name", "--benchmark-time-unit",
    "--benchmark-cprofile-loops", "--benchmark-cprofile-top", "--benchmark-cprofile-dump",
    "--codspeed-mode", "--codspeed-warmup-time", "--codspeed-max-time", "--codspeed-max-rounds",
)  # fmt: skip
OPTIONAL = (
    "--benchmark-warmup", "--benchmark-compare", "--benchmark-json", "--benchmark-histogram",
    "--benchmark-cprofile",
)  # fmt: skip
BLOCKED = ("benchmark", "codspeed", "cacheprovider", "tfbench")
"""Plugins that are left out: those whose place this takes, the cache in the user's folder, and this
project's own, whose packages would come before the user's."""
ELSEWHERE = {
    "xdist": ("-n", "--numprocesses", "--maxprocesses", "--dist"),
    "pytest_cov": ("--cov", "--cov-report", "--cov-config", "--cov-fail-under", "--cov-context"),
}
"""Options that suites often set, of plugins that need not be installed where none is used."""
ELSEWHERE_FLAGS = {"pytest_cov": ("--cov-branch", "--cov-append", "--no-cov-on-fail", "--no-cov")}
STILL = {
    "xdist": ("-n", "0"),
    "pytest_cov": ("--no-cov",),
    "pytest_randomly": ("-p", "no:randomly"),
    "pytest_timeout": ("--timeout", "0"),
}
"""Plugins that would spread tests over processes, slow them down, change their data, end them."""


class Hooks:
    """Hooks of pytest-benchmark, which a conftest may implement; none is called."""

    def pytest_benchmark_scale_unit(
        self, config: Any, unit: Any, benchmarks: Any, best: Any, worst: Any, sort: Any
    ) -> None:
        """Ignored."""

    def pytest_benchmark_generate_machine_info(self, config: Any) -> None:
        """Ignored."""

    def pytest_benchmark_update_machine_info(self, config: Any, machine_info: Any) -> None:
        """Ignored."""

    def pytest_benchmark_generate_commit_info(self, config: Any) -> None:
        """Ignored."""

    def pytest_benchmark_update_commit_info(self, config: Any, commit_info: Any) -> None:
        """Ignored."""

    def pytest_benchmark_group_stats(self, config: Any, benchmarks: Any, group_by: Any) -> None:
        """Ignored."""

    def pytest_benchmark_generate_json(
        self, config: Any, benchmarks: Any, include_data: Any, machine_info: Any, commit_info: Any
    ) -> None:
        """Ignored."""

    def pytest_benchmark_update_json(self, config: Any, benchmarks: Any, output_json: Any) -> None:
        """Ignored."""

    def pytest_benchmark_compare_machine_info(
        self, config: Any, benchmarksession: Any, machine_info: Any, compared_benchmark: Any
    ) -> None:
        """Ignored."""


def add_options(parser: pytest.Parser) -> None:
    """Accept the options that a suite's settings may hold."""
    group = parser.getgroup("benchmarks, measured by the guard")
    for name in FLAGS:
        group.addoption(name, action="store_true", help="ignored")
    for name in VALUES:
        group.addoption(name, help="ignored")
    for name in OPTIONAL:
        group.addoption(name, nargs="?", const=True, help="ignored")
    for package, names in ELSEWHERE.items():
        if importlib.util.find_spec(package) is None:
            for name in names:  # the public method refuses short options, which are pytest's own
                group._addoption(name, nargs="?", const=True, action="store", help="ignored")
            for name in ELSEWHERE_FLAGS.get(package, ()):
                group.addoption(name, action="store_true", help="ignored")


def arguments() -> list[str]:
    """Further arguments of pytest, by what is installed."""
    given = [word for name in BLOCKED for word in ("-p", f"no:{name}")]
    for package, words in STILL.items():
        if importlib.util.find_spec(package) is not None:
            given += words
    return given


def provide(fixture: type) -> None:
    """Modules that suites import the fixture's type from, where they are not installed."""
    for package, inner in (("pytest_benchmark", "fixture"), ("pytest_codspeed", "plugin")):
        if importlib.util.find_spec(package) is not None:
            continue
        outside, inside = ModuleType(package), ModuleType(f"{package}.{inner}")
        for module in (outside, inside):
            module.BenchmarkFixture = fixture  # type: ignore[attr-defined]
            sys.modules[module.__name__] = module
        setattr(outside, inner, inside)
