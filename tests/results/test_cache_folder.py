"""The cache is listed and cleared as asked, and nothing else is."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from bench.results import cache_folder
from bench.results.errors import UsageError
from bench.results.quantities import seconds, size_bytes

DAY_S = 86400.0
NOW_S = 1e9


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """Three workloads, last used 40, 20 and 0 days ago, of 1000 bytes each."""
    for days, letter in ((40, "a"), (20, "b"), (0, "c")):
        place = tmp_path / "cache" / (16 * letter) / "123456789abc"
        place.mkdir(parents=True)
        for file in (place / "model.tflite", place / ".model.tflite.lock"):
            file.write_bytes(b"x" * (1000 if file.suffix == ".tflite" else 0))
        when = NOW_S - days * DAY_S
        for each in (place.parent, *place.parent.rglob("*")):
            os.utime(each, (when, when))
    return tmp_path / "cache"


def names(entries: list[cache_folder.Entry]) -> str:
    return "".join(entry.path.name[0] for entry in entries)


def test_entries_are_listed_with_size_and_last_use(cache: Path) -> None:
    found = cache_folder.entries(cache)
    assert names(found) == "abc"
    assert found[0].what == "model.tflite"
    assert found[0].size_bytes == 1000
    assert found[0].last_use_s == NOW_S - 40 * DAY_S
    assert cache_folder.entries(cache / "none") == []


@pytest.mark.parametrize(
    ("older_than_s", "max_bytes", "removed"),
    [
        (0.0, None, "abc"),
        (30 * DAY_S, None, "a"),
        (0.0, 2500, "a"),
        (0.0, 1000, "ab"),
        (0.0, 10**9, ""),
        (30 * DAY_S, 0, "a"),
    ],
)
def test_clearing(cache: Path, older_than_s: float, max_bytes: int | None, removed: str) -> None:
    gone, kept = cache_folder.clear(cache, older_than_s, max_bytes, NOW_S)
    assert (names(gone), kept) == (removed, [])
    assert names(cache_folder.entries(cache)) == "abc".replace(removed, "")


def test_what_is_being_made_is_kept(cache: Path) -> None:
    with (cache / (16 * "a") / "123456789abc" / ".model.tflite.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        gone, kept = cache_folder.clear(cache, now_s=NOW_S)
    assert (names(gone), names(kept)) == ("bc", "a")


@pytest.mark.faults("Around it", {"the cache is cleared during a run": "what is in use is kept"})
def test_what_a_run_uses_is_kept(cache: Path) -> None:
    with cache_folder.used(str(cache)):
        gone, kept = cache_folder.clear(cache, now_s=NOW_S)
    assert (names(gone), names(kept)) == ("ab", "c")
    assert names(cache_folder.clear(cache, now_s=NOW_S)[0]) == "c"


@pytest.mark.parametrize("name", ["photo.jpg", "src/main.py"])
def test_another_folder_is_refused(cache: Path, name: str) -> None:
    file = cache / name
    file.parent.mkdir(exist_ok=True)
    file.write_text("mine")
    with pytest.raises(UsageError, match="is no cache of tfbench"):
        cache_folder.clear(cache)
    assert file.exists()
    assert (cache / (16 * "a")).exists()


def test_times_and_sizes_as_people_write_them() -> None:
    assert [seconds(text) for text in ("90", "90s", "1.5m", "1h", "30d")] == [
        90, 90, 90, 3600, 30 * DAY_S,
    ]  # fmt: skip
    assert [size_bytes(text, "size") for text in ("12", "500MB", "5 GB", "1KiB")] == [
        12, 500 * 10**6, 5 * 10**9, 1024,
    ]  # fmt: skip
    for wrong in ("much", "-1GB", "3 parsecs", ""):
        with pytest.raises(UsageError, match="--max-size"):
            size_bytes(wrong, "--max-size")


@pytest.mark.faults("Around it", {"others may write the cache": "refused"})
def test_a_cache_that_others_may_write_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "cache"
    with cache_folder.used(str(place)):
        assert place.is_dir()
    place.chmod(0o777)
    with pytest.raises(UsageError, match="by everybody: `chmod o-w"), cache_folder.used(str(place)):
        raise AssertionError("it was used")
    place.chmod(0o755)
    if os.getuid():
        pytest.skip("giving a folder to another user takes root")
    os.chown(place, 12345, -1)
    with pytest.raises(UsageError, match="another user"), cache_folder.used(str(place)):
        raise AssertionError("it was used")
