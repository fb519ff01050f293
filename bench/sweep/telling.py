"""What is known of a scenario while a run goes on, as the row that it will become."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

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


def rows(
    new: Sequence[Launch],
    launches: Sequence[Launch],
    scenarios: Mapping[str, Scenario],
    ended: bool,
) -> Iterator[tuple[Effect, bool]]:
    """The rows of launches that just ended, and whether they will not change any more.

    Args:
        new: Those launches.
        launches: All of the run so far.
        scenarios: Of the run, by id.
        ended: Whether nothing more is measured of them; a failed probe ends a row anyway.
    """
    keys = dict.fromkeys(
        (x.scenario, x.configuration) for x in new
        if x.role in ("baseline", "candidate") and not x.side
    )  # fmt: skip
    for id, configuration in keys:
        found = row(scenarios[id], configuration, launches, scenarios)
        yield found, ended or (found.status not in ("ok", PROBED) and not new[0].group)


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
