"""Wrong documents: right ones, changed where it hurts."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Sequence
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

EXAMPLES = int(os.environ.get("TFBENCH_FUZZ", "40"))
"""Of each parser; `nox -s fuzz` tries 10,000."""
FEW = 40
"""In the tests: always the same ones."""
MANY = settings(
    max_examples=EXAMPLES,
    deadline=20_000,  # ms: a hang, not a slow machine
    derandomize=EXAMPLES <= FEW,
    database=None,
    suppress_health_check=list(HealthCheck),
)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(),
    st.text(max_size=20),
    st.sampled_from(["", "../x", "/etc/passwd", "\x1b[2J", "\0", "9" * 400, "1e999", "-1", "NaN",
                     "cpu-1", "infer/function", "ok", -1, 0, 2**63, 10**400]),
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


@st.composite
def changed(draw: st.DrawFn, document: Any) -> Any:
    """A JSON-like document in which one to three places hold something else, or nothing."""
    made = copy.deepcopy(document)
    for _ in range(draw(st.integers(1, 3))):
        made = _change(draw, made)
    return made


def _change(draw: st.DrawFn, node: Any) -> Any:
    keys: Sequence[Any] = ()
    if isinstance(node, dict):
        keys = list(node)
    elif isinstance(node, list):
        keys = range(len(node))
    if not keys or draw(st.integers(0, 9)) == 0:
        return draw(VALUES)
    key = draw(st.sampled_from(list(keys)))
    what = draw(st.sampled_from(["inside", "inside", "inside", "remove", "add", "double"]))
    if what == "inside":
        node[key] = _change(draw, node[key])
    elif what == "remove":
        del node[key]
    elif isinstance(node, dict):
        node[draw(st.text(max_size=8))] = node[key] if what == "double" else draw(VALUES)
    else:
        node.insert(key, node[key] if what == "double" else draw(VALUES))
    return node


@st.composite
def garbled(draw: st.DrawFn, text: bytes) -> bytes:
    """Bytes of a file that was cut short, overwritten or doubled somewhere."""
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 40)))
        what = draw(st.sampled_from(["cut", "replace", "remove", "double"]))
        new = draw(st.binary(max_size=12)) if what == "replace" else b""
        if what == "cut":
            text = text[:start]
        else:
            text = text[:start] + (2 * text[start:end] if what == "double" else new) + text[end:]
    return text


def as_json(document: Any) -> bytes:
    """Of whatever was made, surrogates and infinities included."""
    return json.dumps(document).encode()
