"""Writes docs/precision.md, its plot, and docs/precision.json with all of its numbers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt

from bench.results.errors import UsageError
from research.planted import table as planted_table
from research.precision.cases import EFFECTS
from research.precision.facts import Facts, derive
from research.precision.records import NAMES, Records

MET = {True: "yes", False: "**no**", None: "–"}
COLUMNS = (("cpu-1", "quiet"), ("cpu-1", "bursts"), ("cpu-all", "quiet"), ("cpu-all", "bursts"))


def write(out: Path, docs: Path, planted: Path | None = None, notes: Sequence[str] = ()) -> None:
    """Write the page of the records in `out`.

    Args:
        out: Folder of the results.
        docs: Where the page, its plot and its numbers go.
        planted: Folder of `python -m research.planted`, whose table becomes part of the page.
        notes: Sentences that the page carries beside its figures.

    Raises:
        UsageError: There are no results.
    """
    recorded = {name: list(Records(out / f"{name}.jsonl")) for name in NAMES}
    if not any(recorded[name] for name in NAMES[1:]):
        raise UsageError(f"{out} holds no results: run `nox -s precision` first")
    facts = derive(recorded, notes)
    facts["planted"] = planted_table.summary(planted) if planted else []
    docs.mkdir(parents=True, exist_ok=True)
    text = json.dumps(facts, indent=1, ensure_ascii=False)
    (docs / "precision.json").write_text(text + "\n", encoding="utf-8")
    (docs / "precision.md").write_text(markdown(facts), encoding="utf-8")
    plot(facts, docs / "precision.svg")


def markdown(facts: Facts) -> str:
    """The page."""
    loader = jinja2.FileSystemLoader(Path(__file__).parent)
    environment = jinja2.Environment(loader=loader, trim_blocks=True, keep_trailing_newline=True,
                                     undefined=jinja2.StrictUndefined)  # fmt: skip
    required = [(r["what"], r["required"], r["reached"], MET[r["met"]]) for r in facts["required"]]
    return environment.get_template("page.md.j2").render(
        made=facts["made"], notes=facts["notes"],
        reached={r["what"]: r["reached"] for r in facts["required"]},
        required=_table(("what", "required", "reached", "met"), required),
        sds=_table(("sd, %", *(f"{c}, {n}" for c, n in COLUMNS)), _sds(facts["cases"])),
        tools=_table(("rule", "s", "sd, %", "identical", *(f"{e:.0%}" for e in EFFECTS)),
                     map(_tool, facts["tools"])),
        planted=_table(planted_table.HEAD, planted_table.rows(facts["planted"]))
        if facts["planted"] else "",
    )  # fmt: skip


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"|{'|'.join(line)}|" for line in (head, ["-"] * len(head), *rows))


def _sds(cases: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """By kind of work: the sd of an effect, all ways to inject one, at the guard's first look."""
    found: dict[str, dict[tuple[str, str], list[Mapping[str, Any]]]] = {}
    for case in cases:
        place = case["configuration"], case["noise"]
        found.setdefault(case["kind"], {}).setdefault(place, []).append(case)
    return [
        [kind, *(_pooled(places.get(c, [])) for c in COLUMNS)] for kind, places in found.items()
    ]


def _pooled(cases: Sequence[Mapping[str, Any]]) -> str:
    blocks = sum(case["blocks"] for case in cases)
    squares = sum(case["blocks"] * case["sd_of_an_effect"] ** 2 for case in cases)
    return f"{100 * (squares / blocks) ** 0.5:.2f}" if blocks else "–"


def _tool(row: Mapping[str, Any]) -> list[str]:
    called = ("/".join(map(str, row["called"][f"{e:g}"])) for e in (0.0, *EFFECTS))
    return [f"{row['tool']}: {row['rule']}", f"{row['seconds']:.0f}", f"{100 * row['sd']:.2f}",
            *(cell if not cell.endswith("/0") else "–" for cell in called)]  # fmt: skip


def plot(facts: Facts, out: Path) -> None:
    """Share of decisions that call the effect, by injected effect, tfbench beside other tools."""
    plt.rcParams.update({"svg.hashsalt": "precision", "svg.fonttype": "none", "font.size": 9,
                         "axes.spines.top": False, "axes.spines.right": False})  # fmt: skip
    figure, axes = plt.subplots(figsize=(8, 3.6))
    for row in facts["tools"]:
        cells = [(e, *row["called"][f"{e:g}"]) for e in (0.0, *EFFECTS)]
        points = [(100 * e, 100 * hits / of) for e, hits, of in cells if of]
        ours = row["tool"].startswith("tfbench")
        red = "#f2a5a4" if row["rule"].startswith("six") else "#e45756"
        axes.plot(*zip(*points, strict=True), marker="o", markersize=4,
                  linewidth=2.5 if ours else 1, zorder=3 if ours else 2,
                  label=f"{row['tool']}: {row['rule']}",
                  color=red if ours else None)  # fmt: skip
    axes.set_xlabel("injected slow-down, % (0: identical, where a call is a false alarm)")
    axes.set_ylabel("called slower, %")
    axes.set_ylim(-3, 103)
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    figure.savefig(out, bbox_inches="tight", metadata={"Date": None})
    plt.close(figure)
