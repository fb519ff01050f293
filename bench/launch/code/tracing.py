"""Counts the processes and threads that a command starts, as the kernel reports them by ptrace.

Looking at /proc now and then would miss what lives shortly. Only starts and signals stop what is
followed; the command's own process is counted too.
"""

from __future__ import annotations

import ctypes
import os
import signal

SEIZE, CONTINUE, LISTEN, EVENT_MESSAGE = 0x4206, 7, 0x4208, 0x4201
FORK, VFORK, CLONE, STOP = 1, 2, 3, 128
OPTIONS = 0x2 | 0x4 | 0x8 | 0x100000
"""Follow forks, vforks and clones; end all with this process."""
ALL = 0x40000000
"""__WALL: threads too."""
ENDED = (os.CLD_EXITED, os.CLD_KILLED, os.CLD_DUMPED)
STOPPING = (signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)


def follow(pid: int) -> dict[str, int] | None:
    """Processes and threads of a stopped command until it ends; None where that is not allowed.

    Its end is left to be waited for.
    """
    library = ctypes.CDLL(None, use_errno=True)
    library.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    library.ptrace.restype = ctypes.c_long

    def ptrace(request: int, target: int, data: int = 0) -> int:
        return int(library.ptrace(request, target, None, data))

    os.waitpid(pid, os.WUNTRACED)
    allowed = ptrace(SEIZE, pid, OPTIONS) == 0
    os.kill(pid, signal.SIGCONT)
    if not allowed:
        return None
    counts = {"processes": 1, "threads": 0}
    while True:
        found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WSTOPPED | os.WNOWAIT | ALL)
        if found is None:
            return counts
        if found.si_pid == pid and found.si_code in ENDED:
            return counts
        stopped, status = os.waitpid(found.si_pid, ALL)
        if not os.WIFSTOPPED(status):
            continue
        event, number = status >> 16, os.WSTOPSIG(status)
        if event in (FORK, VFORK, CLONE):
            child = ctypes.c_ulong()
            library.ptrace(EVENT_MESSAGE, stopped, None, ctypes.byref(child))
            counts["threads" if _is_thread(child.value) else "processes"] += 1
            number = 0
        elif event == STOP:
            if number in STOPPING:
                ptrace(LISTEN, stopped)
                continue
            number = 0
        elif event:
            number = 0
        ptrace(CONTINUE, stopped, number)


def _is_thread(task: int) -> bool:
    try:
        with open(f"/proc/{task}/status", encoding="utf-8") as file:  # noqa: PTH123
            for line in file:
                if line.startswith("Tgid:"):
                    return int(line.split()[1]) != task
    except OSError:
        pass
    return False
