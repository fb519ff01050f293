"""What a launch asks of the workload, which it does not know: a factory makes it, by name."""

from __future__ import annotations

import functools
from typing import Any, Protocol

from bench.results.loading import attribute
from bench.results.values import WorkloadSpec


class Prepared(Protocol):
    """One launch's workload."""

    workload: Any
    """What scenarios' functions are given."""
    train_examples: int
    """Examples in an epoch."""

    def describe(self) -> dict[str, Any]:
        """What it is: `provides` and `lacks` by scenarios' needs, `plain`, `trained`, `line`, ….

        {} where nothing is known beforehand: then every scenario's launch finds out itself.
        """

    def prepare(self, train: bool = True) -> dict[str, Any]:
        """Make the shared weights, trained if wanted, unless the cache holds them; their facts."""

    def made(self) -> bool:
        """Whether this launch made what others will find: it holds memory that they do not."""

    def recorded(self) -> list[float]:
        """Losses of the first updates, where a path's steps return only means of several."""

    def check(self, losses: list[float]) -> None:
        """Raise an error of usage where the first losses of a path are no numbers."""

    def quality(self, path: Any, kind: str) -> dict[str, Any]:
        """How good a path is on the test examples: fields of `Launch`, by name."""


class Workloads(Protocol):
    """A factory of workloads; one lives in each preloaded process."""

    def read(self, spec: WorkloadSpec) -> None:
        """Read the data before forking, where that initialises nothing: launches have it at once.

        What cannot be read is left to the launch, where the failure is reported.
        """

    def make(self, spec: WorkloadSpec, threads: int, devices: int) -> Prepared:
        """The workload, for this many threads of any runtime and this many devices."""


@functools.cache
def factory(name: str) -> Workloads:
    """The factory of a name, `module:class`; one a process."""
    made: Workloads = attribute(name)()
    return made
