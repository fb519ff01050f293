"""Writes docs/precision.md and its plots from the recorded results, however many there are."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2

from bench.results.errors import UsageError
from research.planted import table as guard_table
from research.precision import numbers, plots, required, rival_tables, tables
from research.precision.cases import apart
from research.precision.decisions import blocks
from research.precision.kept import keep, recorded


def write(out: Path, docs: Path, guard: Path | None = None) -> None:
    """Write the report of the results in `out` and of those that earlier reports kept.

    Args:
        out: Folder of the results.
        docs: Where `precision.md` and its plots go; the records are kept in `precision/records`.
        guard: Folder of `research.planted`, whose cases are added to those that
            `precision/guard.jsonl` there keeps; their table is part of the page.

    Raises:
        UsageError: There are none, here or kept.
    """
    pictures = docs / "precision"
    keep(out, pictures / "records")
    found = recorded(pictures / "records")
    rivals, absolute = found["rivals"], found["absolute"]
    ours = [record for record in found["ours"] if not apart(record)]
    if not (ours or rivals or absolute):
        raise UsageError(f"{out} holds no results: run `python -m research.precision` first")
    done = blocks(ours)
    before = blocks(record for record in found["ours"] if apart(record))
    spreads = tables.estimator_spreads(ours)
    planted = guard_table.keep(guard, pictures / "guard.jsonl")
    pictures.mkdir(parents=True, exist_ok=True)
    plots.effects(done, pictures / "effects.svg")
    plots.called(done, rival_tables.under(rivals, "quiet"), pictures / "called.svg")
    plots.estimators(spreads, pictures / "estimators.svg")
    page = _template().render(
        sessions=_sessions(found["sessions"]),
        required=tables.markdown(required.HEAD, required.rows(done, ours, absolute)),
        spread=tables.spread_table(done),
        by_session=tables.session_table(done),
        alarms=tables.alarm_table(done),
        power=tables.power_table(done),
        matrix=tables.matrix_table(done),
        rivals=rival_tables.decision_table(rivals, done),
        rivals_beside=rival_tables.decision_table(rivals, done, "bursts"),
        guard=guard_table.table(planted) if planted else "",
        estimators=tables.estimator_table(spreads),
        turn_lengths=tables.turn_length_table(ours),
        absolute=tables.absolute_table(absolute),
        before={
            "spread": tables.spread_table(before),
            "alarms": tables.alarm_table(before),
            "power": tables.power_table(before),
            "matrix": tables.matrix_table(before),
        }
        if before
        else None,
    )
    numbers.write(done, docs / "precision.json")
    (docs / "precision.md").write_text(page, encoding="utf-8")


def _template() -> jinja2.Template:
    """The page: its words, and where each table stands."""
    env = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        trim_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
        autoescape=False,
    )
    return env.get_template("page.md.j2")


def _sessions(sessions: Sequence[dict[str, Any]]) -> str:
    lines = []
    for session in sessions:
        machine = session["environment"]
        day = time.strftime("%Y-%m-%d %H:%M", time.gmtime(session["session"]))
        commit = session["git"].get("commit", "")[:10] or "no commit"
        lines.append(
            f"- {day} UTC: {machine['cores']} cores of {session['cpu']}, kernel "
            f"{machine['kernel']}, Python {machine['python']}, TensorFlow "
            f"{machine['packages'].get('tensorflow', '?')}, load at the start "
            f"{session['load'][0]:.1f}, commit {commit}"
            + (f"; beside it: {session['beside']}" if session.get("beside") else "")
        )
    return "\n".join(lines)
