"""Finds the scenarios by reading their source: TensorFlow is not imported, nothing is run."""

from __future__ import annotations

import ast
import dataclasses
import difflib
import fnmatch
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from bench.results import checked, needs
from bench.results.errors import UsageError
from bench.results.values import Scenario
from bench.sweep.sources import FAMILIES, ROOT, Source, sources

__all__ = ["FAMILIES", "ROOT", "discover", "select"]
ARGUMENTS = {
    "baseline", "needs", "keras", "environment", "devices", "unit", "follows", "inputs_in",
    "deployment", "variants", "suite", "first",
}  # fmt: skip
RETURNED = {
    "TrainingPath": "train",
    "JobPath": "train",
    "InferencePath": "infer",
    "InputPath": "input",
}
"""Families of functions that stand in no family's folder, by what they return."""


def discover(root: Path = ROOT, folders: Sequence[Path | str] = ()) -> dict[str, Scenario]:
    """All scenarios by id: this project's family by family, then users', in their source's order.

    Args:
        root: Folder that holds `scenarios`.
        folders: Users' folders of scenarios; installed packages that bring some come along.

    Raises:
        UsageError: A module cannot be parsed, a decorator's argument is not a literal or a need
            is unknown, two scenarios have one id, or a folder or a baseline does not exist.
    """
    found: dict[str, Scenario] = {}
    preferred: dict[str, str] = {}
    for source in sources(root, folders):
        for each, variant in _in_module(source):
            if each.id in found:
                other = found[each.id]
                raise UsageError(
                    f"{each.path}:{each.line}: {other.path}:{other.line} has a scenario {each.id} "
                    "too: rename one"
                )
            found[each.id] = each
            preferred[each.id] = variant
    for id, variant in preferred.items():
        if variant in found:
            found[id] = dataclasses.replace(found[id], baseline=variant)
    for each in found.values():
        if each.baseline and each.baseline not in found:
            raise UsageError(f"{each.path}:{each.line}: no such baseline {each.baseline!r}")
    return found


def select(
    scenarios: dict[str, Scenario],
    patterns: Sequence[str],
    suite: str = "quick",
    exclude: Sequence[str] = (),
) -> list[Scenario]:
    """The scenarios that the patterns name (ids or globs), and the baselines they need.

    Args:
        scenarios: All, by id.
        patterns: What is wanted; nothing: the suite.
        suite: The profile's.
        exclude: What is not (a baseline that another one needs is measured all the same).

    Raises:
        UsageError: A pattern names none, where the nearest id is suggested; or nothing is left.
    """
    if patterns:
        chosen = [id for pattern in patterns for id in _matching(scenarios, pattern)]
    else:
        chosen = [s.id for s in scenarios.values() if suite == "full" or s.suite == "quick"]
    left_out = {id for pattern in exclude for id in _matching(scenarios, pattern)}
    chosen = [id for id in chosen if id not in left_out]
    if not chosen:
        raise UsageError("no scenario is left to measure: exclude fewer")
    needed = set(chosen)
    for id in chosen:
        baseline = scenarios[id].baseline
        while baseline and baseline not in needed:
            needed.add(baseline)
            baseline = scenarios[baseline].baseline
    return [s for s in scenarios.values() if s.id in needed]


def _matching(scenarios: dict[str, Scenario], pattern: str) -> list[str]:
    matches = [id for id in scenarios if fnmatch.fnmatchcase(id, pattern)]
    if matches:
        return matches
    near = difflib.get_close_matches(pattern, scenarios, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else "`tfbench list` shows them all"
    raise UsageError(f"no scenario {pattern!r}: {hint}")


def _in_module(source: Source) -> Iterator[tuple[Scenario, str]]:
    """Scenarios, each with the id of its baseline's variant of the same name, "" without one."""
    try:
        tree = ast.parse(source.file.read_text(encoding="utf-8"))
    except (SyntaxError, UnicodeDecodeError) as error:
        raise UsageError(f"{source.shown} cannot be read as Python: {error}") from None
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef):
            continue
        for decorator in node.decorator_list:
            if isinstance(decorator, ast.Call) and _name(decorator.func) == "scenario":
                yield from _variants(source, node, _literals(source, decorator))


def _variants(
    source: Source, node: ast.FunctionDef, facts: dict[str, Any]
) -> Iterator[tuple[Scenario, str]]:
    place = f"{source.shown}:{node.lineno}"
    name = node.name.strip("_").replace("_", "-")
    family = source.family or RETURNED.get(_name(node.returns), "")
    if not family:
        raise UsageError(
            f"{place}: of which family is {name}? Put it into a folder train, input, infer or "
            "serve, or write what it returns (-> InferencePath)"
        )
    plain = f"{family}/{name}"
    summary = (ast.get_docstring(node) or "").split("\n\n")[0].replace("\n", " ")
    if not summary:
        raise UsageError(f"{place}: scenario {plain} needs a docstring")
    for suffix, given in _named(facts.pop("variants", None) or {"": {}}, place, "variants"):
        arguments = dict(_named(given, place, f"variant {suffix!r}"))
        changed = dict(_named(arguments.pop("scenario", {}), place, "scenario"))
        own = facts | changed
        for name in own:
            if name not in ARGUMENTS - {"variants"}:
                raise UsageError(f"{place}: @scenario takes no {name!r}")
        for name in ("needs", "deployment"):
            listed = own.get(name, ())
            if not isinstance(listed, list | tuple):
                raise UsageError(f"{place}: {name} must be a list, not {listed!r}")
            own[name] = tuple(listed)
        own["environment"] = own.get("environment") or {}
        for need in own["needs"]:
            if wrong := needs.wrong(str(need)):
                raise UsageError(f"{place}: {wrong}")
        what = ", ".join(f"{k} {v}" for k, v in arguments.items() if v is not None)
        found = Scenario(
            id=f"{plain}-{suffix}" if suffix else plain,
            kind=family,  # type: ignore[arg-type]
            summary=f"{summary.rstrip('.')}{f' ({what})' if what and suffix else ''}.",
            module=source.module,
            function=node.name,
            path=source.shown,
            line=node.lineno,
            arguments=arguments,
            **own,
        )
        try:
            checked.scenario(found)
        except ValueError as error:
            raise UsageError(f"{place}: {error}") from None
        inherited = suffix and found.baseline and "baseline" not in changed
        yield found, f"{found.baseline}-{suffix}" if inherited else ""


def _named(given: Any, place: str, what: str) -> Iterable[tuple[str, Any]]:
    """The items of a dict; raises UsageError where it is none, or its keys are no names."""
    if not isinstance(given, dict) or not all(isinstance(key, str) for key in given):
        raise UsageError(f"{place}: {what} must be a dict whose keys are strings, not {given!r}")
    return given.items()


def _literals(source: Source, decorator: ast.Call) -> dict[str, Any]:
    facts = {}
    place = f"{source.shown}:{decorator.lineno}"
    for keyword in decorator.keywords:
        if keyword.arg not in ARGUMENTS:
            raise UsageError(f"{place}: @scenario takes no {keyword.arg!r}")
        try:
            facts[str(keyword.arg)] = ast.literal_eval(keyword.value)
        except (ValueError, TypeError):  # of {{}: 1}, whose key cannot be one
            raise UsageError(
                f"{place}: {keyword.arg} must be a literal (it is only read)"
            ) from None
    return facts


def _name(node: ast.expr | None) -> str:
    """The last part of a name, which may be quoted."""
    if isinstance(node, ast.Constant):
        return str(node.value).rpartition(".")[2]
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
