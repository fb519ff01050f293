"""Messages between the sweep and its launches: JSON over a socket pair."""

from __future__ import annotations

import json
from multiprocessing.connection import Connection
from typing import Any

PROTOCOL = 3
"""Raised with every change of the messages, of their answers' fields that the other end needs, or
of what a turn's time means: the guard then lets both versions run with one harness."""


class Channel:
    """One end of a pipe that carries JSON objects.

    Args:
        fd: File descriptor of one end of a socket pair; owned by the channel from now on.
    """

    def __init__(self, fd: int) -> None:
        self._connection: Connection[bytes, bytes] = Connection(fd)

    def send(self, message: dict[str, Any]) -> None:
        """Send one message; raises OSError when the other end is gone."""
        self._connection.send_bytes(json.dumps(message).encode())

    def receive(self) -> dict[str, Any]:
        """Block, using no core, for one message; raises EOFError when the other end is gone."""
        message: dict[str, Any] = json.loads(self._connection.recv_bytes())
        return message

    def poll(self, seconds: float) -> bool:
        """Whether a message (or the end) comes within the time."""
        return self._connection.poll(seconds)

    def close(self) -> None:
        """Close this end."""
        self._connection.close()
