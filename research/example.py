"""The example that the documents show: one real run's report, and its table in the README.

`python -m research.example [RUN]` takes a run's folder, by default the newest below `runs/`, copies
its report with the plots into docs/example and writes the README's block anew.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

import reports
from bench.results.errors import TfbenchError, UsageError
from bench.results.files import replace_text
from bench.results.store import Run, read_run
from reports.facts import figures
from reports.facts.claims import EFFECT_TABLE, Judgement, judge, own_speedup, smaller_by
from reports.facts.derive import facts_of
from reports.facts.measured import Facts
from reports.tables.controls import as_percent, noise_floor

ROOT = Path(__file__).resolve().parents[1]
BEGIN, END = "<!-- example -->\n", "<!-- end of example -->"
PICTURE = "speedup-infer.png"
"""The plot that the README shows."""
MOST_BYTES = 4_000_000
"""A page with its charts, and the plots of `report.md`."""
_IMAGE = re.compile(r"!\[([^\]]*)\]\(plots/([^)]+)\)")


def main(arguments: list[str]) -> None:
    """Refresh the example from the run that is named, or from the newest."""
    run = Path(arguments[0]) if arguments else newest(Path("runs"))
    for path in refresh(run, ROOT):
        print(f"example: {path}")


def newest(folder: Path) -> Path:
    """The run in a folder that started last; raises UsageError where there is none."""
    runs = [read_run(file.parent) for file in folder.glob("*/run.json")]
    if not runs:
        raise UsageError(f"{folder} holds no run: make one by `tfbench run`, or name its folder")
    return max(runs, key=lambda run: float(run.facts.get("started", 0.0))).folder


def refresh(folder: Path, root: Path) -> list[Path]:
    """Write docs/example and the README's block from a run; returns what was written.

    Raises:
        UsageError: The run has no inference rows, or its report is too large to be committed.
    """
    reports.write(folder)
    text = (folder / "report.md").read_text(encoding="utf-8")
    block = readme_block(read_run(folder), text)
    images = [name for _, name in _IMAGE.findall(text)]
    files = ["report.md", "report.html", "effects.csv", *(f"plots/{name}" for name in images)]
    size = sum((folder / name).stat().st_size for name in files)
    if size > MOST_BYTES:
        raise UsageError(f"the example would take {size:,} bytes: at most {MOST_BYTES:,} are kept")
    target = root / "docs" / "example"
    shutil.rmtree(target, ignore_errors=True)
    (target / "plots").mkdir(parents=True)
    for name in files:
        keep = _in_few_colours if name.endswith(".png") else shutil.copyfile
        keep(folder / name, target / name)
    readme = root / "README.md"
    replace_text(readme, with_block(readme.read_text(encoding="utf-8"), block))
    return [readme, *(target / name for name in files)]


def _in_few_colours(plot: Path, target: Path) -> None:
    """Keep a plot in a third of its bytes: its lines and letters need no more than 256 colours."""
    with Image.open(plot) as image:
        few = image.convert("RGB").quantize(256, dither=Image.Dither.NONE)
        few.save(target, optimize=True)


def with_block(readme: str, block: str) -> str:
    """The README with what stands between the example's marks replaced."""
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise UsageError(f"README.md has no {BEGIN.strip()} … {END}")
    return f"{before}{begin}{block}{end}{after}"


def readme_block(run: Run, report: str) -> str:
    """A picture, the effect table and what the controls found, in the README's few words."""
    facts = facts_of(run)
    titles = {name: title for title, name in _IMAGE.findall(report)}
    where = next((c for c in facts.configurations if facts.of("infer", c)), None)
    if where is None or PICTURE not in titles:
        raise UsageError(f"{run.folder} has no inference rows: an example needs the quick profile")
    rows = "\n".join(_row(judge(facts, claim, where)) for claim in EFFECT_TABLE)
    return f"""## What it looks like

![{titles[PICTURE]}](docs/example/plots/{PICTURE})

| technique | effect | over plain model | smaller | accuracy | held? |
|---|--:|--:|--:|--:|---|
{rows}

{". ".join(_circumstances(facts, where))}.
[The whole report](docs/example/report.md).
"""


def _row(judged: Judgement) -> str:
    m = judged.measured
    cells = [figures.MISSING] * 4
    if m is not None and m.ok:
        effect, _ = own_speedup(judged.claim, m)
        smaller = smaller_by(m)
        cells = [
            figures.factor(effect) if effect else figures.MISSING,
            figures.factor(m.against_root) if m.against_root else figures.MISSING,
            f"{figures.significant(smaller, 2)}×" if smaller else figures.MISSING,
            figures.changed_by(m.quality, m.quality_change)
            if m.quality and m.quality_change
            else figures.MISSING,
        ]
    return f"| {' | '.join((judged.claim.technique, *cells, judged.held))} |"


def _circumstances(facts: Facts, where: str) -> Iterator[str]:
    """The machine, and what the controls of the inference paths found."""
    run = facts.run.facts
    environment, settings = run.get("environment") or {}, run.get("settings") or {}
    machine = " ".join(str(environment.get("cpu") or "An unknown processor").split())
    cores = environment.get("cores", "?")
    yield f"{machine}, {cores} cores, `{where}`, profile `{settings.get('profile', '?')}`"
    controls = [c for c in facts.controls if c.configuration == where]
    own = [c for c in controls if c.baseline.startswith("infer/")]
    floors = [noise_floor(c.effect) for c in own if not c.injected]
    found = [(c.injected, c.effect) for c in own if c.injected]
    if floors and found:
        injected, measured = found[0]
        yield (
            f"Controls: noise floor ±{figures.significant(100 * floors[0], 2)} %, an injected "
            f"{100 * injected:g} % was measured as {as_percent(measured)}"
        )


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except TfbenchError as error:
        sys.exit(f"example: {error}")
