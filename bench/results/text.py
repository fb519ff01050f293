"""Text from elsewhere (names, messages, captured output) so that it can do nothing when shown."""

from __future__ import annotations

import re

_INVISIBLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
"""Control characters (of both sets: terminals obey 0x9b as they do ESC), marks that change the
direction of writing, and halves of surrogate pairs, which cannot be encoded."""
KEPT = 100
"""Characters of an endless word that are shown at either end."""
_ENDLESS = re.compile(r"\S{1000,}")


def visible(text: str) -> str:
    """On one line; other control and direction characters as their code points."""
    return _INVISIBLE.sub(_code_point, " ".join(text.split()))


def shortened(text: str) -> str:
    """With the middle of endless words left out."""
    return _ENDLESS.sub(lambda m: f"{m[0][:KEPT]}…{m[0][-KEPT:]}", text)


def harmless(text: str) -> str:
    """The same with its lines and tabs kept, for a terminal or a log."""
    return _INVISIBLE.sub(lambda m: m[0] if m[0] in "\n\t" else _code_point(m), text)


def _code_point(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
