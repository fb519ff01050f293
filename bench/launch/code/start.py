"""Starts a process beside a user's code: `python start.py FD REQUEST`, a JSON request.

It lists benchmarks, or is a launch of one of them: until the guard closes its end.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import traceback
from typing import Any

OLDEST = (3, 10)


def main(fd: int, request: dict[str, Any]) -> None:
    """Do what the request asks, and answer messages."""
    from bench.launch.timing import setup, standstill
    from bench.launch.timing.launch import Told, describe, serve
    from bench.results.as_json import from_json
    from bench.results.processes import die_with_parent
    from bench.results.values import Configuration

    die_with_parent()
    standstill.begin()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the guard decides when a launch ends
    configuration = from_json(Configuration, request["configuration"])
    padding = bytearray()
    with contextlib.suppress(EOFError, ConnectionError):
        try:
            padding = setup.process(configuration, request.get("padding", 0))
            answer = _do(fd, request)
        except (EOFError, ConnectionError):
            return
        except BaseException as error:
            traceback.print_exc()
            failed = error if isinstance(error, Exception) else RuntimeError(repr(error))
            answer = Told({"error": describe(failed)})
        serve(answer, fd)
    del padding


def _do(fd: int, request: dict[str, Any]) -> Any:
    """The answer; a test's launch is served inside of the test."""
    from bench.launch.timing.launch import Told

    kind, other = request["kind"], request.get("other", "")
    if kind == "commands":
        from bench.launch.code.commands import Runner

        return Runner()
    if kind == "calls":
        from bench.launch.code import functions

        if "name" in request:
            return functions.launch(request["file"], request["name"], other)
        return Told({"found": functions.found(request["file"])})
    from bench.launch.code import suite

    return Told(suite.run(request, fd, other))


if __name__ == "__main__":
    if sys.version_info < OLDEST:
        print("the guard needs Python 3.10 or newer on both sides", file=sys.stderr)
        sys.exit(1)
    here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120
    sys.path[:] = [*(each for each in sys.path if os.path.abspath(each or ".") != here)]  # noqa: PTH100
    sys.path.append(here.rsplit(os.sep, 3)[0])
    main(int(sys.argv[1]), json.loads(sys.argv[2]))
