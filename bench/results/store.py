"""A run's folder: what is measured is appended and synced at once, and read back as values."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import IO, Any, Self

from bench.results import checked, locks
from bench.results.as_json import from_json, to_json
from bench.results.effects import Effects
from bench.results.errors import StoreError, UsageError
from bench.results.files import as_csv, identity, refuse_links, replace_text, writing
from bench.results.values import Effect, Launch, Scenario

SCHEMA = 1
LAUNCHES, LOCK = "launches.jsonl", ".lock"


class Run:
    """One run: the facts of `run.json`, its launches, and the effects that follow from them."""

    def __init__(self, folder: Path, facts: dict[str, Any], launches: Sequence[Launch]) -> None:
        self.folder = folder
        self.facts = facts
        self.launches = tuple(launches)

    @cached_property
    def scenarios(self) -> dict[str, Scenario]:
        """The scenarios of the run by id, in the order they were run."""
        return {s["id"]: from_json(Scenario, s) for s in self.facts.get("scenarios", [])}

    def operations(self, label: str) -> list[dict[str, Any]] | str:
        """The longest operations of a trace, or the reason why they are missing.

        Args:
            label: The trace's, the name of its folder below `traces/`.

        Returns:
            Rows of text by column; "" where no trace was wanted.
        """
        if isinstance(self._operations, str):
            return self._operations
        found: list[dict[str, Any]] | str = self._operations.get(label, "")
        return found

    @cached_property
    def _operations(self) -> dict[str, Any] | str:
        path = self.folder / "operations.json"
        if not path.exists():
            return "the traces were not read" if (self.folder / "traces").exists() else ""
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            return f"operations.json cannot be read: {error}"
        return found if isinstance(found, (dict, str)) else "operations.json holds no operations"

    @cached_property
    def effects(self) -> Effects:
        """The effects, computed anew from the launches."""
        return Effects(self.launches, self.scenarios, tuple(self.facts.get("warnings", ())))

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name


class RunFolder:
    """A run's folder being written; as a context, it lets others write there at its end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock: IO[str] | None = None
        self._place: tuple[int, int] | None = None
        """Device and number of the folder that it began in."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._lock is not None:
            self._lock.close()

    @classmethod
    def create(cls, folder: Path) -> RunFolder:
        """Make the folder.

        Raises:
            StoreError: It exists and is not empty, or cannot be written.
        """
        try:
            # a run that was refused before it began has left its lock behind
            used = folder.exists() and (
                not folder.is_dir() or any(x.name != LOCK for x in folder.iterdir())
            )
            if used:
                run = (folder / "run.json").exists()
                more = f", or go on with it by --resume {folder}" if run else ""
                raise StoreError(f"{folder} exists and is not empty: choose another --out{more}")
            folder.mkdir(parents=True, exist_ok=True)
            if not os.access(folder, os.W_OK):
                raise PermissionError(13, "permission denied")
        except OSError as error:
            raise StoreError(
                f"{folder} cannot be written ({error.strerror}): choose another --out"
            ) from None
        return cls(folder)._alone()

    @classmethod
    def reopen(cls, folder: Path) -> RunFolder:
        """A run's folder, to go on with the run.

        Raises:
            StoreError: It holds no run, or somebody measures there.
            UsageError: It holds links.
        """
        read_facts(folder)
        return cls(folder)._alone()

    def _alone(self) -> RunFolder:
        """Keep others from measuring into this folder while this object lives."""
        with writing(self.folder / LOCK):
            self._lock = locks.hold(self.folder / LOCK)
        if self._lock is None:
            raise StoreError(
                f"another tfbench measures into {self.folder}: wait for it, or choose another --out"
            )
        self._place = identity(self.folder)
        return self

    def _check_place(self) -> None:
        """Refuse to write into another folder of that name: where a disk was mounted, say."""
        if self._place is not None and identity(self.folder) != self._place:
            raise StoreError(
                f"{self.folder} was removed, renamed or unmounted while it was written: what was "
                "measured before is kept where it went; bring it back and use --resume"
            )

    def discard(self) -> None:
        """Empty the folder of a run that was refused before anything was measured."""
        for name in ("run.json", LAUNCHES, LOCK):
            (self.folder / name).unlink(missing_ok=True)

    def write_facts(self, facts: dict[str, Any]) -> None:
        """Write run.json, whole or not at all."""
        self._check_place()
        text = json.dumps({"schema": SCHEMA, **facts}, indent=1, ensure_ascii=False)
        replace_text(self.folder / "run.json", text + "\n")

    def append(self, launches: Iterable[Launch]) -> None:
        """Append launches to launches.jsonl and sync them to the disk; all of them or none.

        Raises:
            StoreError: The disk is full, say; what was appended before stays.
        """
        self.append_text(LAUNCHES, _lines(launches))

    def append_text(self, name: str, text: str) -> None:
        """Append text to a file of the folder and sync it; all of it or nothing.

        Raises:
            StoreError: The disk is full, say; what was appended before stays.
        """
        self._check_place()
        path = self.folder / name
        with writing(path), path.open("ab", buffering=0) as file:
            end = file.tell()
            try:
                data = text.encode()
                while data:  # a write to a disk that is getting full takes a part, the next none
                    data = data[file.write(data) :]
                os.fsync(file.fileno())
            except OSError:
                file.truncate(end)
                raise

    def write_launches(self, launches: Iterable[Launch]) -> None:
        """Write launches.jsonl anew: what is kept of it."""
        self._check_place()
        replace_text(self.folder / LAUNCHES, _lines(launches))

    def write_effects(self, rows: Iterable[Effect]) -> None:
        """Write effects.csv, one row a scenario and configuration."""
        self._check_place()
        write_effects(self.folder / "effects.csv", rows)


def read_run(folder: Path) -> Run:
    """Read a run's folder.

    What can be repaired is, with a warning that says where: a last line that was cut short, a
    launch that stands there twice.

    Raises:
        StoreError: It is no run's folder, of a newer schema, or damaged; the message names file and
            place.
        UsageError: It holds links.
    """
    facts = read_facts(folder)
    with reading(folder / "run.json"):
        for each in facts.get("scenarios") or ():
            checked.scenario(from_json(Scenario, each))
    launches, repaired = _launches(folder / LAUNCHES, "ended" in facts)
    if repaired:
        facts["warnings"] = [*(facts.get("warnings") or ()), *repaired]
    return Run(folder, facts, launches)


def read_facts(folder: Path) -> dict[str, Any]:
    """A run's run.json alone: a quick look whether it is a run's folder.

    Raises:
        StoreError: It is none, or of a newer schema, or damaged.
        UsageError: It holds links.
    """
    place = folder / "run.json"
    if not (place.exists() or place.is_symlink()):
        raise StoreError(f"{folder} is not a run's folder: it holds no run.json")
    refuse_links(folder)
    with reading(place):
        facts = json.loads(place.read_text(encoding="utf-8"))
        if not isinstance(facts, dict) or not isinstance(facts.get("schema", 0), int):
            raise ValueError("it is no object with a schema")
        if facts.get("schema", 0) > SCHEMA:
            raise StoreError(f"{folder} was written by a newer tfbench: update this one")
        checked.facts(facts)
    return {name: each for name, each in facts.items() if each is not None}


@contextmanager
def reading(place: Path, line: str = "") -> Iterator[None]:
    """Turns what is wrong in a file into one line that names it."""
    try:
        yield
    except (OSError, ValueError, TypeError, RecursionError, KeyError, AttributeError) as error:
        said = getattr(error, "strerror", None) or str(error) or type(error).__name__
        said = f"it lacks {said}" if isinstance(error, KeyError) else said
        raise StoreError(f"{place}{line} is damaged: {' '.join(said.split())}") from None


def runs_below(folder: Path) -> list[Path]:
    """Folders of runs inside a folder, by name.

    Raises:
        UsageError: There is none.
    """
    found = sorted(path.parent for path in folder.glob("*/run.json"))
    if not found:
        raise UsageError(f"{folder} holds no runs: give the folder that holds the runs' folders")
    return found


def _lines(launches: Iterable[Launch]) -> str:
    return "".join(json.dumps(to_json(x), ensure_ascii=False) + "\n" for x in launches)


def _launches(path: Path, ended: bool) -> tuple[list[Launch], list[str]]:
    """The launches, and what was repaired while they were read."""
    if not path.exists():
        if ended:
            raise StoreError(f"{path} is missing: the run ended, so its launches were lost")
        return [], []
    with reading(path):
        lines = path.read_text(encoding="utf-8").split("\n")
    found: list[Launch] = []
    repaired = []
    first: dict[str, int] = {}
    for number, line in enumerate(lines, start=1):
        last = number == len(lines)
        if last and not line:
            break
        try:
            with reading(path, f", line {number}"):
                launch = checked.launch(from_json(Launch, json.loads(line)))
        except StoreError:
            if not last:
                raise
            # a crash while it was written: all that was synced stands above
            repaired.append(f"{path.name}: line {number} was cut short and is left out")
            break
        if launch.turns and line in first:
            text = f"{path.name}: line {number} repeats line {first[line]} and is left out"
            repaired.append(text)
            continue
        first[line] = number
        found.append(launch)
    return found, repaired


def write_effects(path: Path, rows: Iterable[Effect]) -> None:
    """Write rows of effects as CSV; a missing value is an empty cell."""
    names = [f.name for f in dataclasses.fields(Effect)]
    cells = (dataclasses.asdict(row) | {"warnings": "; ".join(row.warnings)} for row in rows)
    replace_text(path, as_csv(names, ([row[name] for name in names] for row in cells)))
