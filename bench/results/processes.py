"""What keeps a process from outliving the one that started it."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36


def die_with_parent(parent: int = 0) -> None:
    """Ask the kernel to kill this process when the one that forked it ends: none is left behind.

    Not for a preloaded process itself: the kernel takes the thread that started it for its parent,
    and the sweep's threads come and go.

    Args:
        parent: Its process id; where it has ended before the kernel could be asked, this process
            ends now. 0: not known.
    """
    if sys.platform == "linux":
        prctl = ctypes.CDLL(None).prctl
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        prctl(PR_SET_CHILD_SUBREAPER, 1)  # daemons that it starts stay its own, and end with it
    if parent and os.getppid() != parent:
        os._exit(1)
