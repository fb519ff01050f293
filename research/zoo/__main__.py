"""`python -m research.zoo`: run what is missing of the zoo, check it, and write its page."""

from __future__ import annotations

import argparse
import fnmatch
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bench.results.errors import TfbenchError, UsageError
from bench.results.files import replace_text
from bench.results.quantities import seconds
from bench.results.store import read_run
from bench.sweep.discovery import ROOT
from research.zoo import checking, page, running
from research.zoo.models import MODELS, Model

RECORDS = Path(__file__).parent / "records"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns 0, or 1 where a model is not as its entry says."""
    options = parse(arguments)
    try:
        chosen = choose(options.models)
        if not options.report:
            measure(chosen, options)
        wrong = complain(chosen, options)
        if not options.only:
            write(options.out, options.docs, options.records)
        return 1 if wrong else 0
    except TfbenchError as error:
        print(f"zoo: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("zoo: interrupted; run it again to go on", file=sys.stderr)
        return 130


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(prog="python -m research.zoo", description=__doc__)
    add = parser.add_argument
    add("models", nargs="*", metavar="MODEL", help="names or globs; default: all")
    add("--only", nargs="+", default=(), metavar="GLOB",
        help="scenarios instead of the quick suite; the page is left alone")  # fmt: skip
    add("--budget", default="90m", metavar="TIME", help="start no further model after this time")
    add("--out", type=Path, default=Path("runs/zoo"), help="where runs go, and go on")
    add("--report", action="store_true", help="only check and write the page of what was run")
    add("--docs", type=Path, default=ROOT / "docs", help="where the page goes (default: docs)")
    add("--records", type=Path, default=RECORDS, help="where what came of each model is kept")
    add("--cache", default=os.environ.get("TFBENCH_CACHE", ""), help="folder of trained models")
    options = parser.parse_args(arguments)
    options.out = options.out.absolute() / ("parts" if options.only else "")
    return options


def choose(patterns: Sequence[str]) -> list[Model]:
    """The models that are named; raises UsageError where a pattern names none."""
    names = [model.name for model in MODELS]
    for pattern in patterns:
        if not fnmatch.filter(names, pattern):
            raise UsageError(f"no model {pattern!r} in the zoo: use one of {', '.join(names)}")
    return [m for m in MODELS
            if not patterns or any(fnmatch.fnmatch(m.name, p) for p in patterns)]  # fmt: skip


def measure(models: Sequence[Model], options: argparse.Namespace) -> None:
    """Run the models that this version of the code has not run yet, until the budget is spent."""
    started, budget_s = time.monotonic(), seconds(options.budget)
    options.out.mkdir(parents=True, exist_ok=True)
    for model in models:
        begun = time.monotonic()
        if not options.only and running.is_done(model, options.out):
            print(f"zoo: {model.name} is there", flush=True)
        elif begun - started > budget_s:
            print(f"zoo: {model.name} is left: the time is spent; run it again to go on")
        else:
            running.measure(model, options.out, options.cache, tuple(options.only))
            print(f"zoo: {model.name} took {time.monotonic() - begun:.0f} s", flush=True)
            if not options.only:
                page.keep(options.out, options.records)


def complain(models: Sequence[Model], options: argparse.Namespace) -> int:
    """Say what is not as wanted; returns of how many models."""
    check = checking.certain if options.only else checking.complaints
    wrong = 0
    for model in models:
        folder = options.out / model.name
        if not (folder / "run.json").exists():
            found = [f"was not run: {running.last_line(model, options.out)}"]
        else:
            rows = read_run(folder).effects.rows
            print(f"zoo: {model.name}: {sum(r.status == 'ok' for r in rows)} of {len(rows)} are ok")
            found = check(model, rows)
        wrong += bool(found)
        for sentence in found:
            print(f"zoo: {model.name}: {sentence}")
    return wrong


def write(out: Path, docs: Path, records: Path) -> None:
    """Keep what came of what was run, and write the page of all that is kept."""
    page.keep(out, records)
    docs.mkdir(parents=True, exist_ok=True)
    replace_text(docs / "zoo.md", page.markdown(page.kept(records)))
    print(f"page: {docs / 'zoo.md'}")


if __name__ == "__main__":
    raise SystemExit(main())
