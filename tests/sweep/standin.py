"""A sweep whose launches only pretend, as a process of its own: to be killed and gone on with.

`python -m tests.sweep.standin FOLDER run|resume SECONDS-A-PIECE [stubborn]`
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from bench.results.errors import TfbenchError
from bench.results.store import RunFolder, read_run
from bench.results.values import Launch, WorkloadSpec
from bench.sweep import interrupts, recording
from bench.sweep.applying import Facts
from bench.sweep.executing import Executor
from bench.sweep.pieces import Probe, Turns
from bench.sweep.progress import Silent
from bench.sweep.schedule import Sweep
from bench.sweep.settings import PROFILES, Settings
from tests.sweep.worlds import CPU, World, scenario

SCENARIOS = (
    scenario("infer/a"),
    *(scenario(f"infer/{name}", "infer/a", first=name < "d") for name in "bcdefg"),
    scenario("train/a"),
    scenario("train/b", "train/a"),
    scenario("train/c", "train/a"),
)
WORLD = World(noise={"infer/c": 0.1, "train/b": 0.1, "infer/f": 0.04}, build_s={"infer/d": 9.0})


class Pretending(Executor):
    """Finds what the world holds, after a while."""

    seconds = 0.0

    def probe(self, pieces: Sequence[Probe], journal: Any) -> Iterator[Launch]:
        """Probe one after the other."""
        for piece in pieces:
            time.sleep(self.seconds)
            yield from WORLD.do(piece)

    def turns(self, piece: Turns, traces: Path | None) -> list[Launch]:
        """Launch a group once."""
        time.sleep(self.seconds)
        return WORLD.do(piece)


class Standin(Sweep):
    """A sweep that looks at nothing."""

    executor = Pretending

    def _describe(self) -> Any:
        self.facts["workload"] = {"line": "nothing"}
        planned = self._earlier is not None and "plan" in self._earlier.facts
        self._described_s = time.time() % 9 if planned else 1.0  # then the plan stands
        return SimpleNamespace(facts=Facts())

    def _prepare(self, facts: Facts, plan: Any) -> None:
        self._write()

    def _measure_ceilings(self) -> None:
        pass


def main(folder: Path, how: str, stubborn: bool = False) -> int:
    """Run or resume; returns the exit code."""
    with interrupts.handled():
        try:
            if how == "resume":
                place, earlier = RunFolder.reopen(folder), read_run(folder)
                settings = recording.settings_of(earlier.facts, str(folder))
            else:
                place, earlier = RunFolder.create(folder), None
                cache = str(folder.parent / "cache")
                profile = PROFILES["quick"]
                settings = Settings(profile, (CPU,), WorkloadSpec(cache=cache))
            Standin(settings, SCENARIOS, place, Silent(), earlier=earlier).run()
        except interrupts.Interrupted:
            if stubborn:
                print("interrupted", flush=True)
                time.sleep(60)
            return interrupts.EXIT_CODE
        except (TfbenchError, OSError) as error:  # as the command line does
            print(f"tfbench: {error}", file=sys.stderr)
            return TfbenchError.exit_code
    return 0


if __name__ == "__main__":
    Pretending.seconds = float(sys.argv[3])
    sys.exit(main(Path(sys.argv[1]), sys.argv[2], "stubborn" in sys.argv))
