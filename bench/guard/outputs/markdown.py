"""The comparison as Markdown: a pull request's comment and a job's summary."""

from __future__ import annotations

from bench.guard.comparison.values import Comparison, Judgement, Verdict
from bench.guard.outputs import words
from bench.results.text import visible as on_one_line

MARKER = "<!-- tfbench guard -->"
"""First line: by it a later run finds its comment and replaces it."""
SIGNS: dict[Verdict, str] = {
    "regression": "🔴",
    "inconclusive": "🟡",
    "changed": "🔵",
    "improved": "🟢",
    "no change": "⚪",
}
HEADER = (
    "| | {noun} | metric | change (95 % interval) | base → head | smallest visible |\n"
    "|---|---|---|---|---|---|"
)


def render(found: Comparison) -> str:
    """The whole comment; unchanged figures are folded away."""
    ordered = words.in_order(found.judgements)
    open_ = [j for j in ordered if j.verdict != "no change"]
    same = [j for j in ordered if j.verdict == "no change"]
    verdict: Verdict = next((v for v in words.ORDER if found.of(v)), "no change")
    header = HEADER.format(noun=found.noun)
    lines = [
        MARKER,
        f"### {SIGNS[verdict]} tfbench guard: {_escape(words.headline(found))}",
        "",
        f"{_code(found.head)} against {_code(found.base)}, {_how(found)}.",
        "",
    ]
    if open_:
        lines += [header, *map(_row, open_), ""]
    for each in open_:
        lines += _details(each)
    if same:
        lines += [f"<details><summary>{len(same)} figures without change</summary>", "", header]
        lines += [*map(_row, same), "", "</details>", ""]
    for title, notes in (
        ("Looks slower, not proven (false discovery rate 10 %)", found.watch),
        ("Fails on both sides", found.failed),
        ("Warnings", found.warnings),
    ):
        if notes:
            lines += [f"**{title}**", "", *(f"- {_escape(note)}" for note in notes), ""]
    lines.append(_footer(found))
    return "\n".join(lines) + "\n"


def _how(found: Comparison) -> str:
    if found.kind == "stored":
        return (
            "against stored results of another session; "
            "a live comparison (`--base`) sees smaller changes"
        )
    return "both sides launched together on one machine, taking turns"


def _row(each: Judgement) -> str:
    least = "" if each.visible is None else words.smallest(each.visible)
    visible = f"{least}, {each.launches} launches" if least else ""
    sign = f"{SIGNS[each.verdict]} {words.TITLES[each.verdict].lower()}"
    where = _code(each.where).replace("|", "\\|")
    rest = (words.NAMES[each.metric], words.change(each), words.figures(each), visible)
    return f"| {' | '.join((sign, where, *map(_escape, rest)))} |"


def _details(each: Judgement) -> list[str]:
    if not each.reason and not each.operations:
        return []
    lines = [
        f"- {_code(each.where)} {words.NAMES[each.metric]}: {_escape(each.reason)}".rstrip(": ")
    ]
    lines += [f"  - {_escape(words.operation(operation))}" for operation in each.operations]
    return [*lines, ""]


def _footer(found: Comparison) -> str:
    facts = found.environment
    version = facts.get("packages", {}).get("tensorflow")
    where = ", ".join(
        str(part)
        for part in (
            facts.get("cpu"),
            f"{facts['cores']} cores" if facts.get("cores") else "",
            f"TensorFlow {version}" if version and found.noun == "scenario" else "",
        )
        if part
    )
    noise = [j.noise for j in found.judgements if j.noise is not None and j.metric == "latency"]
    text = f"{found.seconds:.0f} s of {found.budget_s:.0f} s"
    if noise:
        text += f"; noise of a launch: {min(noise):.2%} to {max(noise):.2%}"
    twice = "A regression was seen twice, on separate launches."
    seen = twice if found.kind == "live" else "Each figure was judged once."
    return f"<sub>{_escape(where)}; {text}. {seen}</sub>"


def _code(text: str) -> str:
    return f"`{on_one_line(text).replace('`', chr(39))}`"


def _escape(text: str) -> str:
    """Text that cannot break a table, open a tag, link anywhere or mention anybody."""
    text = on_one_line(text).replace("&", "&amp;").replace("<", "&lt;")
    for plain in ("|", "](", "@", "`", "://", "www."):
        text = text.replace(plain, f"{plain[:-1]}&#{ord(plain[-1])};")
    return text
