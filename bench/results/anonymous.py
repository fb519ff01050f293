"""A run's folder that says neither who measured nor where: for handing it on."""

from __future__ import annotations

import getpass
import json
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.results.files import replace_bytes, replace_text
from bench.results.store import read_facts

HOMES = re.compile(r"/(?:home|Users)/[^/\s\"':;,]+|/root(?=[/\s\"':;,]|$)")
"""Home folders of whoever it is."""
HOMES_IN_DATA = re.compile(rb"/(?:home|Users)/[\w.-]+|/root(?![\w.-])")
SHARED = {"root", "runner", "user", "ubuntu", "jovyan"}
"""Users that are nobody in particular; as words they mean other things too."""
FILES = ("run.json", "operations.json", "pytest-benchmark.json")


@dataclass(frozen=True)
class Names:
    """What is replaced by what; longer names first."""

    replaced: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, hosts: tuple[str, ...], users: tuple[str, ...], home: str) -> Names:
        """Host names, user names and a home folder."""
        known = {home: "~"} if len(home) > 1 else {}
        known |= {name: "host" for name in hosts if len(name) > 2 and name != "localhost"}
        known |= {name: "user" for name in users if len(name) > 2 and name not in SHARED}
        return cls(tuple(sorted(known.items(), key=lambda each: -len(each[0]))))

    @classmethod
    def here(cls, *hosts: str) -> Names:
        """Of the machine and the user, with further host names."""
        try:
            user = getpass.getuser()
        except (KeyError, OSError):  # a number without a name
            user = ""
        return cls.of((platform.node(), *hosts), (user,), str(Path.home()))

    def text(self, text: str) -> str:
        """The text without them."""
        for name, plain in self.replaced:
            text = re.sub(rf"(?<![\w-]){re.escape(name)}(?![\w-])", plain, text)
        return HOMES.sub("~", text)

    def data(self, data: bytes) -> bytes:
        """A binary file without them: what replaces a name is as long, so it stays readable."""
        for name, plain in self.replaced:
            length = len(name.encode())
            own = (plain * length)[:length].encode()
            # A field of that length may stand beside letters that are no part of it.
            field = re.escape(bytes([length])) if 3 <= length < 128 else rb"(?!)"
            said = re.escape(name.encode())
            before = rb"" if name.startswith("/") else rb"(?<![\w-])"
            data = re.sub(rb"(?<=%b)%b|%b%b(?![\w-])" % (field, said, before, said), own, data)
        return HOMES_IN_DATA.sub(_without_home, data)

    def value(self, value: Any) -> Any:
        """A document in whose texts they are replaced; its keys stay."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {key: self.value(each) for key, each in value.items()}
        return [self.value(each) for each in value] if isinstance(value, list) else value


def folder(place: Path) -> None:
    """Replace user names, home folders and host names in a run's files.

    Raises:
        StoreError: It is no run's folder, or cannot be written.
        UsageError: It holds links.
    """
    environment = read_facts(place).get("environment") or {}
    names = Names.here(str(environment.get("host") or ""))
    for name in FILES:
        file = place / name
        if file.exists():
            found = names.value(json.loads(file.read_text(encoding="utf-8")))
            replace_text(file, json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    launches = place / "launches.jsonl"
    if launches.exists():
        lines = launches.read_text(encoding="utf-8").split("\n")
        made = [json.dumps(names.value(json.loads(x)), ensure_ascii=False) for x in lines if x]
        replace_text(launches, "".join(f"{line}\n" for line in made))
    for trace in sorted((place / "traces").rglob("*")):
        if trace.is_file():
            replace_bytes(trace, names.data(trace.read_bytes()))
    effects = place / "effects.csv"
    if effects.exists():
        head, end, rows = effects.read_text(encoding="utf-8").partition("\n")
        replace_text(effects, head + end + names.text(rows))


def _without_home(found: re.Match[bytes]) -> bytes:
    """As many other bytes; where a length stands in front, what follows that many stays."""
    text, before = found[0], found.string[max(0, found.start() - 1) : found.start()]
    length = before[0] if before and text.find(b"/", 1) + 1 < before[0] <= len(text) else len(text)
    return b"~" * length + text[length:]
