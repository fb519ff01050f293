"""An error in one line."""

from __future__ import annotations

import pytest

from bench.results.errors import one_line

TRACED = "in user code:\n\n    File x.py, line 3, in step  *\n\n    ValueError: Cannot reshape it\n"


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("the first line\nthe second"), "ValueError: the first line"),
        (ValueError(), "ValueError"),
        (ValueError(TRACED), "ValueError: Cannot reshape it"),
        (KeyError("x"), "KeyError: 'x'"),
    ],
)
def test_an_error_is_one_line(error: Exception, line: str) -> None:
    assert one_line(error) == line
