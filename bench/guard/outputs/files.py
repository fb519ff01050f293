"""The comparison as files for programs: JSON, JUnit XML and SARIF; beside them the Markdown."""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from bench.guard.comparison.values import Comparison, Judgement
from bench.guard.outputs import markdown, words
from bench.results.files import replace_text
from bench.results.text import harmless

SCHEMA = 1
SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
UNPRINTABLE = re.compile("[\ufffe\uffff]")
"""Beside control characters and surrogates, what XML has no place for."""
Sources = Mapping[str, tuple[str, int]]
"""Scenario id → (path from the repository's top, line)."""


def write(folder: Path, found: Comparison, sources: Sources) -> None:
    """Write guard.json, guard.md, junit.xml and guard.sarif."""
    folder.mkdir(parents=True, exist_ok=True)
    replace_text(folder / "guard.json", json.dumps(as_json(found), indent=1) + "\n")
    replace_text(folder / "guard.md", markdown.render(found))
    replace_text(folder / "junit.xml", junit(found))
    replace_text(folder / "guard.sarif", json.dumps(sarif(found, sources), indent=1) + "\n")


def as_json(found: Comparison) -> dict[str, Any]:
    """All of it, with the exit code; infinite bounds become null."""
    data = {"schema": SCHEMA, "exit_code": found.exit_code, "headline": words.headline(found)}
    plain: dict[str, Any] = _finite({**data, **dataclasses.asdict(found)})
    return plain


def junit(found: Comparison) -> str:
    """JUnit XML: a suite a scenario, a case a metric; what is open is skipped, not failed."""
    root = ElementTree.Element("testsuites", name="tfbench guard", time=f"{found.seconds:.1f}")
    by_place: dict[str, list[Judgement]] = {}
    for each in found.judgements:
        by_place.setdefault(each.where, []).append(each)
    for where, judged in by_place.items():
        counts = {v: sum(j.verdict == v for j in judged) for v in words.ORDER}
        suite = ElementTree.SubElement(
            root, "testsuite", name=_printable(where), tests=str(len(judged)), errors="0",
            failures=str(counts["regression"]), skipped=str(counts["inconclusive"]),
        )  # fmt: skip
        for each in judged:
            _case(suite, each)
    if found.failed:
        count = str(len(found.failed))
        suite = ElementTree.SubElement(
            root, "testsuite", name="scenarios", tests=count, failures="0", errors=count
        )
        for line in found.failed:
            where, _, reason = line.partition(": ")
            case = ElementTree.SubElement(
                suite, "testcase", classname=_printable(where), name="runs"
            )
            ElementTree.SubElement(case, "error", message=_printable(reason))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _case(suite: ElementTree.Element, each: Judgement) -> None:
    case = ElementTree.SubElement(
        suite, "testcase", classname=_printable(each.where), name=words.NAMES[each.metric], time="0"
    )
    text = _printable(words.sentence(each))
    if each.verdict == "regression":
        failure = ElementTree.SubElement(case, "failure", message=text, type="regression")
        failure.text = _printable("\n".join(map(words.operation, each.operations)))
    elif each.verdict == "inconclusive":
        ElementTree.SubElement(case, "skipped", message=text)
    else:
        ElementTree.SubElement(case, "system-out").text = text


def sarif(found: Comparison, sources: Sources) -> dict[str, Any]:
    """SARIF 2.1.0: regressions as errors at the scenario's source line, open ones as notes."""
    levels = {"regression": "error", "inconclusive": "note", "changed": "note"}
    shown = [j for j in words.in_order(found.judgements) if j.verdict in levels]
    rules = sorted({j.metric for j in shown})
    return {
        "$schema": SARIF_SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "tfbench guard",
                        "rules": [
                            {"id": rule, "shortDescription": {"text": words.NAMES[rule]}}
                            for rule in rules
                        ],
                    }
                },
                "results": [
                    {
                        "ruleId": each.metric,
                        "level": levels[each.verdict],
                        "message": {
                            "text": harmless(
                                f"{words.TITLES[each.verdict]}: {words.sentence(each)}"
                            )
                        },
                        "partialFingerprints": {"place": harmless(f"{each.where}/{each.metric}")},
                        "locations": _locations(each, sources),
                    }
                    for each in shown
                ],
            }
        ],
    }


def _locations(each: Judgement, sources: Sources) -> list[dict[str, Any]]:
    if each.scenario not in sources:
        return []
    path, line = sources[each.scenario]
    place = {"artifactLocation": {"uri": path}, "region": {"startLine": line}}
    return [{"physicalLocation": place}]


def _printable(text: str) -> str:
    return UNPRINTABLE.sub("?", harmless(text))


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(k): _finite(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(v) for v in value]
    return value
