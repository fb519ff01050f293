"""Claims of one's own: a table of scenarios with the speed, size and quality expected of them."""

from __future__ import annotations

import csv
import math
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.results.as_json import from_json, to_json
from bench.results.errors import UsageError
from reports.facts.claims import Claim
from reports.facts.measured import Facts

NUMBERS = {"speed": "speed_factor", "size": "size_factor", "quality": "loss_pp"}
"""Columns of the table, and what they are of a claim."""
COLUMNS = ("scenario", "technique", *NUMBERS)


def read(path: Path) -> list[dict[str, Any]]:
    """The claims of a file, as a run keeps them.

    Args:
        path: A CSV file with a head, or a TOML file with tables `[[claims]]`. `scenario` is an id;
            `technique` its name; `speed` and `size` say how many times faster and smaller than the
            plain path it is at least; `quality` how many percentage points (of other metrics than
            shares: percent) it loses at most. What is empty is not claimed.

    Raises:
        UsageError: It cannot be read; the message says where.
    """
    found = [to_json(_claim(row, f"{path}, claim {n}")) for n, row in enumerate(_rows(path), 1)]
    if not found:
        raise UsageError(f"{path} holds no claims: give rows with {', '.join(COLUMNS)}")
    return found


def own_claims(facts: Facts) -> tuple[Claim, ...]:
    """The claims that a run keeps."""
    kept = facts.run.facts.get("claims") or []
    return tuple(from_json(Claim, {**PLAIN, **each}) for each in kept)


PLAIN = {"size": None, "speed": None, "loss": "", "difficulty": ""}
"""Of a claim in numbers, which has no arrows."""


def _rows(path: Path) -> list[dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".toml":
            rows = tomllib.loads(text).get("claims", [])
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                raise UsageError(f"{path}: write each claim as a table [[claims]]")
            return rows
        return list(csv.DictReader(text.splitlines()))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read as a table of claims: {error}") from None


def _claim(row: Mapping[str, Any], place: str) -> Claim:
    given = {str(k).strip(): v for k, v in row.items() if v not in (None, "")}
    unknown = set(given) - set(COLUMNS)
    if unknown:
        raise UsageError(f"{place}: unknown {min(unknown)!r}: use {', '.join(COLUMNS)}")
    scenario = str(given.get("scenario", "")).strip()
    numbers = {NUMBERS[k]: _number(given[k], f"{place}: {k}") for k in NUMBERS if k in given}
    if not scenario or not numbers:
        raise UsageError(f"{place}: give a scenario's id, and a speed, a size or a quality")
    technique = str(given.get("technique", scenario)).strip()
    return Claim(
        technique, scenario, None, None, "", "", numbers.get("size_factor"),
        numbers.get("speed_factor"), loss_pp=numbers.get("loss_pp"),
    )  # fmt: skip


def _number(value: Any, place: str) -> float:
    try:
        number = float(str(value).strip().removesuffix("×").removesuffix("x").removesuffix("pp"))
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or number < 0:
        raise UsageError(f"{place} {value!r} is no number: write 2.5, say")
    return number
