"""Writes docs/zoo.md from the runs of the zoo."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2

from bench.results.as_json import from_json, to_json
from bench.results.files import replace_text
from bench.results.store import read_run
from reports.facts import figures
from reports.facts.advice import cost
from reports.facts.derive import facts_of
from reports.facts.measured import Facts, Measured
from research.zoo.models import MODELS, Model
from research.zoo.running import MARK

FOLDERS = re.compile(r"(?<!\S)/\S*/")
"""In front of a file's name: where it lay on the machine of the run."""


@dataclass(frozen=True)
class Visit:
    """What came of one model, as it is kept beside the code: the runs themselves are large."""

    model: str
    line: str
    """What its task was taken for."""
    ok: int
    """Rows with figures."""
    refused: tuple[tuple[str, tuple[str, ...]], ...]
    """Each reason why scenarios are unsupported, with their ids; the most frequent first."""
    failed: tuple[tuple[str, str], ...]
    """Ids of scenarios that failed, with their reasons."""
    best: str
    """The fastest inference path and what it brings, in words."""
    seconds: float
    """What the run took."""
    machine: str
    commit: str
    """The code that measured it."""

    @property
    def what(self) -> str:
        """What the model is and where it comes from."""
        return next(each.what for each in MODELS if each.name == self.model)

    @property
    def unsupported(self) -> int:
        """Rows with a reason in their place."""
        return sum(len(ids) for _, ids in self.refused)


def keep(out: Path, records: Path) -> None:
    """Keep what came of each model whose run in the zoo's folder has ended, over what was kept."""
    records.mkdir(parents=True, exist_ok=True)
    for model in MODELS:
        folder = out / model.name
        # One that was killed has no mark, one that could not begin no run.
        if (folder / MARK).exists() and (folder / "run.json").exists():
            text = json.dumps(to_json(visit(model, folder)), indent=1, ensure_ascii=False)
            replace_text(records / f"{model.name}.json", text + "\n")


def kept(records: Path) -> list[Visit]:
    """What was kept of the zoo's models, in their order."""
    files = [records / f"{model.name}.json" for model in MODELS]
    return [
        from_json(Visit, json.loads(f.read_text(encoding="utf-8"))) for f in files if f.exists()
    ]


def visit(model: Model, folder: Path) -> Visit:
    """What one run says."""
    run = read_run(folder)
    rows = run.effects.rows
    environment, git = (run.facts.get(each) or {} for each in ("environment", "git"))
    refused: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        if row.status == "unsupported":
            refused[FOLDERS.sub("", row.reason)].append(row.scenario)
    return Visit(
        model=model.name,
        line=str(run.facts.get("workload", {}).get("line", "")),
        ok=sum(row.status == "ok" for row in rows),
        refused=tuple(
            (reason, tuple(ids))
            for reason, ids in sorted(refused.items(), key=lambda item: -len(item[1]))
        ),
        failed=tuple(
            (row.scenario, FOLDERS.sub("", row.reason))
            for row in rows
            if row.status not in ("ok", "unsupported")
        ),
        best=best(facts_of(run)),
        seconds=json.loads((folder / MARK).read_text(encoding="utf-8"))["seconds"],
        machine=f"{environment.get('cpu', 'unknown processor')}, "
        f"{environment.get('cores', '?')} cores",
        commit=str(git.get("commit", ""))[:7],
    )


def best(facts: Facts) -> str:
    """The inference path that is surely fastest against the plain one, and its other effects.

    By the interval's lower end: of two launches many estimates are large by chance.
    """
    rows = [m for m in facts.of("infer") if m.ok and m.against_root is not None]
    if not rows:
        return "–"
    return _described(max(rows, key=lambda m: m.against_root.low if m.against_root else 0.0))


def _described(row: Measured) -> str:
    words = [f"`{row.scenario}` {figures.speedup(row.against_root)}"]
    if row.file_factor:
        words.append(f"file ÷{figures.significant(row.file_factor, 2)}")
    return ", ".join(x for x in (*words, cost(row)) if x)


def markdown(visits: Sequence[Visit]) -> str:
    """The page."""
    loader = jinja2.FileSystemLoader(Path(__file__).parent)
    environment = jinja2.Environment(
        loader=loader, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
    )  # fmt: skip
    page = environment.get_template("page.md.j2")
    failed = [(each.model, id, reason) for each in visits for id, reason in each.failed]
    return page.render(visits=visits, refused=reasons(visits), failed=failed, how=how(visits))


def reasons(visits: Sequence[Visit]) -> list[tuple[list[str], str, tuple[str, ...]]]:
    """(models, reason, scenarios): each reason once, with all models that have it alike."""
    models: dict[tuple[str, tuple[str, ...]], list[str]] = defaultdict(list)
    for each in visits:
        for reason, ids in each.refused:
            models[reason, tuple(ids)].append(each.model)
    return [(names, reason, ids) for (reason, ids), names in models.items()]


def how(visits: Sequence[Visit]) -> list[str]:
    """Where, by which code and for how long the models were run."""
    left = [each.name for each in MODELS if each.name not in {visit.model for visit in visits}]
    runs: dict[tuple[str, str], list[str]] = defaultdict(list)
    for each in visits:
        runs[each.machine, each.commit].append(f"{each.model} {each.seconds / 60:.1f}")
    return [
        "Made by `nox -s zoo`, which keeps what came of each model in `research/zoo/records`.",
        *(
            f"{machine}, at {commit or 'an unknown commit'}, in minutes: {', '.join(minutes)}."
            for (machine, commit), minutes in runs.items()
        ),
        *([f"Not run: {', '.join(left)}."] if left else []),
    ]
