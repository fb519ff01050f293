"""What `--json` says of a run: the same facts as its verdict."""

from __future__ import annotations

from typing import Any

from reports.facts.advice import advice
from reports.facts.claims import EFFECT_TABLE, judge
from reports.facts.measured import Facts


def of_run(facts: Facts) -> dict[str, Any]:
    """What is said of a run: its rows, the verdict, and how its controls came out."""
    where = facts.configurations
    return {
        "run": str(facts.run.folder),
        "configurations": where,
        "effects": facts.run.effects.rows,
        "claims": [
            {
                "technique": judged.claim.technique, "scenario": judged.claim.scenario,
                "configuration": judged.configuration, "claimed": judged.claim.words(),
                "held": judged.held, "why": judged.why,
            }
            for c in where if facts.of("infer", c)
            for judged in (judge(facts, claim, c) for claim in EFFECT_TABLE)
        ],
        "advice": [each for c in where for each in advice(facts, c)],
        "controls": facts.controls,
        "warnings": facts.run.facts.get("warnings") or [],
    }  # fmt: skip
