"""A run's folder: what is measured is appended and synced at once, and read back as values."""

from __future__ import annotations

import csv
import dataclasses
import json
import os
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from bench.results.effects import Effects
from bench.results.errors import StoreError
from bench.results.values import Effect, Launch, Scenario, from_json, to_json

SCHEMA = 1


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

    @cached_property
    def operations(self) -> dict[str, list[dict[str, Any]]]:
        """The longest operations of each trace, by its label; {} where there are no traces."""
        try:
            found = json.loads((self.folder / "operations.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return dict(found)

    @cached_property
    def effects(self) -> Effects:
        """The effects, computed anew from the launches."""
        return Effects(self.launches, self.scenarios, tuple(self.facts.get("warnings", ())))

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name


class RunFolder:
    """A run's folder being written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def create(cls, folder: Path) -> RunFolder:
        """Make the folder.

        Raises:
            StoreError: It exists and is not empty, or cannot be written.
        """
        try:
            if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
                raise StoreError(f"{folder} exists and is not empty: choose another --out")
            folder.mkdir(parents=True, exist_ok=True)
            if not os.access(folder, os.W_OK):
                raise PermissionError(13, "permission denied")
        except OSError as error:
            raise StoreError(
                f"{folder} cannot be written ({error.strerror}): choose another --out"
            ) from None
        return cls(folder)

    def write_facts(self, facts: dict[str, Any]) -> None:
        """Write run.json, whole or not at all."""
        text = json.dumps({"schema": SCHEMA, **facts}, indent=1, ensure_ascii=False)
        replace_text(self.folder / "run.json", text + "\n")

    def append(self, launches: Iterable[Launch]) -> None:
        """Append launches to launches.jsonl and sync them to the disk."""
        with (self.folder / "launches.jsonl").open("a", encoding="utf-8") as file:
            for launch in launches:
                file.write(json.dumps(to_json(launch), ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def write_effects(self, rows: Iterable[Effect]) -> None:
        """Write effects.csv, one row a scenario and configuration."""
        write_effects(self.folder / "effects.csv", rows)


def read_run(folder: Path) -> Run:
    """Read a run's folder.

    Raises:
        StoreError: It is no run's folder, or of a newer schema.
    """
    try:
        facts = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StoreError(f"{folder} is not a run's folder: it holds no run.json") from None
    except (OSError, ValueError) as error:
        raise StoreError(f"{folder / 'run.json'} cannot be read: {error}") from None
    if not isinstance(facts, dict) or facts.get("schema", 0) > SCHEMA:
        raise StoreError(f"{folder} was written by a newer tfbench: update this one")
    return Run(folder, facts, list(_launches(folder / "launches.jsonl")))


def _launches(path: Path) -> Iterable[Launch]:
    if not path.exists():
        return
    lines = path.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, start=1):
        try:
            yield from_json(Launch, json.loads(line))
        except (ValueError, TypeError) as error:
            if number == len(lines):  # cut short by a crash: all that was synced is above
                return
            raise StoreError(f"{path}, line {number} is damaged ({error}): remove it") from None


def write_effects(path: Path, rows: Iterable[Effect]) -> None:
    """Write rows of effects as CSV; a missing value is an empty cell."""
    part = path.with_suffix(".part")
    with part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [f.name for f in dataclasses.fields(Effect)])
        writer.writeheader()
        for row in rows:
            cells = dataclasses.asdict(row) | {"warnings": "; ".join(row.warnings)}
            writer.writerow({k: "" if v is None else v for k, v in cells.items()})
    part.rename(path)


def replace_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all."""
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    part.rename(path)
