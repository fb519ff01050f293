"""The launches of a run so far, by what the plan asks of them."""

from __future__ import annotations

from collections.abc import Sequence

from bench.results.values import Launch


class Journal:
    """An index of launches.

    Args:
        launches: Those that ended so far.
    """

    def __init__(self, launches: Sequence[Launch]) -> None:
        self.launches = tuple(launches)
        self._probes: dict[tuple[str, str], Launch] = {}
        self._groups: dict[str, list[Launch]] = {}
        for each in launches:
            if each.purpose == "probe":
                self._probes[each.scenario, each.configuration] = each
            elif each.group:
                self._groups.setdefault(each.group, []).append(each)

    def probe(self, scenario: str, configuration: str) -> Launch | None:
        """A scenario's probe, None where it is still to come."""
        return self._probes.get((scenario, configuration))

    def good(self, scenario: str, configuration: str) -> bool:
        """Whether it may take turns, as far as that is known."""
        probe = self.probe(scenario, configuration)
        return probe is None or probe.outcome == "ok"

    def held(self, scenario: str, configuration: str) -> int:
        """Memory of its own that its probe held, bytes."""
        probe = self.probe(scenario, configuration)
        return int(probe.probes.get("own_bytes", 0)) if probe else 0

    def group(self, name: str) -> list[Launch]:
        """The launches of a group."""
        return self._groups.get(name, [])

    def count(self, name: str) -> int:
        """How often a group was launched."""
        return max((each.index + 1 for each in self.group(name)), default=0)
