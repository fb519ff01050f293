"""Holding up a whole process for a known time, threads included that it does not command.

A spin of the consumer leaves an input pipeline's own threads at work, so that they win back part of
it. Another process can stop all of them: it sends SIGSTOP, spins, and sends SIGCONT.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time


class Holder:
    """A process beside this one that stops it on demand; it ends with this one.

    It runs on the cores that this process may use when the holder is made: stopped, it leaves
    them free.
    """

    def __init__(self) -> None:
        command = [sys.executable, "-I", "-S", __file__, str(os.getpid())]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        self._ask(0)  # it is there

    def hold(self, wanted_ns: int) -> int:
        """Stop this process for some time; returns for how long (ns) none of its threads ran.

        What passes until the holder gets a core, and until this thread gets one again, is not part
        of it: other threads go on meanwhile.

        Raises:
            OSError: The holder is gone.
        """
        return self._ask(wanted_ns)

    def close(self) -> None:
        """End the holder."""
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
        self._process.wait()

    def _ask(self, wanted_ns: int) -> int:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        with contextlib.suppress(BrokenPipeError):
            stdin.write(b"%d\n" % wanted_ns)
        answer = stdout.readline()
        if not answer:
            raise OSError("the process that holds this one up is gone")
        return int(answer)


def hold(pid: int) -> None:
    """Stop `pid` for as many ns as each line that comes in says, and answer for how long it was."""
    clock = time.perf_counter_ns
    while line := sys.stdin.buffer.readline():
        wanted_ns, held_ns = int(line), 0
        if wanted_ns:
            os.kill(pid, signal.SIGSTOP)
            try:
                begun = clock()
                while held_ns < wanted_ns:
                    held_ns = clock() - begun
            finally:
                os.kill(pid, signal.SIGCONT)
        sys.stdout.buffer.write(b"%d\n" % held_ns)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    hold(int(sys.argv[1]))
