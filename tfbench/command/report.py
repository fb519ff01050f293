"""`tfbench report`: a run's report in all its forms."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tfbench.command.options import Anonymize, Claims, Json, PricePerHour
from tfbench.screen.plain import tell

RunFolder = Annotated[Path, typer.Argument(help="A run's folder.", show_default=False)]


def report(
    run: RunFolder,
    summary: Annotated[
        Path | None,
        typer.Option(help="Also append it to this file as a GitHub job summary, size limit kept."),
    ] = None,
    comment: Annotated[
        Path | None,
        typer.Option(help="Also write this file: a pull request's comment, size limit kept."),
    ] = None,
    export: Annotated[
        Path | None,
        typer.Option(help="Also write all rows with raw values: a .csv or .parquet file."),
    ] = None,
    claims: Claims = None,
    price_per_hour: PricePerHour = None,
    anonymize: Anonymize = False,
    as_json: Json = False,
) -> None:
    """Write report.md, report.html and plots/ of a run anew, from its folder alone."""
    import reports
    from bench.results import anonymous
    from bench.results.errors import UsageError
    from bench.results.store import RunFolder
    from reports.facts.derive import facts_of
    from tfbench.screen.answer import answer
    from tfbench.screen.run_answer import of_run

    if anonymize:
        anonymous.folder(run)
    found = reports.read(run)
    if export is not None and export.suffix not in (".csv", ".parquet"):
        raise UsageError(f"{export.name}: give a file that ends in .csv or .parquet")
    asked = wishes(claims, price_per_hour)
    if asked:
        RunFolder(run).write_facts({**found.facts, **asked})
        found = reports.read(run)
    files = reports.write(run)
    if summary is not None:
        with summary.open("a", encoding="utf-8") as file:
            file.write(reports.job_summary(found))
    if comment is not None:
        comment.write_text(reports.comment(found), encoding="utf-8")
    if export is not None:
        reports.export(found, export)
    more = (path for path in (summary, comment, export) if path is not None)
    if as_json:
        answer("report", files=[*files, *more], **of_run(facts_of(found)))
        return
    for path in (*files[:2], *more):
        tell(f"report: {path}")


def wishes(claims: Path | None, price_per_hour: float | None) -> dict[str, Any]:
    """What a run keeps in run.json for its report: claims of one's own, a price.

    Raises:
        UsageError: The claims cannot be read.
    """
    found: dict[str, Any] = {}
    if claims is not None:
        from reports.facts import own_claims

        found["claims"] = own_claims.read(claims)
    if price_per_hour is not None:
        found["price_per_hour"] = price_per_hour
    return found
