"""The guard on other projects' own benchmarks, unchanged: real code that does more work.

    python -m research.planted.suites cattrs SOURCE --python ENVIRONMENT/bin/python --minutes 60

SOURCE is the project's unpacked source package; ENVIRONMENT has what its benchmarks import (for
cattrs: attrs, msgspec, orjson, typing_extensions), pytest and pytest-benchmark, and nothing else,
for each launch starts pytest with all plugins that it finds.

A unit is a suite judged by the guard, or the same suite judged by pytest-benchmark: its rule needs
means of its own, of both versions, in as much time as the guard took, so that nothing but that time
makes it equal. Units are taken in turns, unchanged code first, and each appends a line to
`results/cattrs.jsonl`, so that the experiment is made in as many sittings as it takes. At the end
the table of docs/guard.md is written from all lines; with `--minutes 0` only that.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from bench.results.files import replace_text
from bench.sweep.discovery import ROOT
from research.planted.chunks import RESULTS, Unit, recorded, work
from research.planted.plants import SLOWER
from research.planted.rivals import git, rival
from research.planted.spread import Mean, screens
from research.planted.table import HEAD, RULES, WHAT, counted, rows
from research.precision.records import Records

KINDS = ("same", "2", "5", "10")
"""Nothing, or how many percent slower."""
BUDGET_S = 17
"""For each benchmark: three minutes for ten."""
ENDS_S = 20
"""That a unit may take beyond its budget: git, listing, the last launch."""
CODES = {"regression": "R", "inconclusive": "?", "improved": "I", "no change": "=", "": "-"}
"""A verdict in a record, which has one for each of the project's benchmarks, in their order."""
DOCUMENT = ROOT / "docs" / "guard.md"
BEGIN, END = "<!--planted-->\n", "<!--/planted-->"


@dataclass(frozen=True)
class Suite:
    """A project's benchmarks, and where its code is made slower."""

    tests: str
    chosen: str
    """As pytest's -k: benchmarks of 8 µs and more, for the plant itself costs some 0.2 µs."""
    count: int
    paths: str
    """What Python must find, from the project's folder."""
    file: str
    methods: tuple[str, ...]


@dataclass(frozen=True)
class Place:
    """Where a suite is measured."""

    suite: Suite
    clone: Path
    """A git repository, whose tag `unchanged` is the code before."""
    python: str = sys.executable
    """Interpreter of the benchmarks."""


SUITES = {
    "cattrs": Suite(
        "bench",
        "(lists or mappings or (primitives and test_structure_attrs and BaseConverter)) "
        "and not DICT-Converter",
        10,
        "src",
        "src/cattrs/converters.py",
        ("BaseConverter.structure", "BaseConverter.unstructure"),
    ),
}


def main() -> None:
    """Measure what is missing and fits, and write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("suite", choices=SUITES)
    parser.add_argument("source", type=Path)
    parser.add_argument("--python", default=sys.executable, help="interpreter of the benchmarks")
    parser.add_argument("--minutes", type=float, help="as many units as fit; else all")
    parser.add_argument("--out", type=Path, help="records elsewhere; no document is written")
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--count", type=int, default=10, help="suites of each kind")
    parser.add_argument("--budget", type=int, help="seconds for each suite, not 17 a benchmark")
    parser.add_argument("--rivals", type=int, default=10, help="suites that pytest-benchmark has")
    options = parser.parse_args()
    records = Records((options.out or RESULTS) / f"{options.suite}.jsonl")
    with tempfile.TemporaryDirectory(prefix="tfbench-planted-") as folder:
        clone = repository(options.source, Path(folder) / options.suite)
        units = in_turns(
            Place(SUITES[options.suite], clone, options.python), records, options.kinds.split(","),
            options.count, options.budget or BUDGET_S * SUITES[options.suite].count, options.rivals,
        )  # fmt: skip
        work(units, records, options.minutes)
    print(table(list(records)))
    if options.out is None:
        document(list(records), DOCUMENT)


def in_turns(
    place: Place, records: Records, kinds: Sequence[str], count: int, budget_s: int, rivals: int
) -> Iterator[Unit]:
    """One suite of each kind, then the next of each, pytest-benchmark after the guard."""
    yield Unit({"by": "collection"}, ENDS_S, partial(collected, place))
    benchmarks = recorded(records, {"by": "collection"}).get("benchmarks", ())
    for number in range(count):
        for kind in kinds:
            key = {"kind": kind, "number": number}
            guard = {**key, "by": "guard"}
            judge = partial(case, place, kind, number, budget_s, benchmarks)
            yield Unit(guard, budget_s + ENDS_S, judge)
            seconds = recorded(records, guard).get("seconds")
            if seconds is not None and number < rivals:
                each_s = timed_for(list(records), seconds)
                judge = partial(beside, place, kind, number, seconds, benchmarks, each_s)
                yield Unit({**key, "by": "pytest-benchmark"}, seconds + ENDS_S, judge)


def timed_for(records: Sequence[Mapping[str, Any]], seconds: float) -> float | None:
    """pytest-benchmark's longest time for a benchmark, with which a suite takes it these seconds.

    By what it took before, for it goes beyond that time: it calibrates, and keeps all times.
    """
    before = [each for each in records if each["by"] == "pytest-benchmark"]
    return before[-1]["each_s"] * seconds / before[-1]["seconds"] if before else None


def repository(source: Path, clone: Path) -> Path:
    """A git repository of a project's source, tagged `unchanged`."""
    if not clone.exists():
        shutil.copytree(source, clone)
        git(clone, "init", "-q")
        git(clone, "config", "user.name", "experiment")
        git(clone, "config", "user.email", "experiment@localhost")
        git(clone, "add", "-A")
        git(clone, "commit", "-q", "-m", "as it is published")
        git(clone, "tag", "unchanged")
    return clone


def change(suite: Suite, kind: str, number: int, clone: Path) -> None:
    """Edit the project's code: a comment, or methods that take longer by a share."""
    file = clone / suite.file
    text = f"\n# nothing changed, number {number}\n"
    if kind != "same":
        share = int(kind) / 100
        lines = [f"{name} = _slower({name}, {share})" for name in suite.methods]
        text = SLOWER.replace("{share:.0%}", f"{share:.0%}") + "\n".join(lines) + "\n"
    file.write_text(file.read_text(encoding="utf-8") + text, encoding="utf-8")


def collected(place: Place) -> dict[str, Any]:
    """The names of the benchmarks, whose order is that of all verdicts."""
    suite = place.suite
    command = [place.python, "-m", "pytest", suite.tests, "-k", suite.chosen, "-q",
               "-p", "no:cacheprovider", "--collect-only"]  # fmt: skip
    done = subprocess.run(
        command, cwd=place.clone, env=_variables(place), capture_output=True, text=True
    )
    if done.returncode != 0:
        raise SystemExit(f"the benchmarks cannot be collected:\n{done.stdout[-2000:]}")
    found = [_name(line) for line in done.stdout.splitlines() if "::" in line]
    if len(found) != suite.count:
        raise SystemExit(f"{suite.count} benchmarks were meant to be chosen, and {len(found)} are")
    return {"benchmarks": found}


def _variables(place: Place) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(place.clone / place.suite.paths)}


def committed(place: Place, kind: str, number: int) -> None:
    """The change alone, as a commit on top of what is published."""
    clone = place.clone
    git(clone, "reset", "-q", "--hard", "unchanged")
    git(clone, "clean", "-qfd")
    change(place.suite, kind, number, clone)
    git(clone, "commit", "-qam", f"{kind} {number}")


def case(
    place: Place, kind: str, number: int, budget_s: int, benchmarks: Sequence[str]
) -> dict[str, Any]:
    """Plant one change, and let the guard compare it with the code before."""
    committed(place, kind, number)
    suite, out = place.suite, place.clone.parent / "last"
    shutil.rmtree(out, ignore_errors=True)
    done = subprocess.run(
        [
            sys.executable, "-P", "-m", "tfbench", "guard", "--base", "unchanged",
            "--configuration", "cpu-1", "--pytest", suite.tests, "-k", suite.chosen,
            "--budget", f"{budget_s}s", "--seed", str(number), "--out", str(out),
            "--python", place.python,
        ],
        cwd=place.clone, capture_output=True, text=True,
    )  # fmt: skip
    if not (out / "guard.json").exists():
        raise SystemExit(f"the guard did not end: {done.stderr[-2000:]}")
    judged = json.loads((out / "guard.json").read_text(encoding="utf-8"))["judgements"]
    return {"seed": number, "exit_code": done.returncode, **told(judged, screens(out), benchmarks)}


def told(
    judged: Sequence[Mapping[str, Any]], means: Mapping[str, Mean], benchmarks: Sequence[str]
) -> dict[str, Any]:
    """What the guard said, in few words: lists have a place for each benchmark."""
    timed = {_name(j["scenario"]): j for j in judged if j["metric"] == "latency"}
    by_name = {_name(id): mean for id, mean in means.items()}
    changes = [timed.get(name, {}).get("change") for name in benchmarks]
    return {
        "verdicts": "".join(CODES[timed.get(name, {}).get("verdict", "")] for name in benchmarks),
        "changes_pct": [None if each is None else round(100 * each, 2) for each in changes],
        "screens": [by_name.get(name) for name in benchmarks],
        "other_alarms": [f"{_name(j['scenario'])} {j['metric']}" for j in judged
                         if j["metric"] != "latency" and j["verdict"] == "regression"],
    }  # fmt: skip


def _name(id: str) -> str:
    """A test's name as pytest-benchmark calls it, without its file."""
    return id.partition("::")[2]


def beside(
    place: Place,
    kind: str,
    number: int,
    seconds: float,
    benchmarks: Sequence[str],
    each_s: float | None = None,
) -> dict[str, Any]:
    """What pytest-benchmark says of the same change in the same time."""
    committed(place, kind, number)
    suite = place.suite
    found = rival(
        place.clone, seconds, (suite.tests, "-k", suite.chosen), suite.count, _variables(place),
        place.python, each_s,
    )  # fmt: skip
    failed = {rule: {test.rpartition(" (")[0] for test in found[rule]} for rule in RULES}
    return {
        "exit_code": found["exit_code"],
        "each_s": found["each_s"],
        "verdicts": {
            rule: "".join("R" if each in failed[rule] else "=" for each in benchmarks)
            for rule in RULES
        },
    }


# --- the table ----------------------------------------------------------------------------------


def cases(records: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each suite that the guard judged, as the table counts it, with what pytest-benchmark said."""
    found = []
    for each in (one for one in records if one["by"] == "guard"):
        key = {"kind": each["kind"], "number": each["number"]}
        other = recorded(records, {**key, "by": "pytest-benchmark"}).get("verdicts", {})
        slower = "R" in each["verdicts"]
        found.append({
            **key, "seconds": each["seconds"], "found": slower,
            "alarms": each["other_alarms"] + ["latency"] * slower,
            "rivals": {rule: ["R"] * verdicts.count("R") for rule, verdicts in other.items()},
        })  # fmt: skip
    return found


def table(records: Sequence[Mapping[str, Any]]) -> str:
    """Markdown: of each kind, in how many suites something was called slower; `–`: not measured."""
    found = {row[0]: row for row in rows(counted(cases(records)))}
    lines = [found.get(WHAT[kind], (WHAT[kind], *["–"] * (len(HEAD) - 1))) for kind in KINDS]
    return "\n".join(f"|{'|'.join(line)}|" for line in (HEAD, ["-"] * len(HEAD), *lines)) + "\n"


def document(records: Sequence[Mapping[str, Any]], page: Path) -> None:
    """Write the table into a document, between its marks."""
    before, rest = page.read_text(encoding="utf-8").split(BEGIN)
    replace_text(page, before + BEGIN + table(records) + END + rest.partition(END)[2])


if __name__ == "__main__":
    main()
