"""`tfbench doctor`."""

from __future__ import annotations

from pathlib import Path

from rich.table import Table

from bench.sweep import settings as settings_
from bench.sweep.doctor import Finding, examine, worst
from tfbench.screen.answer import answer
from tfbench.screen.terminal import Console

FINE, BAD = 0, 3
MARKS = {"fine": "ok", "note": "note", "bad": "BAD"}


def doctor(configuration: str | None, file: Path | None, as_json: bool) -> int:
    """Look at the machine and print what was found.

    Returns:
        0, or 3 where the numbers of a run would be bad.

    Raises:
        UsageError: A configuration is unknown.
    """
    settings = settings_.load(file, {"configuration": configuration})
    wanted = max(each.threads for each in settings.configurations)
    findings = examine(wanted_cores=wanted)
    if as_json:
        answer("doctor", findings=findings, worst=worst(findings))
    else:
        show(findings, Console())
    return BAD if worst(findings) == "bad" else FINE


def show(findings: list[Finding], console: Console) -> None:
    """Print a table, and below it what to do."""
    table = Table("", "what", "measured", box=None, pad_edge=False)
    for each in findings:
        table.add_row(MARKS[each.level], each.name, each.measured)
    console.print(table)
    for level in ("bad", "note"):
        for each in findings:
            if each.level == level:
                console.print(f"\n{MARKS[level]} {each.name}: {each.advice}", markup=False)
    verdict = {
        "fine": "Nothing here would make numbers bad.",
        "note": "Numbers will be good; the notes say what would make them sharper.",
        "bad": "Numbers would be bad: see to what is marked BAD first.",
    }
    console.print(f"\n{verdict[worst(findings)]}")
