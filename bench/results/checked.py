"""Values from files that others wrote or edited: types and ranges, before they are used."""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Mapping
from typing import Any

from bench.results.as_json import from_json, hints
from bench.results.difficulty import WEIGHTS
from bench.results.values import Configuration, Launch, Scenario, Turn

LATEST_S = 253_402_300_800
"""Unix time of the year 10,000, from which on there is no date."""
COUNTED = ("_per_step", "_share", "_ns", "_bytes", "_left_out")
"""How probes end whose values are numbers, or unknown."""
PROVED = ("_operations", "products", "kernels")
"""How facts of a proof end that count; its `operations` alone may be a table of their kinds."""
PLAIN: dict[Any, set[type]] = {float: {int, float}, int: {int}}
"""The types of what stands in a file for a number, and for a whole one."""
MOST = 2**63
"""Beyond it a number cannot have been counted or timed."""


def check(hint: Any, value: Any, name: str, finite: bool = False) -> None:
    """Raise ValueError where a value is not of its annotated type.

    Args:
        hint: The annotation.
        value: The value; dataclasses, tuples and mappings are looked into.
        name: Its place, for the message.
        finite: Whether infinite numbers and NaN are refused too.
    """
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return
    if origin is types.UnionType:
        if value is None and type(None) in arguments:
            return
        (hint,) = (each for each in arguments if each is not type(None))
        check(hint, value, name, finite)
    elif origin is typing.Literal:
        _expect(value in arguments if isinstance(value, str) else False, name, value)
    elif origin is tuple:
        _expect(isinstance(value, tuple), name, value)
        plain = set() if finite else PLAIN.get(arguments[0], set())
        kinds = {type(each) for each in value}
        if kinds <= plain and (int not in kinds or max(map(abs, value)) < MOST):
            return  # thousands of outputs, at the speed of C
        for n, each in enumerate(value):
            check(arguments[0], each, f"{name}[{n}]", finite)
    elif origin is Mapping:
        _expect(isinstance(value, Mapping), name, value)
        for key, each in value.items():
            check(arguments[1], each, f"{name}.{key}", finite)
    elif hint is Turn:
        _turn(value, name)
    elif dataclasses.is_dataclass(hint):
        _expect(isinstance(value, typing.cast(type, hint)), name, value)
        for field, kind in hints(typing.cast(type, hint)).items():
            check(kind, getattr(value, field), f"{name}.{field}", finite)
    elif hint is float:
        _expect(_number(value) and (not finite or _finite(value)), name, value)
    elif hint is int:
        _expect(_whole(value), name, value)
    elif isinstance(hint, type):
        _expect(isinstance(value, hint), name, value)


def launch(value: Launch) -> Launch:
    """A launch whose figures can be computed with; raises ValueError."""
    check(Launch, value, "launch")
    for name in ("examples_per_step", "updates_per_step"):
        _expect(getattr(value, name) >= 0, f"launch.{name}", getattr(value, name))
    for name in ("artifact_bytes", "artifact_gzip_bytes", "multiply_adds", "parameters"):
        counted = getattr(value, name)
        _expect(counted is None or counted >= 0, f"launch.{name}", counted)
    _expect(value.updates_per_step >= 1, "launch.updates_per_step", value.updates_per_step)
    if value.level is not None:  # of which effects are made by exp
        _expect(abs(value.level) <= math.log(MOST), "launch.level", value.level)
    for bucket, count in value.latency_histogram.items():
        _expect(
            bucket.lstrip("-").isdecimal() and abs(int(bucket)) < 1e5 and count >= 0,
            "launch.latency_histogram", bucket,
        )  # fmt: skip
    for part, known, ends in (("probes", value.probes, COUNTED), ("proof", value.proof, PROVED)):
        for name, found in known.items():
            countable = not isinstance(found, int) or abs(found) < MOST
            _expect(countable, f"launch.{part}.{name}", found)
            if name.endswith(ends):
                check(float | None, found, f"launch.{part}.{name}", finite=True)
    check(Mapping[str, float], value.probes.get("figures", {}), "launch.probes.figures")
    return value


def scenario(value: Scenario) -> Scenario:
    """A scenario as a run keeps it; raises ValueError."""
    check(Scenario, value, "scenario")
    for fact in value.deployment:
        _expect(fact in WEIGHTS, "scenario.deployment", fact)
    return value


FACTS: dict[str, Any] = {
    "name": str,
    "started": float,
    "ended": float,
    "command": str,
    "workload_spec": Mapping[str, Any],
    "settings": Mapping[str, Any],
    "configurations": tuple[Mapping[str, Any], ...],
    "scenarios": tuple[Mapping[str, Any], ...],
    "environment": Mapping[str, Any],
    "git": Mapping[str, Any],
    "warnings": tuple[str, ...],
    "workload": Mapping[str, Any],
    "versions": Mapping[str, Any],
    "ceilings": Mapping[str, Mapping[str, Any]],
    "controls": Mapping[str, Mapping[str, Any]],
    "claims": tuple[Mapping[str, Any], ...],
    "harness": Mapping[str, Any],
    "files": Mapping[str, str],
    "columns": Mapping[str, Mapping[str, Any]],
    "resumed": tuple[Mapping[str, Any], ...],
}
"""What `run.json` holds; more may stand there."""


def facts(found: Mapping[str, Any]) -> None:
    """The parts of `run.json` that are there have their types; raises ValueError."""
    for name, hint in FACTS.items():
        value = found.get(name)
        if value is not None:
            check(hint, tuple(value) if isinstance(value, list) else value, name)
    for n, each in enumerate(found.get("configurations") or ()):
        _configuration(each, f"configurations[{n}]")
    for n, each in enumerate(found.get("resumed") or ()):
        differs = each.get("differs", [])
        _expect(isinstance(differs, list), f"resumed[{n}].differs", differs)
        check(tuple[str, ...], tuple(differs), f"resumed[{n}].differs")
    for name in ("epochs", "trainings"):
        check(int | None, (found.get("settings") or {}).get(name), f"settings.{name}")
    for name in ("turn_ms", "member_s"):
        check(float | None, (found.get("settings") or {}).get(name), f"settings.{name}")
    for name in ("packages", "variables"):
        own = (found.get("environment") or {}).get(name)
        check(Mapping[str, Any] | None, own, f"environment.{name}")
    for name in ("started", "ended"):
        _expect(0 <= (found.get(name) or 0.0) < LATEST_S, name, found.get(name))


def _configuration(found: Mapping[str, Any], name: str) -> None:
    try:
        value = from_json(Configuration, found)
    except TypeError as error:  # a field is missing
        raise ValueError(f"{name}: {error}") from None
    check(Configuration, value, name)


def _turn(value: Any, name: str) -> None:
    _expect(isinstance(value, Turn), name, value)
    numbers = (value.round, value.position, value.steps, value.elapsed_ns, value.delayed_ns)
    fine = all(_whole(x) and x >= 0 for x in numbers[:-1])
    # Earlier versions wrote delays below 0, where a thread ended within the turn.
    delay = _whole(value.delayed_ns)
    _expect(fine and delay and value.steps >= 1 and value.elapsed_ns > 0, name, list(numbers))


def _finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond any float
        return False


def _number(value: Any) -> bool:
    return isinstance(value, float) or _whole(value)


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < MOST


def _expect(fine: bool, name: str, value: Any) -> None:
    if not fine:
        shown = repr(value)
        shown = shown if len(shown) <= 40 else f"{shown[:37]}…"
        raise ValueError(f"{name} is not what it should be: {shown}")
