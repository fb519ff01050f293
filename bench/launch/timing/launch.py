"""A launch as far as it times: it warms up what was built, and takes turns when it is asked."""

from __future__ import annotations

import contextlib
import gc
import math
import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from bench.launch.timing import memory, setup, standstill, turns
from bench.launch.timing.warmup import warm_up
from bench.results import extras, processes
from bench.results.errors import TfbenchError, Unsupported, UsageError, one_line
from bench.results.messages import Channel


def serve(launch: TimedLaunch, fd: int) -> NoReturn:
    """Answer messages until the sweep closes the channel, which raises EOFError.

    Each message names a method of the launch, or of one of its variants; the answer is what it
    returned, or the error.
    """
    channel = Channel(fd)
    while True:
        message = channel.receive()
        try:
            name = message.pop("variant", None)
            one = launch if name is None else launch.variants[name]
            call: Callable[..., dict[str, Any]] = getattr(one, message.pop("do"))
            answer = call(**message)
        except BaseException as error:  # what is timed may raise anything, SystemExit too
            traceback.print_exc()
            answer = {"error": describe(error)}
        channel.send(answer)


def be(make: Callable[[], TimedLaunch], channel: int, log: int, parent: int = 0) -> NoReturn:
    """Be a launch in a process that was just forked for it; never returns.

    Args:
        make: Makes the launch.
        channel: File descriptor of its end of the channel to the sweep.
        log: File descriptor of what it prints to.
        parent: The process that forked it, with which it ends.
    """
    status = 1
    try:
        processes.die_with_parent(parent)
        standstill.begin()
        os.setsid()  # what it starts is in its group, by which the sweep ends it all
        for place in (1, 2):
            os.dup2(log, place)
        # the forked process may have replaced them, as pytest does
        sys.stdout, sys.stderr = (open(place, "w", 1, closefd=False) for place in (1, 2))  # noqa: SIM115
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the sweep decides when a launch ends
        serve(_made(make), channel)
    except (EOFError, ConnectionError):  # the sweep is gone
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _made(make: Callable[[], TimedLaunch]) -> Any:
    """The launch, or the reason why there is none, whatever it is asked."""
    try:
        return make()
    except Exception as error:
        traceback.print_exc()
        return Told({"error": describe(error)})


class Told:
    """A process that has its answer ready, whatever it is asked: what it found, or an error."""

    def __init__(self, answer: dict[str, Any]) -> None:
        self.variants: dict[str, Any] = {}
        self._answer = answer

    def __getattr__(self, name: str) -> Any:
        return lambda **arguments: self._answer


def describe(error: BaseException) -> dict[str, str]:
    """An error as outcome and one-line reason."""
    text = str(error).strip()
    first = text.splitlines()[0][:500] if text else ""
    if isinstance(error, Unsupported):
        return {"outcome": "unsupported", "reason": first}
    if isinstance(error, ModuleNotFoundError) and (error.name or "") in extras.EXTRAS:
        return {"outcome": "unsupported", "reason": extras.lacking(error.name or "")}
    if isinstance(error, UsageError):
        return {"outcome": "failed", "reason": text, "usage": "yes"}
    if isinstance(error, TfbenchError):
        return {"outcome": "failed", "reason": first}
    if isinstance(error, MemoryError):
        return {"outcome": "failed", "reason": "ran out of memory"}
    return {"outcome": "failed", "reason": one_line(error)}


class TimedLaunch:
    """One fresh process that takes turns; who inherits builds what is timed and sets `timer`."""

    timer: turns.Timer
    job = False
    """A step is the whole job: it is made once, and nothing before it."""
    least_steps = 0
    """Steps until buffers are full."""
    collects = False
    """Whether garbage is collected inside turns, as in the program that was taken from."""

    def __init__(self) -> None:
        self.variants: dict[str, TimedLaunch] = {}
        self._step_ns = math.inf  # until it is warm
        self._kept_ns = 0  # time in which nothing was drawn, since the last turn
        self._drawn_s = others_s()  # the other threads' CPU time at its end
        self._waiting_since: tuple[float, float] | None = None
        self._cores: set[int] = set()
        self._waited = [0.0, 0.0]
        self._worked = [0.0, 0.0]

    # --- messages -----------------------------------------------------------------------------

    def pin(self, cpus: list[int]) -> dict[str, Any]:
        """Move to the cores where turns are taken; it was built on another."""
        setup.pin(cpus)
        self.stays()
        return {}

    def warm(self, turn_ns: int, cap_ns: int) -> dict[str, Any]:
        """Warm up; afterwards the process is ready to take turns."""
        warm = warm_up(self.timer, turn_ns, cap_ns, self._growth, self.least_steps)
        self._step_ns = warm.step_ns
        self.stays()
        self._drawn_s = others_s()
        with self._kept_from_drawing():
            gc.collect()
            gc.freeze()
            if not self.collects:
                gc.disable()  # a collection inside a turn would be timed
        self._wait()
        return {
            "steps": warm.steps,
            "step_ns": warm.step_ns,
            "turns": [[t.round, t.position, t.steps, t.elapsed_ns] for t in warm.turns],
            "steady": warm.steady,
            "reason": warm.reason,
        }

    def turn(self, steps: int) -> dict[str, Any]:
        """One timed turn."""
        self._woken()
        traces = self.trace_count()
        delayed = setup.delayed_ns()
        still = standstill.Standstill()
        if not self.job:
            # the last thing before the turn: a pipeline works on in any gap
            self.timer.lead_in(steps, self._made_ahead())
        cpu, wall = time.process_time(), time.perf_counter()
        elapsed = self.timer.turn(steps)
        self._drawn_s = others_s()
        self._worked[0] += time.process_time() - cpu
        self._worked[1] += time.perf_counter() - wall
        answer = {
            "elapsed_ns": elapsed,
            "delayed_ns": max(0, setup.delayed_ns() - delayed),  # a thread that ended took its own
            "retraced": self.trace_count() - traces,
            "stood_still": still.seen(),
        }
        if answer["stood_still"]:
            self.timer.forget()
        self._wait()
        if self._cores:
            setup.check_cores(self._cores)
        return answer

    def remap(self) -> dict[str, Any]:
        """Make a step that moves what it writes to other physical pages, and go on on these."""
        self._woken()
        with self._kept_from_drawing():
            pages = memory.remap(lambda: self.timer.finish(self.timer.advance()))
        self._wait()
        return {"pages": pages}

    renew = remap  # the message's name, which launches of older versions know too

    def done(self, inside: bool = True) -> dict[str, Any]:
        """What is known after the last turn; `inside`: also what takes steps to find out."""
        self._woken()
        return {
            "histogram": self.timer.histogram,
            "cpu_share": share(self._worked),
            "waiting_cpu_share": share(self._waited),
            "probes": self.found(inside),
        }

    # --- what an inheriting launch may know more of ---------------------------------------------

    def trace_count(self) -> int:
        """Times that the timed function was compiled or traced, as far as that can be seen."""
        return 0

    def found(self, inside: bool) -> dict[str, Any]:
        """Facts of what was timed; `inside`: also those that take steps to find out."""
        return {}

    # --- pieces -------------------------------------------------------------------------------

    def stays(self) -> None:
        """Know the cores on which turns are taken: some runtimes bind the thread themselves."""
        self._cores = os.sched_getaffinity(0)

    @contextlib.contextmanager
    def _kept_from_drawing(self) -> Iterator[None]:
        begun = time.perf_counter_ns()
        yield
        self._kept_ns += time.perf_counter_ns() - begun

    def _made_ahead(self) -> int:
        """Batches that the pipeline may have made since the last turn.

        Between a turn and the signal that stops it, the pipeline has as long as the sweep takes to
        wake up; the CPU time that its threads used shows how long. Those that wait for storage use
        little, but what this one did instead of drawing was timed.
        """
        used_ns = 1e9 * (others_s() - self._drawn_s)
        idle_ns = max(self._kept_ns, used_ns / (share(self._worked) or 1.0))
        self._kept_ns = 0
        return self.timer.made_ahead(idle_ns, self._step_ns)

    def _growth(self) -> tuple[int, int]:
        return self.trace_count(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

    def _wait(self) -> None:
        self._waiting_since = (time.process_time(), time.perf_counter())

    def _woken(self) -> None:
        if self._waiting_since is not None:
            self._waited[0] += time.process_time() - self._waiting_since[0]
            self._waited[1] += time.perf_counter() - self._waiting_since[1]
            self._waiting_since = None


def others_s() -> float:
    """CPU time of this process's other threads, s."""
    return time.process_time() - time.thread_time()


def share(spent: list[float]) -> float | None:
    """CPU time ÷ wall time; None before any was spent."""
    return spent[0] / spent[1] if spent[1] > 0 else None
