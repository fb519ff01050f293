"""Benchmarks in a user's code: a file's functions, or a suite of tests under pytest."""

from __future__ import annotations

import contextlib
import os
import shlex
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from bench.guard.checkouts.versions import compiled_in_head_alone
from bench.guard.checkouts.worktrees import Checkout
from bench.guard.comparison.launcher import Side, Subject
from bench.guard.sources.calling import CodeLauncher, noticed
from bench.guard.sources.processes import Spawner, ask, environment
from bench.guard.sources.source import Benchmark, Opened, Wanted, chosen
from bench.guard.sources.turns import all_cores
from bench.results.errors import UsageError
from bench.results.values import Configuration
from bench.sweep.progress import Reporter

FINDS_S = 1800.0
"""Limit of listing a side's benchmarks; a suite runs each of its tests once."""


@dataclass(frozen=True)
class Calls:
    """Functions `bench_*` of a file, with optional `setup_*`."""

    file: str
    """Below the folder where the command was called."""

    def request(self, side: Checkout) -> dict[str, Any]:
        """What lists them."""
        return {"kind": "calls", "file": str(side.root / self.file)}

    def benchmarks(self, answer: Mapping[str, Any], side: Checkout) -> dict[str, Benchmark]:
        """What was found, by id."""
        if not (side.root / self.file).is_file():
            return {}
        facts = {"file": str(side.root / self.file)}
        return {
            f"{self.file}::{each['name']}": Benchmark(
                each["name"], file=self.file, line=each["line"], facts=facts
            )
            for each in answer["found"]
        }

    @property
    def what(self) -> str:
        """For messages."""
        return f"functions bench_* in {self.file}"

    @contextlib.contextmanager
    def open(
        self, base: Checkout, head: Checkout, wanted: Wanted, reporter: Reporter
    ) -> Iterator[Opened]:
        """List both sides' functions, and be ready to launch them."""
        if not (head.root / self.file).is_file():
            raise UsageError(f"--calls {self.file}: there is no such file in {head.root}")
        with _opened(self, base, head, wanted, reporter) as found:
            yield found


@dataclass(frozen=True)
class Suite:
    """Tests that use pytest-benchmark's or pytest-codspeed's fixture or mark."""

    path: str
    """As pytest takes it: a folder, a file, or a node id; several, separated by spaces."""
    expression: str = ""
    """As pytest's -k."""

    def paths(self, side: Checkout) -> list[str]:
        """Those of its paths that a side has."""
        return [p for p in shlex.split(self.path) if (side.root / p.partition("::")[0]).exists()]

    def request(self, side: Checkout) -> dict[str, Any]:
        """What lists them, each run once."""
        chosen = ["-k", self.expression] if self.expression else []
        return {"kind": "pytest", "arguments": [*self.paths(side), *chosen]}

    def benchmarks(self, answer: Mapping[str, Any], side: Checkout) -> dict[str, Benchmark]:
        """What was found, by node id; what cannot be timed has its reason among the facts."""
        root, found = answer["root"], {}
        for each in answer["found"]:
            file = os.path.relpath(Path(root) / each["file"], side.root)
            facts = {"rootdir": root, "path": str(Path(root) / each["file"])}
            if each["outcome"] != "ok":
                facts |= {"outcome": each["outcome"], "reason": each["reason"]}
            unit: Literal["step", "job"] = "job" if each["job"] else "step"
            found[each["name"]] = Benchmark(
                each["name"], unit, file=file, line=each["line"], facts=facts
            )
        return found

    @property
    def what(self) -> str:
        """For messages."""
        return f"tests with the fixture or mark `benchmark` in {self.path}"

    @contextlib.contextmanager
    def open(
        self, base: Checkout, head: Checkout, wanted: Wanted, reporter: Reporter
    ) -> Iterator[Opened]:
        """List both sides' tests by running each once, and be ready to launch them."""
        for path in shlex.split(self.path) or [""]:
            if not path or not (head.root / path.partition("::")[0]).exists():
                raise UsageError(f"--pytest {self.path}: there is no {path or 'path'} here")
        with _opened(self, base, head, wanted, reporter) as found:
            yield found


@contextlib.contextmanager
def _opened(
    source: Calls | Suite, base: Checkout, head: Checkout, wanted: Wanted, reporter: Reporter
) -> Iterator[Opened]:
    _check_compiled(base, head)
    sides: dict[Side, Checkout] = {"base": base, "head": head}
    spawner = Spawner(wanted.memory_bytes)
    try:
        reporter.begin("listing the benchmarks of both versions")
        with ThreadPoolExecutor(len(sides)) as executor:
            cores = [*sorted(all_cores())] * 2
            jobs = [
                executor.submit(_list, source, side, head, spawner, wanted.configurations[0], core)
                for side, core in zip(sides.values(), cores, strict=False)
            ]
            answers = [job.result() for job in jobs]
        before, after = (
            source.benchmarks(answer, side)
            for answer, side in zip(answers, sides.values(), strict=True)
        )
        warnings = [
            f"{side.label}: {line}"
            for answer, side in zip(answers, sides.values(), strict=True)
            for line in answer.get("broken", ())
        ]
        if not before and not after:
            why = f" ({warnings[0]})" if warnings else ""
            raise UsageError(f"there are no {source.what}{why}")
        known = chosen({**before, **after}, wanted, "benchmark")
        warnings += [
            f"{id} is not measured: {reason}"
            for id in known
            if (reason := _left_out(before.get(id))) and _left_out(after.get(id))
        ]
        subjects = [
            Subject(id, configuration, before.get(id), after.get(id))
            for configuration in wanted.configurations
            for id in known
        ]
        with CodeLauncher(sides, source.request, spawner, reporter, wanted) as launcher:
            yield Opened(
                subjects, launcher, lambda launches: [*warnings, *noticed(launches)], "benchmark"
            )
    finally:
        spawner.close()


def _left_out(benchmark: Benchmark | None) -> str:
    """Why a side does not measure it, "" where it does or fails."""
    if benchmark is None or benchmark.facts.get("outcome") != "unsupported":
        return ""
    return benchmark.facts["reason"]


def _list(
    source: Calls | Suite,
    side: Checkout,
    head: Checkout,
    spawner: Spawner,
    configuration: Configuration,
    core: int,
) -> dict[str, Any]:
    """What a side has; nothing where it lacks the file or folder."""
    request = source.request(side)
    if isinstance(source, Calls) and not Path(request["file"]).is_file():
        return {"found": []}
    if isinstance(source, Suite) and not source.paths(side):
        return {"found": [], "root": str(side.root)}
    variables = environment(side, head)
    place = CodeLauncher.place(configuration, core)
    process = spawner.start(side.python, request, place, side.root, variables)
    return ask(process, "list", FINDS_S, side)


def _check_compiled(base: Checkout, head: Checkout) -> None:
    """Refuse a head with compiled files that the base lacks: other code would be compared.

    Raises:
        UsageError: It is so, and the sides were not installed.
    """
    place = compiled_in_head_alone(base, head)
    if place is not None:
        raise UsageError(
            f"{place} is compiled and not in the base: give --install, such as "
            "--install 'pip install .', so that it is built for both versions"
        )
