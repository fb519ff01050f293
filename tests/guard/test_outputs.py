"""The same comparison for people, pull requests and CI services."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench.guard.comparison.values import Comparison, Judgement, OperationChange
from bench.guard.outputs import files, github, markdown, terminal, words
from tfbench.screen.terminal import Console

SLOWER = Judgement(
    "infer/xla", "cpu-1", "latency", "regression", change=0.05, low=0.04, high=0.06, base=1e6,
    head=1.05e6, unit="ns", limit=0.02, launches=16, visible=0.012, noise=0.004, confirmed=True,
    operations=(OperationChange("Conv2D", 2e5, 2.5e5, 3, 3), OperationChange("Cast", 0, 4e4, 0, 6)),
)  # fmt: skip
FOUND = Comparison(
    "origin/main (abc)",
    "working tree at def",
    (
        SLOWER,
        Judgement("infer/a|b", "cpu-1", "latency", "inconclusive", "5 % <left> of\nit & more"),
        Judgement("infer/xla", "cpu-1", "size", "no change", base=1000, head=1000, unit="bytes"),
        Judgement("train/x", "cpu-1", "accuracy", "improved", change=-0.02, low=-0.03, high=-0.01,
                  base=90.0, head=92.0, unit="%"),
    ),
    61.5,
    600.0,
    failed=("infer/gpu@cpu-1: failed: no\x00 driver",),
    warnings=("a warning",),
    watch=("infer/y@cpu-1 latency: +0.8%",),
    environment={"cpu": "A CPU", "cores": 2, "packages": {"tensorflow": "2.21.0"}},
)  # fmt: skip
SOURCES = {"infer/xla": ("scenarios/infer/execution.py", 70)}


def test_markdown_is_a_comment_that_can_be_found_and_cannot_be_broken() -> None:
    text = markdown.render(FOUND)
    assert text.startswith(markdown.MARKER)
    rows = [line for line in text.splitlines() if line.startswith("| 🔴") or "a\\|b" in line]
    assert all(row.replace("\\|", "").count("|") == 7 for row in rows)
    assert "&lt;left> of it" in text
    assert "+5.00% [+4.00%, +6.00%]" in text
    assert "Conv2D: 200 µs → 250 µs a step" in text
    assert "Cast is new: 40 µs a step" in text
    assert "+2.00 points [+1.00, +3.00]" in text


def test_junit_counts_and_escapes() -> None:
    root = ElementTree.fromstring(files.junit(FOUND))
    by_name = {suite.get("name"): suite for suite in root}
    assert by_name["infer/xla@cpu-1"].get("failures") == "1"
    failure = by_name["infer/xla@cpu-1"].find("testcase/failure")
    assert failure is not None
    assert "Conv2D" in (failure.text or "")
    assert by_name["infer/a|b@cpu-1"].get("skipped") == "1"
    assert by_name["scenarios"].get("errors") == "1"


def test_sarif_points_at_the_scenarios_source() -> None:
    (run,) = files.sarif(FOUND, SOURCES)["runs"]
    first = run["results"][0]
    assert first["level"] == "error"
    place = first["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "scenarios/infer/execution.py"
    assert {r["ruleId"] for r in run["results"]} <= {
        r["id"] for r in run["tool"]["driver"]["rules"]
    }


def test_json_holds_everything_and_is_strict(tmp_path: Path) -> None:
    files.write(tmp_path, FOUND, SOURCES)
    data = json.loads((tmp_path / "guard.json").read_text(), parse_constant=pytest.fail)
    assert data["exit_code"] == 1
    assert data["judgements"][0]["operations"][0]["name"] == "Conv2D"
    assert {p.name for p in tmp_path.iterdir()} == {
        "guard.json", "guard.md", "junit.xml", "guard.sarif",
    }  # fmt: skip


def test_infinite_bounds_become_null() -> None:
    found = Comparison("a", "b", (Judgement("s", "c", "latency", "inconclusive",
                                            low=float("-inf")),), 1, 1)  # fmt: skip
    assert json.loads(json.dumps(files.as_json(found)))["judgements"][0]["low"] is None


def test_inside_a_github_job(tmp_path: Path) -> None:
    summary, lines = tmp_path / "summary", list[str]()
    summary.write_text("before\n")
    environment = {"GITHUB_STEP_SUMMARY": str(summary), "GITHUB_ACTIONS": "true"}
    github.on_github(FOUND, SOURCES, environment, lines.append)
    assert summary.read_text().startswith("before\n" + markdown.MARKER)
    assert lines[0].startswith("::error file=scenarios/infer/execution.py,line=70,title=")
    assert "%25" in lines[0]
    assert "\n" not in "".join(lines)
    assert lines[1].startswith("::notice title=")


def test_outside_of_github_nothing_is_printed() -> None:
    lines: list[str] = []
    github.on_github(FOUND, SOURCES, {}, lines.append)
    assert lines == []


def test_the_terminal_shows_the_verdict_the_reason_and_what_was_visible() -> None:
    out = io.StringIO()
    terminal.show(FOUND, Console(file=out, width=200))
    text = out.getvalue()
    for part in ("REGRESSION", "INCONCLUSIVE", "+5.00%", "changes from 1.2% visible",
                 "Conv2D: 200 µs → 250 µs", "not proven", "62 s of 600 s"):  # fmt: skip
        assert part in text, part


@pytest.mark.parametrize("id", ["test_sort[small]", "test_sort[/x]", "test_sort[]"])
def test_ids_with_brackets_are_shown_whole(id: str) -> None:
    out = io.StringIO()
    found = replace(FOUND, judgements=(replace(SLOWER, scenario=id),))
    terminal.show(found, Console(file=out, width=200))
    assert out.getvalue().count(f"{id}@cpu-1") == 1


def test_figures_of_too_few_launches_are_not_astronomical() -> None:
    wide = replace(SLOWER, verdict="inconclusive", visible=1.5e33, low=-0.99, high=4e20)
    assert "changes from more than 1000% visible" in words.seen(wide)
    assert words.change(wide) == "+5.00% [-99.0%, more than +1000%]"
    assert "more than 1000%, 16 launches" in markdown.render(replace(FOUND, judgements=(wide,)))
    out = io.StringIO()
    terminal.show(replace(FOUND, judgements=(wide, SLOWER)), Console(file=out, width=200))
    assert "changes from 1.2% to more than 1000% were visible, depending" in out.getvalue()
    terminal.show(replace(FOUND, judgements=(wide, wide)), Console(file=out, width=200))
    assert "Times: changes from more than 1000% were visible." in out.getvalue()


def test_headlines() -> None:
    assert words.headline(FOUND) == "REGRESSION: 1 regression in 1 scenario"
    same = (Judgement("s", "c", "size", "no change"),)
    assert words.headline(Comparison("a", "b", same, 1, 1)).startswith("NO CHANGE: 1 figures")


BAD = "a|b`@someone www.x.y <b>\x1b[2J\x00\x9b1m\u202e](http://x)\ud800\ufffe\r\n::error::no"


@pytest.mark.faults("Around it", {"names that break Markdown, XML or a CI log": "escaped"})
def test_names_and_messages_can_do_nothing_in_any_output(tmp_path: Path) -> None:
    """Control characters, markup, halves of surrogates, and lines that a runner would obey."""
    bad = Judgement(BAD, BAD, "latency", "regression", BAD, base=1, head=2,
                    operations=(OperationChange(BAD, 1.0, 2.0, 1, 1),))  # fmt: skip
    found = Comparison(BAD, BAD, (bad,), 1, 1, failed=(BAD,), warnings=(BAD,), watch=(BAD,))
    sources = {BAD: (BAD, 1)}
    files.write(tmp_path, found, sources)
    texts = [path.read_bytes().decode("utf-8") for path in tmp_path.iterdir()]
    out = io.StringIO()
    terminal.show(found, Console(file=out, width=400))
    texts += [out.getvalue(), *github.workflow_commands(found, sources)]
    for text in texts:
        assert not {"\x1b", "\x00", "\x9b", "\u202e", "\r"} & set(text), text
    ElementTree.fromstring((tmp_path / "junit.xml").read_text())
    lines = [re.sub("`[^`]*`", "", x) for x in (tmp_path / "guard.md").read_text().splitlines()]
    for outside_code in lines:
        for each in ("`", "](http", "http://", "www.x", "@someone", "<b>"):
            assert each not in outside_code
    assert not any(line.lstrip().startswith("::") for line in out.getvalue().splitlines())
    (line,) = github.workflow_commands(found, sources)
    assert "\n" not in line
