"""Types of what a settings file holds, checked before anything is done with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bench.results.errors import UsageError

TEXT, NUMBER, WHOLE = "a text", "a number", "a whole number"
TEXTS, TABLE, TABLES = "a list of texts", "a table", "a table of tables"
FORMS: dict[str, Callable[[Any], bool]] = {
    TEXT: lambda v: isinstance(v, str),
    WHOLE: lambda v: isinstance(v, int) and not isinstance(v, bool) and abs(v) < 2**63,
    NUMBER: lambda v: isinstance(v, int | float) and not isinstance(v, bool) and abs(v) < 2**63,
    "yes or no": lambda v: isinstance(v, bool),
    TEXTS: lambda v: isinstance(v, list) and all(isinstance(each, str) for each in v),
    "a list of whole numbers": lambda v: (
        isinstance(v, list) and all(FORMS[WHOLE](each) and each >= 0 for each in v)
    ),
    TABLE: lambda v: isinstance(v, Mapping),
    TABLES: lambda v: isinstance(v, Mapping) and all(isinstance(e, Mapping) for e in v.values()),
}
SUBJECT = {
    **dict.fromkeys(
        ("data", "model", "task", "metric", "target", "signature", "weights", "cache", "workload",
         "factory"),
        (TEXT,),
    ),
    **dict.fromkeys(("take", "batch", "epochs", "seed"), (WHOLE,)),
    "train_budget": (TEXT, NUMBER),
    "safe": ("yes or no",),
}  # fmt: skip
TOP: dict[str, tuple[str, ...]] = {
    **SUBJECT,
    "profile": (TEXT,), "configuration": (TEXT, TEXTS), "launches": (WHOLE,), "python": (TEXT,),
    "scenarios": (TEXTS,), "baseline": (TEXT,), "exclude": (TEXT, TEXTS), "guard": (TABLE,),
    "configurations": (TABLES,), "profiles": (TABLES,), "workloads": (TABLES,),
}  # fmt: skip
CONFIGURATION = {
    "cpus": ("a list of whole numbers",), "threads": (WHOLE,), "device": (TEXT,),
    "environment": (TABLE,), "python": (TEXT,),
}  # fmt: skip
PROFILE = {
    **dict.fromkeys(
        ("half_width", "turn_ms", "member_s", "warmup_s", "timeout_s", "within_error",
         "train_budget_s", "launch_s"),
        (NUMBER,),
    ),
    **dict.fromkeys(
        ("rounds", "epochs", "members", "trainings", "placements", "built_alone"), (WHOLE,)
    ),
    **dict.fromkeys(("trace", "controls", "build_apart"), ("yes or no",)),
    "name": (TEXT,), "suite": (TEXT,), "looks": ("a list of whole numbers",),
}  # fmt: skip


def check(table: Mapping[str, Any]) -> None:
    """Each known key holds what it should; unknown keys are others' to refuse.

    Raises:
        UsageError: It does not; the message names the key.
    """
    _each(table, TOP, "")
    for name, known in (
        ("configurations", CONFIGURATION), ("profiles", PROFILE), ("workloads", SUBJECT),
    ):  # fmt: skip
        for key, inner in table.get(name, {}).items():
            _each(inner, known, f"{name}.{key}.")


def _each(table: Mapping[str, Any], known: Mapping[str, tuple[str, ...]], place: str) -> None:
    for key, value in table.items():
        forms = known.get(key, ())
        if forms and not any(FORMS[form](value) for form in forms):
            raise UsageError(f"setting {place}{key} = {value!r:.60} must be {' or '.join(forms)}")
