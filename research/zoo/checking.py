"""What has to come of each model: how many rows are ok, none failed, and every refusal is known."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Iterator, Sequence

from bench.results.values import Effect
from research.zoo.models import EVERYWHERE, Model


def complaints(model: Model, rows: Sequence[Effect]) -> list[str]:
    """What is not as the model's entry says, one sentence each; [] where all is.

    Args:
        model: The entry.
        rows: The run's rows.
    """
    return [*certain(model, rows), *_too_few(model, rows), *_required(model, rows)]


def certain(model: Model, rows: Sequence[Effect]) -> list[str]:
    """The complaints that hold of a part of the suite too."""
    return [*_failed(rows), *_refused(model, rows)]


def _failed(rows: Iterable[Effect]) -> Iterator[str]:
    for row in rows:
        if row.status not in ("ok", "unsupported"):
            yield f"{row.scenario} {row.status}: {row.reason}"


def _too_few(model: Model, rows: Iterable[Effect]) -> Iterator[str]:
    count = sum(row.status == "ok" and fnmatch.fnmatch(row.scenario, model.counted) for row in rows)
    if count < model.least_ok:
        yield f"{count} rows of {model.counted} are ok, at least {model.least_ok} are wanted"


def _required(model: Model, rows: Iterable[Effect]) -> Iterator[str]:
    good = [row.scenario for row in rows if row.status == "ok"]
    for wanted in model.required:
        if not fnmatch.filter(good, wanted):
            yield f"{wanted} is not ok"


def _refused(model: Model, rows: Iterable[Effect]) -> Iterator[str]:
    for row in rows:
        if row.status == "unsupported" and not is_known(model, row):
            yield f"{row.scenario} is unsupported for a reason that is not expected: {row.reason}"


def is_known(model: Model, row: Effect) -> bool:
    """Whether a refusal is one that the model's entry expects of this scenario."""
    expected = {**EVERYWHERE, **model.refusals}
    return any(
        re.search(pattern, row.reason)
        for pattern, globs in expected.items()
        if any(fnmatch.fnmatch(row.scenario, each) for each in globs.split())
    )
