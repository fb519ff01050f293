"""Plain printing, without Rich: names and messages cannot command the terminal."""

from __future__ import annotations

import sys
from typing import TextIO

from bench.results.text import harmless


def tell(text: str, file: TextIO | None = None) -> None:
    """Print a text of one or several lines."""
    print(harmless(text), file=file or sys.stdout)
