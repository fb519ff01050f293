"""What `tfbench guard` was asked for, and how a folder keeps it so that it can be asked again."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bench.guard.checkouts.versions import Versions
from bench.guard.sources.code import Calls, Suite
from bench.guard.sources.commands import Command
from bench.guard.sources.source import Source
from bench.results import checked
from bench.results.as_json import from_json, to_json
from bench.results.errors import StoreError, UsageError
from bench.results.store import Run, reading


@dataclasses.dataclass(frozen=True)
class Code:
    """What of a user's own code is compared, instead of scenarios."""

    pytest: str | None = None
    expression: str | None = None
    calls: str | None = None
    command: str | None = None
    prepare: str | None = None
    cleanup: str | None = None
    install: str | None = None
    python: str | None = None

    def source(self) -> Source | None:
        """Where benchmarks come from; None: scenarios.

        Raises:
            UsageError: More than one is given, or a flag that belongs to another.
        """
        given = [each for each in (self.pytest, self.calls, self.command) if each is not None]
        if len(given) > 1:
            raise UsageError("compare one of --pytest, --calls and --command at a time")
        for flag, value, needs, there in (
            ("-k", self.expression, "--pytest", self.pytest),
            ("--prepare", self.prepare, "--command", self.command),
            ("--cleanup", self.cleanup, "--command", self.command),
            ("--install", self.install, "--pytest, --calls or --command", given),
            ("--python", self.python, "--pytest, --calls or --command", given),
        ):
            if value is not None and (there is None or there == []):
                raise UsageError(f"{flag} belongs to {needs}: give it too")
        if self.pytest is not None:
            return Suite(self.pytest, self.expression or "")
        if self.calls is not None:
            return Calls(self.calls)
        if self.command is not None:
            return Command(self.command, self.prepare or "", self.cleanup or "")
        return None

    def versions(self, base_python: str | None) -> Versions:
        """How versions of it are made ready."""
        return Versions(Path.cwd(), self.python or "", base_python or "", self.install or "")


@dataclasses.dataclass(frozen=True)
class Request:
    """What the command line asked for."""

    base: str | None = None
    base_python: str | None = None
    baseline: Path | None = None
    bisect: str | None = None
    budget: str | None = None
    out: Path | None = None
    allow_inconclusive: bool = False
    code: Code = dataclasses.field(default_factory=lambda: Code())


@dataclasses.dataclass(frozen=True)
class Asked:
    """All of a command line."""

    patterns: tuple[str, ...]
    request: Request
    flags: Mapping[str, Any]
    file: Path | None
    folder: str
    """Where it was called; what is named is named from there."""

    def kept(self) -> dict[str, Any]:
        """As run.json keeps it."""
        own = dataclasses.replace(self.request, out=None)
        given = {name: value for name, value in self.flags.items() if value is not None}
        return {
            "patterns": list(self.patterns),
            "request": _texts(to_json(own)),
            "flags": _texts(given),
            "file": str(self.file) if self.file else None,
            "folder": self.folder,
        }


@contextlib.contextmanager
def called_again(asked: Asked) -> Iterator[None]:
    """What a command asked for, asked where it was called.

    Raises:
        UsageError: That folder is gone.
    """
    here = Path.cwd()
    try:
        os.chdir(asked.folder)
    except OSError as error:
        raise UsageError(
            f"the guard was begun in {asked.folder}, which cannot be entered ({error.strerror}): "
            "bring it back, or start a new one"
        ) from None
    try:
        yield
    finally:
        os.chdir(here)


def _texts(value: Any) -> Any:
    """Paths as texts, wherever they are."""
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return {key: _texts(each) for key, each in value.items()}
    return [_texts(each) for each in value] if isinstance(value, list | tuple) else value


def read(run: Run) -> Asked:
    """What a folder's comparison was asked for.

    Raises:
        StoreError: It holds none, or what it holds is damaged.
    """
    found = run.facts.get("guard")
    if not isinstance(found, Mapping):
        hint = f"a run goes on by tfbench run --resume {run.folder}"
        raise StoreError(f"{run.folder} holds no guard that can go on: {hint}")
    with reading(run.folder / "run.json"):
        asked = found["asked"]
        request = from_json(Request, asked["request"])
        if request.baseline is not None:
            request = dataclasses.replace(request, baseline=Path(request.baseline))
        if request.base is not None:  # a branch may have moved since
            request = dataclasses.replace(request, base=str(found["base"]["commit"]))
        request = dataclasses.replace(request, out=run.folder)
        file = Path(asked["file"]) if asked["file"] else None
        flags = dict(asked["flags"])
        whole = Asked(tuple(asked["patterns"]), request, flags, file, asked["folder"])
        checked.check(Asked, whole, "guard.asked")
        return whole
