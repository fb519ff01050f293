"""What a source of benchmarks is: it opens a comparison of two versions."""

from __future__ import annotations

import fnmatch
import hashlib
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol, TypeVar

from bench.guard.checkouts.worktrees import Checkout
from bench.guard.comparison.launcher import Launcher, Subject
from bench.results.errors import UsageError
from bench.results.values import Configuration, Launch
from bench.sweep.progress import Reporter

T = TypeVar("T")


@dataclass(frozen=True)
class Wanted:
    """What is to be compared, whatever its source."""

    patterns: tuple[str, ...]
    """Ids and globs; none: all."""
    configurations: tuple[Configuration, ...]
    memory_bytes: int
    """Limit of one launch."""
    seed: int = 0
    exclude: tuple[str, ...] = ()
    budget_s: float = math.inf
    """Time for the whole comparison."""


@dataclass(frozen=True)
class Opened:
    """A comparison that can begin."""

    subjects: Sequence[Subject]
    launcher: Launcher
    warnings: Callable[[Sequence[Launch]], Iterable[str]] = lambda launches: ()
    """What was noticed by the end, given all of the comparison's launches: some may have been made
    before an interruption."""
    noun: str = "scenario"
    """What a subject is called."""

    @property
    def places(self) -> dict[str, tuple[str, int]]:
        """Where subjects are written: file and line, of those that say it."""
        found = {s.id: s.either for s in self.subjects}
        return {
            id: (each.file, each.line)
            for id, each in found.items()
            if isinstance(each, Benchmark) and each.file
        }


class Source(Protocol):
    """Where benchmarks come from."""

    def open(
        self, base: Checkout, head: Checkout, wanted: Wanted, reporter: Reporter
    ) -> AbstractContextManager[Opened]:
        """Find the subjects of both sides and make ready to launch them.

        Raises:
            UsageError: There is nothing to compare, or a side does not start.
        """


@dataclass(frozen=True)
class Benchmark:
    """A benchmark of a user's code, as the comparison needs to know it."""

    name: str
    """What its own process knows it by."""
    unit: Literal["step", "job"] = "step"
    path_kind: str = "call"
    kind: str = "infer"
    file: str = ""
    """Of its source, below the side's root."""
    line: int = 0
    facts: Mapping[str, str] = field(default_factory=dict)
    """Further words of the request that starts it."""


def chosen(known: Mapping[str, T], wanted: Wanted, what: str) -> dict[str, T]:
    """Those that the patterns name, in their order.

    Raises:
        UsageError: A pattern names none, or nothing is left.
    """
    for pattern in wanted.patterns:
        if not any(_named(id, pattern) for id in known):
            raise UsageError(f"no {what} {pattern!r}: there are {_some(list(known))}")
    found = {
        id: each
        for id, each in known.items()
        if (not wanted.patterns or any(_named(id, p) for p in wanted.patterns))
        and not any(_named(id, p) for p in wanted.exclude)
    }
    if not found:
        raise UsageError(f"no {what} is left to compare: exclude fewer")
    return found


def of_probes(launches: Iterable[Launch]) -> list[str]:
    """What probes warned of, each once."""
    probes = (each for each in launches if each.purpose == "probe")
    return list(dict.fromkeys(line for each in probes for line in each.warnings))


def changed_files(subjects: Sequence[Subject], base: Checkout, head: Checkout) -> Iterator[str]:
    """That benchmarks' own files are not the same in both versions, which may do other work."""
    known = (s.either for s in subjects if s.base is not None and s.head is not None)
    files = dict.fromkeys(x.file for x in known if isinstance(x, Benchmark) and x.file)
    changed = [x for x in files if _digest(base.root / x) != _digest(head.root / x)]
    if changed:
        yield f"benchmarks changed too, so both versions may do other work: {_some(changed)}"


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else ""


def _named(id: str, pattern: str) -> bool:
    """Whether a pattern names it; an id may hold brackets, which mean something in a glob."""
    return id == pattern or fnmatch.fnmatchcase(id, pattern)


def _some(ids: Sequence[str]) -> str:
    shown = ", ".join(ids[:5])
    return f"{shown} and {len(ids) - 5} more" if len(ids) > 5 else shown or "none"
