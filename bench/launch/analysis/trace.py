"""Recording a Profiler trace of a warm path, bounded in time, steps and bytes; what it costs."""

from __future__ import annotations

import math
import re
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import tensorflow as tf

from bench.launch.devices import finish

MAX_BYTES = 8_000_000
"""Some 200 training steps of the reference guide's CNN; converts in about 3 s."""
PILOT_SHARE = 0.1
"""Share of the time limit that each turn of the pilot may take."""
PILOT_ROUNDS = 3
PILOT_LIMIT_S = 60.0
"""A pilot turn that takes longer has hung."""
LATE = 1.5
"""A kept trace may last this much longer than planned before it is cut inside a step."""
TRIES = 4
UNDISTURBED = 1.15
"""A traced step that took no more than this times the fastest was not disturbed."""
RUN = "steps"
"""Name of the profile's folder, the part after the scenario's name in TensorBoard's list."""
OPERATION = re.compile(r"^(?!Iterator)[\w./-]+:[A-Z_]\w+$|^EagerLocalExecute: |^ThunkExecutor::")
"""How events of operations are named: `model/dense/MatMul:MatMul`, eager ones by their kind."""
NO_DEVICE_EVENTS = {
    "GPU": "CUPTI is missing or may not be used (allow it by the driver's option "
    "NVreg_RestrictProfilingToAdminUsers=0, or run as root)",
    "TPU": "the TPU's profiler service did not answer",
}


def record(
    advance: Callable[[], Any],
    folder: Path,
    host: str,
    max_seconds: float = 2.0,
    max_steps: int = 50,
    max_bytes: int = MAX_BYTES,
) -> dict[str, Any]:
    """Trace steps of a warm path into `folder/plugins/profile/steps/HOST.xplane.pb`.

    A pilot takes untraced and traced turns in alternating order: it gives the overhead of tracing
    and the bytes of a step, from which the number of kept steps follows. A step longer than the
    limit (a whole job) is traced for `max_seconds` and then goes on untraced.

    Args:
        advance: Makes one step.
        folder: TensorBoard shows the trace under this folder's path below its `--logdir`.
        host: Name of the machine in the trace viewer.
        max_seconds: Limit of the kept trace's time.
        max_steps: Limit of the kept trace's steps.
        max_bytes: Limit of the kept trace's size.

    Returns:
        `steps`, `seconds` (of the traced steps), `bytes`, `overhead_share` (traced ÷ untraced step
        time − 1; None for a step beyond the limit), `file` and `warnings`. Without `file` the trace
        was not kept and a warning says why.
    """
    started = time.perf_counter()
    with _Session(max_seconds) as pilot:
        steps_done = pilot.run(advance, 1)
    step_s = time.perf_counter() - started
    if pilot.cut:
        return _keep(pilot, folder, host, steps_done, step_s, None, max_bytes)
    share_s = max_seconds * PILOT_SHARE
    turn = max(1, min(max_steps, int(share_s / step_s)))
    overhead, step_bytes = _overhead(advance, turn, pilot.bytes)
    steps = max(1, min(max_steps, int(max_seconds / step_s), int(0.9 * max_bytes / step_bytes)))
    while True:
        with _Session(LATE * max_seconds) as kept:
            begun = time.perf_counter()
            done = kept.run(advance, steps)
            seconds = time.perf_counter() - begun
        if kept.bytes <= max_bytes or steps == 1:
            return _keep(kept, folder, host, done, seconds, overhead, max_bytes)
        kept.discard()
        steps = max(1, steps // 2)  # background threads may record far more than in the pilot


def record_undisturbed(
    advance: Callable[[], Any], folder: Path, host: str, fastest_s: float
) -> dict[str, Any]:
    """The trace with the fastest steps of several, made until one is about as fast as is known.

    On a shared machine a neighbour slows arithmetic for seconds at a time, and memory hardly; a
    trace made in such seconds shows other shares than the path's own.

    Args:
        advance: Makes one step.
        folder: Each try has a folder of its own below.
        host: As for `record`.
        fastest_s: A step's time where nothing disturbed it, untraced.

    Returns:
        As `record`.
    """
    tries: list[dict[str, Any]] = []
    for number in range(TRIES):
        tries.append(record(advance, folder / str(number), host))
        if _pace(tries[-1]) < UNDISTURBED * fastest_s * (1 + (tries[-1]["overhead_share"] or 0)):
            break
    return min(tries, key=_pace)


def _pace(found: dict[str, Any]) -> float:
    """Seconds of a traced step; infinite where there is no trace."""
    return found["seconds"] / found["steps"] if found["steps"] and "file" in found else math.inf


class _Session:
    """One Profiler session into a folder of its own, ended after `max_seconds` at the latest."""

    def __init__(self, max_seconds: float) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="tfbench-trace-"))
        self.max_seconds = max_seconds
        self.cut = False
        self.bytes = 0
        self._lock = threading.Lock()
        self._open = False

    def __enter__(self) -> _Session:
        options = tf.profiler.experimental.ProfilerOptions(
            host_tracer_level=2, python_tracer_level=0, device_tracer_level=1
        )
        tf.profiler.experimental.start(str(self.folder), options=options)
        self._open = True
        self._timer = threading.Timer(self.max_seconds, self._end, kwargs={"cut": True})
        self._timer.daemon = True
        self._timer.start()
        return self

    def run(self, advance: Callable[[], Any], steps: int) -> int:
        """Make marked steps until the session ends; returns how many were traced whole."""
        done = 0
        for number in range(steps):
            with tf.profiler.experimental.Trace("step", step_num=number, _r=1):
                finish(advance())
            if self.cut:
                break
            done += 1
        return done

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._end(cut=False)
        file = self.file
        self.bytes = file.stat().st_size if file else 0

    @property
    def file(self) -> Path | None:
        """The trace, once the session has ended."""
        return next(self.folder.glob("plugins/profile/*/*.xplane.pb"), None)

    def discard(self) -> None:
        """Remove what the session wrote."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _end(self, cut: bool) -> None:
        with self._lock:
            if self._open:
                self._open, self.cut = False, cut
                tf.profiler.experimental.stop()


def _overhead(advance: Callable[[], Any], turn: int, first_bytes: int) -> tuple[float, float]:
    """Traced ÷ untraced step time − 1 over alternating turns, and the bytes one more step takes."""
    ratios, sizes = [], []
    for number in range(PILOT_ROUNDS):
        seconds = {}
        for traced in (number % 2 == 0, number % 2 == 1):
            if traced:
                with _Session(PILOT_LIMIT_S) as session:
                    begun = time.perf_counter()
                    session.run(advance, turn)
                    seconds[True] = time.perf_counter() - begun
                sizes.append(session.bytes)
                session.discard()
            else:
                begun = time.perf_counter()
                for _ in range(turn):
                    finish(advance())
                seconds[False] = time.perf_counter() - begun
        ratios.append(seconds[True] / seconds[False])
    return median(ratios) - 1, max(1.0, median([*sizes, first_bytes]) / turn)


def _keep(
    session: _Session,
    folder: Path,
    host: str,
    steps: int,
    seconds: float,
    overhead: float | None,
    max_bytes: int,
) -> dict[str, Any]:
    warnings = _warnings(session, steps, max_bytes)
    facts: dict[str, Any] = {
        "steps": steps,
        "seconds": seconds,
        "bytes": session.bytes,
        "overhead_share": overhead,
        "warnings": warnings,
    }
    if session.file and session.bytes <= max_bytes:
        target = folder / "plugins" / "profile" / RUN / f"{host}.xplane.pb"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(session.file, target)
        facts["file"] = str(target)
    session.discard()
    return facts


def _warnings(session: _Session, steps: int, max_bytes: int) -> list[str]:
    """What the trace lacks, and why."""
    if session.file is None:
        return ["the Profiler wrote no trace: another profiling session was active"]
    if session.bytes > max_bytes:
        return [
            f"the trace of {steps} steps takes {session.bytes / 1e6:.0f} MB, over the limit of "
            f"{max_bytes / 1e6:.0f} MB, and was not kept"
        ]
    warnings = []
    if session.cut:
        warnings.append(f"the trace ends after {session.max_seconds:g} s, inside a step")
    space = _read(session.file)
    for kind in ("GPU", "TPU"):
        if tf.config.list_physical_devices(kind) and not _events(space, f"/device:{kind}"):
            warnings.append(f"no {kind} events in the trace: {NO_DEVICE_EVENTS[kind]}")
    if not any(OPERATION.match(name) for name in _names(space)):
        warnings.append(
            "no TensorFlow operations in the trace: this path's kernels run outside TensorFlow, so "
            "only its steps are marked"
        )
    return warnings


def _read(file: Path) -> Any:
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    return xplane_pb2.XSpace.FromString(file.read_bytes())


def _events(space: Any, plane_prefix: str) -> int:
    planes = [plane for plane in space.planes if plane.name.startswith(plane_prefix)]
    return sum(len(line.events) for plane in planes for line in plane.lines)


def _names(space: Any) -> Iterator[str]:
    for plane in space.planes:
        for metadata in plane.event_metadata.values():
            yield metadata.name
