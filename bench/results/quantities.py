"""Times and sizes as people write them."""

from __future__ import annotations

import re

from bench.results.errors import UsageError

SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
BYTES = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12,
         "KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}  # fmt: skip


def seconds(text: str, what: str = "budget") -> float:
    """`90`, `90s`, `10m`, `1h` or `30d` in seconds; raises UsageError otherwise."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd]?)", text.strip())
    if not match or float(match[1]) <= 0:
        raise UsageError(f"{what} {text!r} is no time: write 90s, 10m or 1h")
    return float(match[1]) * SECONDS[match[2]]


def size_bytes(text: str, what: str) -> int:
    """`5GB`, `200 MiB` or a number of bytes; raises UsageError otherwise."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?i?B?)", text.strip(), re.IGNORECASE)
    unit = match[2].upper() if match else "?"
    if not match or unit not in BYTES:
        raise UsageError(f"{what} {text!r} is no size: write 500MB or 5GB")
    return int(float(match[1]) * BYTES[unit])
