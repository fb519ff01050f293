"""The terminal: names and messages from runs, bundles and models cannot command it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from rich import console
from rich.console import ConsoleOptions, RenderableType
from rich.segment import Segment

from bench.results.text import harmless


class Console(console.Console):
    """Rich's console; text that would be obeyed by the terminal is shown as code points.

    Nothing in a text is taken for a style: names may hold brackets.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, **options)

    def on_broken_pipe(self) -> None:
        """Go on in silence: what is measured is kept, and the exit code says how it ended."""
        self.quiet = True
        with open(os.devnull, "w") as nowhere:  # noqa: PTH123
            os.dup2(nowhere.fileno(), self.file.fileno())

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Segments of text without control characters; Rich's own controls pass."""
        for segment in super().render(renderable, options):
            text, style, control = segment
            safe = text if control else harmless(text)
            yield segment if safe == text else Segment(safe, style)
