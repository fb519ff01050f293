"""What is derived from a workload and kept: trained weights and artifacts, in the cache."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from bench.results import cache_folder
from scenarios.core import artifacts, budget, facts
from scenarios.core.feeding import Feeding


class Keeping(Feeding):
    """The part of a workload that finds what was made of it before."""

    maker: str
    trainings: list[budget.Training]

    @property
    def _cache(self) -> Path:
        return Path(self.spec.cache) if self.spec.cache else cache_folder.default()

    @cached_property
    def base(self) -> Path:
        """Folder of this workload; its name covers all that determines it but time."""
        digest = hashlib.sha256()
        plain = dataclasses.replace(
            self.spec,
            cache="",
            training=0,
            comparable=False,
            disturbed="",
            disturbance=0,
            train_budget_s=0.0,
        )
        digest.update(repr((plain, self.data.name, self.epochs)).encode())
        digest.update(self.data.digest)
        digest.update(facts.model_digest(self.spec))
        digest.update("|".join(artifacts.trainers()).encode())
        folder = self._cache / digest.hexdigest()[:16]
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @property
    def baseline_budget_s(self) -> float:
        """Time that the baseline's training may take; 0: as long as it needs."""
        return budget.BASELINE * self.spec.train_budget_s

    @property
    def trained_file(self) -> Path:
        """The baseline's weights, trained for as long as the budget gives."""
        file, budget_s = self.base / "trained.npz", self.baseline_budget_s
        if all(each.suffices(budget_s) for each in budget.kept(file)):
            return file
        return self.base / f"within-{budget_s:g}s" / "trained.npz"

    @cached_property
    def folder(self) -> Path:
        """Folder of what is derived from the trained baseline."""
        return self.trained_file.parent

    def artifact(self, name: str, make: Callable[[Path], None], built_for: str = "") -> Path:
        """The file or folder `name`, made by `make(path)` if it is not in the cache yet.

        The cache is addressed by the workload, by the sources and packages that make it, and by
        the device that it is built for (`artifacts.cached`), so that what changed never meets an
        old file. And by its maker: functions and variables are named by counters of the process
        (`_316`, or `_30774` after other models), so that one model saved by two makers differs by
        some bytes. Where making it takes a training, one that a smaller budget cut is not reused.
        """
        known = len(self.trainings)

        def made(path: Path) -> None:
            make(path)
            budget.keep(path.with_name(name), self.trainings[known:])

        budget_s = self.spec.train_budget_s
        file = artifacts.cached(self.folder / self.maker, name, made, built_for)
        if not all(each.suffices(budget_s) for each in budget.kept(file)):
            within = f"{built_for} within {budget_s:g} s"
            file = artifacts.cached(self.folder / self.maker, name, made, within)
        if len(self.trainings) == known:
            self.trainings += budget.kept(file)
        return file
