"""What is known of a scenario while a run goes on, as the row that it will become."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bench.results.effects import Effects
from bench.results.quality import columns
from bench.results.values import Configuration, Effect, Launch, Scenario

WAITING = "waiting"
"""Status of a row of which nothing is known yet."""
PROBED = "probed"
"""Status of a row whose quality and size are known, and whose turns are to come."""


def waiting(scenarios: Sequence[Scenario], configurations: Sequence[Configuration]) -> list[Effect]:
    """The rows of a run that begins."""
    return [
        Effect(s.id, c.name, s.baseline or "", WAITING) for c in configurations for s in scenarios
    ]


def row(
    scenario: Scenario,
    configuration: str,
    launches: Sequence[Launch],
    scenarios: Mapping[str, Scenario],
) -> Effect:
    """The row as far as it is known; its status is `probed` before the first turns.

    Args:
        scenario: Whose row.
        configuration: Where.
        launches: All of the run so far.
        scenarios: Of the run, by id.
    """
    pair = (scenario.id, scenario.baseline)
    near = [x for x in launches if x.configuration == configuration and x.scenario in pair]
    effects = Effects(near, scenarios)
    probe = effects.probe(scenario.id, configuration)
    if probe is not None and not effects.of(scenario.id, configuration, "timing"):
        base = effects.probe(scenario.baseline, configuration) if scenario.baseline else None
        return Effect(
            scenario.id, configuration, scenario.baseline or "", PROBED,
            size_bytes=probe.artifact_bytes, **columns(base, probe),
        )  # fmt: skip
    found = effects.row(scenario.id, configuration)
    return found or Effect(scenario.id, configuration, scenario.baseline or "", PROBED)
