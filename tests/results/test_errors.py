"""An error in one line."""

from __future__ import annotations

import pytest

from bench.results.errors import one_line

TRACED = "in user code:\n\n    File x.py, line 3, in step  *\n\n    ValueError: Cannot reshape it\n"
IN_A_LAYER = (
    "Exception encountered when calling Reshape.call().\n\n\x1b[1mThe total size must be kept"
    "\x1b[0m\n\nArguments received by Reshape.call():\n  • inputs=..."
)


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("the first line\nthe second"), "ValueError: the first line"),
        (ValueError(), "ValueError"),
        (ValueError(IN_A_LAYER), "ValueError: The total size must be kept"),
        (ValueError(TRACED), "ValueError: Cannot reshape it"),
        (KeyError("x"), "KeyError: 'x'"),
        (KeyError(IN_A_LAYER), "KeyError: The total size must be kept"),
    ],
)
def test_an_error_is_one_line(error: Exception, line: str) -> None:
    assert one_line(error) == line
