"""The command line. One command a job; each imports what it needs when it is called."""

from __future__ import annotations

import errno
import os
import shutil
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from bench.results.errors import TfbenchError, UsageError
from bench.results.text import shortened, visible
from bench.sweep import interrupts
from tfbench.command import cache as cache_
from tfbench.command import compare as compare_
from tfbench.command import export as export_
from tfbench.command import guard as guard_
from tfbench.command import history as history_
from tfbench.command import merge as merge_
from tfbench.command import recommend as recommend_
from tfbench.command import report as report_
from tfbench.command import run as run_
from tfbench.command.new_scenario import new_scenario
from tfbench.command.options import (
    Configurations,
    Json,
    ScenarioFolders,
    Scenarios,
    SettingsFile,
    with_workload,
)
from tfbench.screen.plain import tell

app = typer.Typer(
    name="tfbench",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from tfbench.command import version

        tell(version.text())
        raise typer.Exit


@app.callback()
def everywhere(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_version,
            is_eager=True,
            help="Versions of tfbench, Python, TensorFlow, Keras and LiteRT.",
        ),
    ] = False,
) -> None:
    """Measure what TensorFlow optimization techniques do to your model on your hardware."""


@app.command("list")
def list_scenarios(
    patterns: Scenarios = None,
    plain: Annotated[bool, typer.Option("--plain", help="Ids only, one a line.")] = False,
    scenario_folders: ScenarioFolders = None,
    settings: SettingsFile = None,
    as_json: Json = False,
) -> None:
    """List the scenarios: id, what it is, its baseline and what it needs."""
    from tfbench.command import listing

    listing.show(patterns or [], plain, scenario_folders, settings, as_json)


app.command()(run_.run)
app.command()(report_.report)
app.command()(compare_.compare)
app.command()(merge_.merge)
app.command()(recommend_.recommend)
app.command()(history_.history)
app.command()(export_.export)


@app.command()
def verify(
    bundle: Annotated[Path, typer.Argument(help="A bundle's folder.", show_default=False)],
    budget: Annotated[str, typer.Option(help="Time that may be spent: 60s, 5m.")] = "60s",
    data: Annotated[
        str | None, typer.Option(help="As for `run`: measure quality on them too.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Measure a bundle's claim again here; exits with 0 (holds), 1 (does not) or 3."""
    from tfbench.command import verify as command

    raise typer.Exit(command.verify(bundle, budget, data, as_json))


app.command()(guard_.guard)


@app.command()
def trace(
    run: Annotated[Path, typer.Argument(help="A run's folder.")],
    scenario: Annotated[str, typer.Argument(help="Id of a traced scenario.")],
    other: Annotated[
        str | None, typer.Argument(help="A second one: what got faster, slower, came and went.")
    ] = None,
    configuration: Annotated[
        str | None, typer.Option(help="Needed where the run has several.")
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="Rows of the tables.")] = 15,
) -> None:
    """Show what a scenario's Profiler trace holds, or compare two scenarios' traces."""
    from tfbench.command import trace as command

    command.show(run, scenario, other, configuration, top)


@app.command()
@with_workload
def diagnose(
    workload: dict[str, Any],
    path: Annotated[
        str, typer.Argument(help="A scenario's id, or file.py:function that returns a path.")
    ] = "train/function",
    steps: Annotated[
        int, typer.Option(min=0, help="Most next steps whose gain is measured; 0: none.")
    ] = 3,
    configuration: Configurations = None,
    scenario_folders: ScenarioFolders = None,
    settings: SettingsFile = None,
    as_json: Json = False,
) -> None:
    """Find what bounds a path, and measure what helps: input, compute, memory, I/O, Python."""
    from tfbench.command import diagnose as command

    flags = workload | {"configuration": configuration, "scenario_folders": scenario_folders}
    raise typer.Exit(command.diagnose(path, flags, settings, steps, as_json=as_json))


@app.command()
def doctor(
    configuration: Configurations = None,
    settings: SettingsFile = None,
    as_json: Json = False,
) -> None:
    """Find what would make numbers bad on this machine, and what to do (exit code 3 if so)."""
    from tfbench.command import doctor as command

    raise typer.Exit(command.doctor(configuration, settings, as_json))


app.command("new-scenario")(new_scenario)
app.add_typer(cache_.app, name="cache")


def _called(arguments: Sequence[str]) -> int:
    """As Typer's own main function, which would keep signals and closed pipes to itself."""
    command = typer.main.get_command(app)
    try:
        with command.make_context("tfbench", list(arguments)) as context:
            result = command.invoke(context)
    except typer.Exit as end:
        return end.exit_code
    return result if isinstance(result, int) else 0


def _refused(error: OSError) -> str:
    """What the machine refuses, where, and what to do."""
    said, place = error.strerror or str(error), error.filename
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        temporary = tempfile.gettempdir()  # its files have no names
        if place is None and shutil.disk_usage(temporary).free == 0:
            place = temporary
        said += ": make room there; what was written before is kept"
    return f"{place}: {said}" if place else said


def main(arguments: list[str] | None = None, platform: str = sys.platform) -> int:
    """Run the command line; returns the exit code."""
    try:
        if platform != "linux":
            raise UsageError(f"{platform} is not supported: use Linux, a container or WSL")
        with interrupts.handled():
            code = _called(sys.argv[1:] if arguments is None else arguments)
    except TfbenchError as error:
        tell(f"tfbench: {shortened(visible(str(error)))}", file=sys.stderr)
        code = error.exit_code
    except BrokenPipeError:  # nobody reads on, which is no regression
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # nor does what is still to be printed fail
        code = TfbenchError.exit_code
    except OSError as error:  # the machine refuses: a full disk, a folder without permission
        tell(shortened(visible(f"tfbench: {_refused(error)}")), file=sys.stderr)
        code = TfbenchError.exit_code
    except KeyboardInterrupt as error:
        tell(f"tfbench: {str(error) or 'interrupted'}", file=sys.stderr)
        code = interrupts.EXIT_CODE
    except Exception as error:
        show = getattr(error, "show", None)  # the command line parser's own errors
        if show is not None:
            show()
        elif arguments is not None:
            raise
        else:  # a mistake of this program, which is no regression
            traceback.print_exc()
        code = 2
    if arguments is None:
        sys.exit(code)
    return code
