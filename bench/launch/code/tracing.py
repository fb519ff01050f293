"""Counts what a command starts and opens, as the kernel reports it by ptrace.

Looking at /proc now and then would miss what lives shortly. Every system call stops what is
followed, which makes it slower: nothing is timed meanwhile.
"""

from __future__ import annotations

import ctypes
import os
import signal

SEIZE, SYSCALL, LISTEN, EVENT_MESSAGE, SYSCALL_INFO = 0x4206, 24, 0x4208, 0x4201, 0x420E
FORK, VFORK, CLONE, STOP = 1, 2, 3, 128
OPTIONS = 0x1 | 0x2 | 0x4 | 0x8 | 0x100000
"""Mark system calls; follow forks, vforks and clones; end all with this process."""
AT_SYSCALL = signal.SIGTRAP | 0x80
ENTRY, EXIT = 1, 2
OPENS = {"x86_64": {2, 85, 257, 437}, "aarch64": {56, 437}}
"""Numbers of open, creat, openat and openat2."""
ALL = 0x40000000
"""__WALL: threads too."""
ENDED = (os.CLD_EXITED, os.CLD_KILLED, os.CLD_DUMPED)
STOPPING = (signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)


class Info(ctypes.Structure):
    """The kernel's struct ptrace_syscall_info; `number` is the result at a call's exit."""

    _fields_ = (
        ("op", ctypes.c_uint8), ("pad", ctypes.c_uint8 * 3), ("arch", ctypes.c_uint32),
        ("instruction", ctypes.c_uint64), ("stack", ctypes.c_uint64), ("number", ctypes.c_int64),
        ("arguments", ctypes.c_uint64 * 6),
    )  # fmt: skip


def follow(pid: int) -> dict[str, int] | None:
    """Processes, threads and opened files of a stopped command until it ends.

    Its end is left to be waited for. None where following is not allowed; `files` are those whose
    opening succeeded, left out where the numbers of system calls are not known.
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
    opens = OPENS.get(os.uname().machine)
    counts = {"processes": 1, "threads": 0} | ({"files": 0} if opens else {})
    opening: set[int] = set()
    while True:
        found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WSTOPPED | os.WNOWAIT | ALL)
        if found is None or (found.si_pid == pid and found.si_code in ENDED):
            return counts
        stopped, status = os.waitpid(found.si_pid, ALL)
        if not os.WIFSTOPPED(status):
            continue
        event, number = status >> 16, os.WSTOPSIG(status)
        if number == AT_SYSCALL and not event:
            info = Info()
            size = ctypes.sizeof(info)
            library.ptrace(SYSCALL_INFO, stopped, size, ctypes.byref(info))
            if info.op == ENTRY and opens and info.number in opens:
                opening.add(stopped)
            elif info.op == EXIT and stopped in opening:
                opening.discard(stopped)
                counts["files"] += info.number >= 0
            number = 0
        elif event in (FORK, VFORK, CLONE):
            child = ctypes.c_ulong()
            library.ptrace(EVENT_MESSAGE, stopped, None, ctypes.byref(child))
            counts["threads" if _is_thread(child.value) else "processes"] += 1
            number = 0
        elif event == STOP and number in STOPPING:
            ptrace(LISTEN, stopped)
            continue
        elif event:
            number = 0
        ptrace(SYSCALL, stopped, number)


def _is_thread(task: int) -> bool:
    try:
        with open(f"/proc/{task}/status", encoding="utf-8") as file:  # noqa: PTH123
            for line in file:
                if line.startswith("Tgid:"):
                    return int(line.split()[1]) != task
    except OSError:
        pass
    return False
