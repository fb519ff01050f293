"""One tree of errors; each message says what to do.

TfbenchError
├── UsageError        wrong usage or input: exit code 2
├── LaunchError       a launch could not give a result; becomes that row's reason
│   ├── Unsupported   the machine or the environment lacks what the scenario needs
│   └── NotEngaged    the technique did not take effect, so its figure may not be shown
└── StoreError        a run's folder cannot be read or written: exit code 2
"""

from __future__ import annotations

import re

IN_CALL = re.compile(r"Exception encountered when calling .*?\.\s+(?:\x1b\[1m)?([^\x1b\n]+)", re.S)
"""What Keras says around an error in a layer's `call`."""


class TfbenchError(Exception):
    """Base of every error this package raises on purpose."""

    exit_code = 2


class UsageError(TfbenchError):
    """Wrong usage or input; the message is one line that says what to do."""


class StoreError(TfbenchError):
    """A run's folder is missing, not empty, unreadable or of another schema."""


class LaunchError(TfbenchError):
    """A launch could not give a result; its message becomes the row's reason."""


class Unsupported(LaunchError):
    """The machine or environment lacks something; the message says what to install or use."""


class NotEngaged(LaunchError):
    """The technique ran but did not take effect (not compiled, not quantized, ...)."""


def one_line(error: BaseException) -> str:
    """`ValueError: what it says`, short; of an error inside a layer or a tf.function its own."""
    whole = str(error)
    if isinstance(error, KeyError) and error.args and IN_CALL.search(str(error.args[0])):
        whole = str(error.args[0])  # its own text is in quotes, with its lines' ends written out
    lines = whole.strip().splitlines() or [""]
    inner = IN_CALL.search(whole)
    if lines[0].rstrip().endswith("in user code:"):
        said = lines[-1].strip()
    else:
        said = inner[1].strip() if inner else lines[0]
    name = type(error).__name__
    if said.startswith(f"{name}: "):
        return said[:500]
    return f"{name}: {said}"[:500] if said else name
