"""New physical memory for a running process: where its pages lie moves its speed.

Launches that do exactly the same work differ in speed, keep their order over seconds and through a
rebuild of the path, and change as soon as their pages are copied: presumably
the pages collide in caches that are indexed by physical address. So a launch lets its pages be
placed anew now and then, and the difference is averaged like other noise. The idea is that of
Curtsinger and Berger, "Stabilizer: statistically sound performance evaluation" (ASPLOS 2013), which
shuffles addresses; here they stay, and what lies behind them changes.
"""

from __future__ import annotations

import os
import resource
import signal
import warnings
from collections.abc import Callable


def remap(step: Callable[[], object]) -> int:
    """Let what a step writes lie elsewhere from now on; addresses and contents stay.

    A fork shares all pages of a process. While the fork waits, each page that the step writes is
    copied by the kernel, and when the fork is gone the copies are this process's own. Only what a
    step touches is paid for: pages that it just reads, or leaves alone, stay where they are.

    Args:
        step: Makes one step, all of it.

    Returns:
        Minor page faults of the step: the pages that were copied, and any that are new to the
        process; 0 where there is no fork.
    """
    try:
        holder, release = _hold()
    except OSError:  # no process or memory is left for one, or a sandbox forbids it
        return 0
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    try:
        step()
    finally:
        moved = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
        os.close(release)
        os.kill(holder, signal.SIGKILL)  # what Python or a library runs in a child may not return
        os.waitpid(holder, 0)
    return moved


def _hold() -> tuple[int, int]:
    """A fork that shares all pages and waits: its process id, and the pipe's end it waits for."""
    reader, writer = os.pipe()
    try:
        with warnings.catch_warnings():  # that other threads run: the child only waits
            warnings.simplefilter("ignore", DeprecationWarning)
            holder = os.fork()
    except OSError:
        os.close(writer)
        os.close(reader)
        raise
    if holder == 0:
        os.close(writer)
        os.read(reader, 1)  # ends with this process too, should it be killed meanwhile
        os._exit(0)
    os.close(reader)
    return holder, writer
