"""Launches that only pretend, for the plan: what would be found if its pieces were done."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.results.values import Configuration, Launch, Scenario, Turn
from bench.sweep import planning
from bench.sweep.pieces import Piece, Probe, Turns
from bench.sweep.planning import Plan

CPU = Configuration("c", 1, (0,))


def scenario(id: str, baseline: str | None = None, first: bool = False) -> Scenario:
    kind = id.partition("/")[0]
    return Scenario(id, kind, "", "m", "f", "p", 1, baseline, first=first)  # type: ignore[arg-type]


@dataclass
class World:
    """What pieces find: by scenario its speed, noise, time and outcome."""

    speed: dict[str, float] = field(default_factory=dict)
    """ln of its step's time, ms."""
    noise: dict[str, float] = field(default_factory=dict)
    """Standard deviation of that between launches; 0.01 where nothing is said."""
    build_s: dict[str, float] = field(default_factory=dict)
    outcome: dict[tuple[str, str], str] = field(default_factory=dict)
    """Of a scenario's probes or launches, by (id, purpose); ok where nothing is said."""
    seed: int = 0

    def do(self, piece: Piece) -> list[Launch]:
        """The launches of a piece: the same ones whenever it is done."""
        if isinstance(piece, Probe):
            outcome = self.outcome.get((piece.scenario, "probe"), "ok")
            return [Launch(piece.scenario, piece.configuration, purpose="probe",
                           outcome=outcome, wall_s=1.0)]  # type: ignore[arg-type] # fmt: skip
        rng = random.Random(f"{self.seed}/{piece.group.name}/{piece.index // 2}")
        order = rng.sample(range(len(piece.group.seats)), len(piece.group.seats))
        if piece.index % 2:
            order.reverse()
        places = dict(zip([seat.key for seat in piece.group.seats], order, strict=True))
        return [self._timed(piece, seat, places[seat.key]) for seat in piece.seats]

    def _timed(self, piece: Turns, seat: object, place: int) -> Launch:
        id, configuration, role, side = seat.key  # type: ignore[attr-defined]
        rng = random.Random(f"{self.seed}/{piece.group.name}/{piece.index}/{id}/{role}")
        level = self.speed.get(id, 0.0) + rng.gauss(0, self.noise.get(id, 0.01))
        outcome = self.outcome.get((id, "timing"), "ok")
        turns = (Turn(0, 0, 1, 1_000_000),) if outcome == "ok" else ()
        return Launch(
            id, configuration, piece.group.name, role, index=piece.index, side=side, turns=turns,
            outcome=outcome, level=level, start_order=place, examples_per_step=1,
            build_s=self.build_s.get(id, 0.1), wall_s=1.0,
        )  # type: ignore[arg-type] # fmt: skip


def run(
    plan: Plan, world: World, journal: Sequence[Launch] = ()
) -> tuple[list[Piece], list[Launch]]:
    """Do what the plan says, until it is done.

    Returns:
        The pieces in the order they were done, and the whole journal.
    """
    done: list[Piece] = []
    found = list(journal)
    while pieces := planning.next_pieces(plan, found):
        for piece in pieces:
            done.append(piece)
            found += world.do(piece)
        assert len(done) < 10_000
    return done, found
