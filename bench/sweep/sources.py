"""Where scenarios are written: this project's own folders, users' folders, installed packages."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.results.errors import UsageError

FAMILIES = ("train", "input", "infer", "serve")
GROUP = "tfbench.scenarios"
"""Entry points of packages that bring scenarios; the value is a package."""
ROOT = Path(__file__).resolve().parents[2]
"""The folder that holds the packages `bench` and `scenarios`."""


@dataclass(frozen=True)
class Source:
    """A module that may hold scenarios."""

    file: Path
    module: str
    """What a launch loads it by: a dotted name, or the path of the file."""
    shown: str
    """Its path for people."""
    family: str
    """Empty: each function says it by what it returns."""


def holds_scenarios(root: Path) -> bool:
    """Whether a folder is a tree of this project, with scenarios of its own."""
    return (root / "scenarios" / "core").is_dir()


def sources(root: Path = ROOT, folders: Sequence[Path | str] = ()) -> list[Source]:
    """Every module that may hold scenarios: the tree's, the folders', the packages'; each once.

    Raises:
        UsageError: A folder or a package does not exist.
    """
    found = {source.file.resolve(): source for source in _in_tree(root)}
    for folder in folders:
        for source in in_folder(Path(folder).absolute()):
            found.setdefault(source.file.resolve(), source)
    for package, folder in installed():
        for source in in_folder(folder, package):
            found.setdefault(source.file.resolve(), source)
    return list(found.values())


def _in_tree(root: Path) -> Iterator[Source]:
    for family in FAMILIES:
        for file in sorted((root / "scenarios" / family).glob("*.py")):
            module = f"scenarios.{family}.{file.stem}"
            yield Source(file, module, f"scenarios/{family}/{file.name}", family)


def in_folder(folder: Path, package: str = "") -> Iterator[Source]:
    """The modules of a folder and of its folders `train`, `input`, `infer` and `serve`.

    Args:
        folder: Of a user, or of a package.
        package: The package's dotted name; without one, modules are loaded by their files.

    Raises:
        UsageError: There is no such folder.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder: give one that holds scenarios")
    own = folder.name if folder.name in FAMILIES else ""
    places = [(folder, own, package)]
    places += [(folder / name, name, f"{package}.{name}" if package else "") for name in FAMILIES]
    for place, family, parent in places:
        for file in sorted(place.glob("*.py")):
            if not file.name.startswith(("test_", "conftest")):
                module = f"{parent}.{file.stem}" if parent else str(file)
                yield Source(file, module, str(file), family)


def installed() -> Iterator[tuple[str, Path]]:
    """Packages named by the entry point group, and their folders; none is imported.

    Raises:
        UsageError: An entry point names a package that is not there.
    """
    for point in importlib.metadata.entry_points(group=GROUP):
        top, *below = point.value.split(".")
        spec = importlib.util.find_spec(top)
        places = list(spec.submodule_search_locations or ()) if spec else []
        folder = Path(places[0], *below) if places else None
        if folder is None or not folder.is_dir():
            raise UsageError(
                f"the entry point {point.name} in {GROUP} names {point.value}, which is no "
                f"package here: repair or uninstall {point.dist.name if point.dist else 'it'}"
            )
        yield point.value, folder
