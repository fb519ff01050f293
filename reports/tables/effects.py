"""The reference guide's effect table beside what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bench.results.values import Estimate
from reports.facts import figures, scale
from reports.facts.claims import EFFECT_TABLE, Claim, Judgement, judge, own_speedup, smaller_by
from reports.facts.estimates import distinguishable, half_width
from reports.facts.measured import Facts, Measured
from reports.facts.own_claims import own_claims
from reports.tables.cells import Cell, Column, Row, Table, Tone, missing
from reports.tables.parts import change_cell, metric, plain_cell

_HELD_TONE: dict[str, Tone] = {"yes": "good", "partly": "warn", "no": "bad"}


def effect_table(facts: Facts, configuration: str) -> Table:
    """The reference guide's optimization-effect table, measured."""
    title = f"Effect table, {configuration}"
    name = f"effects-{configuration}"
    return claims_table(facts, configuration, EFFECT_TABLE, name, title, "the reference guide says")


def own_table(facts: Facts, configuration: str) -> Table:
    """The user's own claims beside what was measured."""
    title, name = f"Your claims, {configuration}", f"claims-{configuration}"
    return claims_table(facts, configuration, own_claims(facts), name, title, "claimed")


def claims_table(
    facts: Facts, configuration: str, claims: Sequence[Claim], name: str, title: str, says: str
) -> Table:
    """A table of claims, a row each, with what was measured."""
    judged = [judge(facts, claim, configuration) for claim in claims]
    root = next((j.measured.root for j in judged if j.measured), "infer/function")
    quality = metric([j.measured for j in judged if j.measured])
    return Table(
        name,
        title,
        (
            Column("technique", False, "and the scenario it was measured as"),
            Column("model size", True, f"{root}'s file ÷ its own, gzip against gzip"),
            Column("inference speed", True, "speed-up by the technique itself"),
            Column("over the plain model", True, f"speed-up over {root}, the runtime's included"),
            Column(f"{quality} loss", True, f"against {root}, paired on the same test examples"),
            Column("deployment difficulty"),
            Column(says),
            Column("held?"),
        ),
        tuple(_effect_row(j) for j in judged),
        words=tuple((Cell(j.claim.technique), f"{j.held}: {j.why}") for j in judged if j.why),
        notes=(
            scale.legend(),
            f"Size and {quality} are against {root}. Where a technique also changes the runtime, "
            "its own speed is against the plain model in that runtime.",
        ),
    )


def _effect_row(j: Judgement) -> Row:
    m = j.measured
    ok = m is not None and m.ok
    head = Cell(j.claim.technique, sub=m.scenario if m else j.claim.scenario)
    held = Cell(j.held, tone=_HELD_TONE.get(j.held, "muted"), sub=j.unknown)
    tail = (Cell(j.claim.words()), held)
    status = m.effect.status if m else "not run"
    if m is None or not ok:
        return Row((head, *[missing(status)] * 5, *tail), j.claim.scenario, "", status)
    speed = speed_cell(*own_speedup(j.claim, m))
    cells = (head, size_cell(m), speed, plain_cell(m), loss_cell(m), difficulty_cell(m), *tail)
    return Row(cells, m.scenario, m.configuration)


def speed_cell(item: Estimate | None, over: str) -> Cell:
    """Speed-up by the technique itself, with arrows."""
    if item is None:
        return missing("no launch shared with the plain model")
    unsure = half_width(item) is not None and not distinguishable(item)
    arrows = "-" if unsure else scale.speed_arrows(item.value)
    text = f"{arrows} {figures.factor(item)}"
    return Cell(text, item.value, f"over {over}", sub=figures.interval(item))


def size_cell(m: Measured) -> Cell:
    """Reduction of the compressed file, with arrows, and the file itself."""
    factor, probe = smaller_by(m), m.probe
    if factor is None or probe is None:
        return missing("its size was not measured")
    sizes = [figures.size(probe.artifact_bytes)]
    if probe.artifact_gzip_bytes is not None:
        sizes.append(f"{figures.size(probe.artifact_gzip_bytes)} gzip")
    text = f"{scale.size_arrows(factor)} {figures.significant(factor, 2)}×"
    return Cell(text, factor, sub=", ".join(sizes))


def loss_cell(m: Measured) -> Cell:
    """Change of quality against the plain model, and the word for it."""
    cell, gain = change_cell(m, m.quality_change), m.gain()
    if gain is None:
        return cell
    return replace(cell, text=f"{scale.loss_word(100 * gain.value)}: {cell.text}")


def difficulty_cell(m: Measured) -> Cell:
    """Deployment difficulty, and the facts that it follows from."""
    level = m.effect.difficulty
    if not level:
        return missing()
    facts = ", ".join(m.info.deployment) if m.info else ""
    return Cell(level, float(scale.DIFFICULTIES.index(level)), facts)
