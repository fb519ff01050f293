"""What a user's function is made from: a change of any of it is a change of the function."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.results import user_files


@pytest.fixture
def net(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    own = tmp_path / "project"
    (own / "parts" / "deep").mkdir(parents=True)
    (own / "saved").mkdir()
    for name in ("parts/__init__.py", "parts/deep/__init__.py", "saved/saved_model.pb", "a.keras"):
        (own / name).write_text("")
    (own / "parts" / "blocks.py").write_text("from . import deep\nfrom .sizes import WIDTH\n")
    (own / "parts" / "sizes.py").write_text("WIDTH = 8\n")
    (own / "helper.py").write_text("import net\nFILE = 'a.keras'\n")
    (tmp_path / "here.npz").write_text("")
    (own / "net.py").write_text(
        "import numpy, helper\nfrom parts.blocks import block\n\n"
        "def build():\n    return 'here.npz', 'saved', 'not\\nhere', 'x' * 9, 'none.keras'\n"
    )
    return own / "net.py"


def test_modules_and_weights_of_the_users_are_found(net: Path) -> None:
    found = {str(path.relative_to(net.parents[1])) for path in user_files.made_from(net)}
    assert found == {
        "project/net.py", "project/helper.py", "project/a.keras", "project/parts/__init__.py",
        "project/parts/blocks.py", "project/parts/sizes.py", "project/parts/deep/__init__.py",
        "project/saved/saved_model.pb", "here.npz",
    }  # fmt: skip


def test_a_string_that_cannot_name_a_file_is_none(net: Path) -> None:
    before = user_files.made_from(net)
    with net.open("a") as file:
        file.write(f"\nTEXT = {'a sentence ' * 40!r}\n")
    assert user_files.made_from(net) == before


@pytest.mark.parametrize("name", ["net.py", "parts/sizes.py", "a.keras", "../here.npz"])
def test_a_change_of_any_of_them_changes_the_digest(net: Path, name: str) -> None:
    before = user_files.digest(net)
    with (net.parent / name).open("a") as file:
        file.write("\n# changed\n")
    assert user_files.digest(net) != before
