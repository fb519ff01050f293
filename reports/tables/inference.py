"""The effect table beside the document's, and the tables of every inference path."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bench.results.values import Estimate
from reports.facts import figures, scale
from reports.facts.claims import EFFECT_TABLE, Judgement, judge, own_speedup, smaller_by
from reports.facts.measured import Facts, Measured, half_width, told_apart
from reports.tables.cells import Cell, Column, Row, Table, Tone, label, missing

_HELD_TONE: dict[str, Tone] = {"yes": "good", "partly": "warn", "no": "bad"}


def effect_table(facts: Facts, configuration: str) -> Table:
    """The document's optimization-effect table, measured."""
    judged = [judge(facts, claim, configuration) for claim in EFFECT_TABLE]
    root = next((j.measured.root for j in judged if j.measured), "infer/function")
    return Table(
        f"effects-{configuration}",
        f"Effect table, {configuration}",
        (
            Column("technique", False, "and the scenario it was measured as"),
            Column("model size", True, f"{root}'s file ÷ its own, gzip against gzip"),
            Column(
                "inference speed", True, f"speed-up by the technique itself, else against {root}"
            ),
            Column("accuracy loss", True, "paired on the same test examples"),
            Column("deployment difficulty"),
            Column("the document says"),
            Column("held?"),
        ),
        tuple(_effect_row(j) for j in judged),
        words=tuple((Cell(j.claim.technique), f"{j.held}: {j.why}") for j in judged if j.why),
        notes=(
            scale.legend(),
            f"Size, speed and accuracy are against {root}; where a technique also changes the "
            "runtime, its speed is against the plain model in that runtime.",
        ),
    )


def _effect_row(j: Judgement) -> Row:
    m = j.measured
    ok = m is not None and m.ok
    head = Cell(j.claim.technique, sub=m.scenario if m else j.claim.scenario)
    held = Cell(j.held, tone=_HELD_TONE.get(j.held, "muted"))
    tail = (Cell(j.claim.words()), held)
    status = m.effect.status if m else "not run"
    if m is None or not ok:
        return Row((head, *[missing(status)] * 4, *tail), j.claim.scenario, "", status)
    speed = speed_cell(m, *own_speedup(j.claim, m))
    cells = (head, size_cell(m), speed, accuracy_cell(m), difficulty_cell(m), *tail)
    return Row(cells, m.scenario, m.configuration)


def inference_table(facts: Facts, configuration: str) -> Table:
    """Every inference path: latency, size, memory, accuracy."""
    rows = facts.of("infer", configuration)
    return Table(
        f"inference-{configuration}",
        f"Inference, {configuration}",
        (
            Column("scenario"),
            Column("status"),
            Column("time an answer", True, "median over launches of the median turn"),
            Column("examples/s", True),
            Column("against", False, "its baseline"),
            Column("speed-up", True, "against its baseline, 95 % interval over launches"),
            Column("file", True, "what would be shipped"),
            Column("gzip", True),
            Column("peak memory", True, "of the process, in a pass of its own"),
            Column("parameters", True),
            Column("multiply-adds", True, "of one example's forward pass"),
            Column("accuracy", True),
            Column("change", True, "against the plain model, paired, 95 % score interval"),
            Column("agrees", True, "share of predictions equal to the plain model's"),
            Column("first answer", True, "load, trace, compile and run"),
            Column("front", False, "no other path is faster, smaller and more accurate"),
        ),
        tuple(_inference_row(facts, m) for m in rows if m.ok),
        notes=(
            "● marks the Pareto front over time, compressed size and accuracy. "
            "Accuracy changes are paired on the same test examples (Tango's score interval).",
        ),
    )


def _inference_row(facts: Facts, m: Measured) -> Row:
    probe = m.probe
    best = (m.scenario, m.configuration) in facts.pareto
    return Row(
        (
            label(m.scenario),
            status_cell(m),
            latency_cell(m),
            throughput_cell(m),
            label(m.effect.baseline) if m.effect.baseline else missing("it is a baseline"),
            speedup_cell(m),
            number(m.effect.size_bytes, figures.size),
            number(probe.artifact_gzip_bytes if probe else None, figures.size),
            number(m.effect.peak_memory_bytes, figures.size),
            number(probe.parameters if probe else None, figures.count),
            number(probe.multiply_adds if probe else None, figures.count),
            number(m.effect.accuracy, figures.percent),
            accuracy_cell(m, word=False),
            number(m.agreement, figures.percent),
            number(m.effect.first_step_s, figures.seconds),
            Cell("●", 1.0, "on the Pareto front") if best else Cell("", value=0.0),
        ),
        m.scenario,
        m.configuration,
    )


def latency_table(facts: Facts, configuration: str) -> Table:
    """Quantiles of single steps, with the number of samples behind them."""
    chosen = [m for m in facts.all if m.configuration == configuration and m.samples]
    return Table(
        f"latency-{configuration}",
        f"Latency of single steps, {configuration}",
        (
            Column("scenario"),
            Column("p50", True),
            Column("p90", True),
            Column("p99", True),
            Column("samples", True),
            Column("CPU use", True, "cores used while its turns ran"),
            Column("CPU use waiting", True, "cores used while others' turns ran"),
        ),
        tuple(_latency_row(m) for m in chosen),
        notes=(
            "A quantile is shown where the samples bound it with 95 % confidence: "
            "p90 from 29 samples, p99 from 299.",
        ),
    )


def _latency_row(m: Measured) -> Row:
    quantiles = []
    for q in (0.5, 0.9, 0.99):
        value = m.quantile_ns(q)
        # 0.2 % wide buckets hold three digits.
        text = figures.duration(value, value * 0.002) if value is not None else ""
        quantiles.append(Cell(text, value) if value is not None else missing("too few samples"))
    busy = [x.cpu_share for x in m.timed if x.cpu_share is not None]
    idle = [x.waiting_cpu_share for x in m.timed if x.waiting_cpu_share is not None]
    return Row(
        (
            label(m.scenario),
            *quantiles,
            Cell(f"{m.samples:,}", value=float(m.samples)),
            number(_mean(busy), lambda v: figures.rounded(v, 2)),
            number(_mean(idle), lambda v: figures.rounded(v, 3)),
        ),
        m.scenario,
        m.configuration,
    )


def overview(facts: Facts) -> Table:
    """Every row of the run in a few columns, with the reason where there is no figure."""
    return Table(
        "overview",
        "All scenarios",
        (
            Column("scenario"),
            Column("configuration"),
            Column("status"),
            Column("time a step", True),
            Column("against"),
            Column("speed-up", True),
            Column("file", True),
            Column("accuracy", True),
            Column("reason or warnings"),
        ),
        tuple(
            Row(
                (
                    label(m.scenario),
                    label(m.configuration),
                    status_cell(m),
                    latency_cell(m),
                    label(m.effect.baseline) if m.effect.baseline else missing(),
                    speedup_cell(m),
                    number(m.effect.size_bytes, figures.size),
                    number(m.effect.accuracy, figures.percent),
                    Cell(m.effect.reason or "; ".join(m.effect.warnings)),
                ),
                m.scenario,
                m.configuration,
                m.effect.status,
            )
            for m in facts.all
        ),
    )


# --- cells, shared by all tables ----------------------------------------------------------------


def status_cell(m: Measured) -> Cell:
    """ok, or what went wrong; with its warnings counted."""
    if not m.ok:
        return Cell(m.effect.status, tone="bad", note=m.effect.reason)
    own = m.effect.warnings
    if own:
        return Cell("ok, see warnings", tone="warn", note="; ".join(own))
    return Cell("ok", tone="good")


def latency_cell(m: Measured) -> Cell:
    """Time of one update or answer."""
    value = m.effect.latency_ns
    text = figures.duration(value, half_width(m.latency))
    return Cell(text, value) if value is not None else missing()


def throughput_cell(m: Measured) -> Cell:
    """Examples a second, with the digits that the latency has."""
    value = m.effect.throughput_per_s
    if value is None or m.latency is None:
        return missing()
    half = half_width(m.latency)
    if half is None:
        return Cell(figures.significant(value, 2), value)
    decimals = figures.decimals_for(value * half / m.latency.value)
    digits = min(decimals, 2 - len(str(int(value))) + 1)
    return Cell(figures.rounded(value, digits), value)


def speedup_cell(m: Measured) -> Cell:
    """Against its baseline, green or red where told apart from 1."""
    item = m.speedup
    if item is None:
        return missing("no launch shared with its baseline" if m.effect.baseline else "")
    tone: Tone = ""
    if told_apart(item):
        tone = "good" if item.value > 1 else "bad"
    return Cell(
        figures.factor(item),
        item.value,
        f"{item.launches} launches",
        tone,
        sub=figures.interval(item),
    )


def speed_cell(m: Measured, item: Estimate | None, over: str) -> Cell:
    """Speed-up by the technique itself, with arrows, and with its runtime where that changed."""
    if item is None:
        return missing("no launch shared with the plain model")
    text = f"{scale.speed_arrows(item.value)} {figures.factor(item)}"
    sub = figures.interval(item)
    if over != m.root and m.against_root is not None:
        sub += f"; {figures.factor(m.against_root)} with the runtime"
    return Cell(text, item.value, f"over {over}", sub=sub)


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


def accuracy_cell(m: Measured, word: bool = True) -> Cell:
    """Change of accuracy in points, paired, with its interval."""
    item = m.accuracy_delta
    if item is None:
        return missing("no accuracy to compare")
    text = f"{figures.signed(100 * item.value, 1)} pp"
    if word:
        text = f"{scale.loss_word(100 * item.value)}: {text}"
    note = f"{item.launches} test examples"
    return Cell(text, item.value, note, sub=figures.points_interval(item))


def difficulty_cell(m: Measured) -> Cell:
    """Deployment difficulty, and the facts that it follows from."""
    level = m.effect.difficulty
    if not level:
        return missing()
    facts = ", ".join(m.info.deployment) if m.info else ""
    return Cell(level, float(scale.DIFFICULTIES.index(level)), facts)


def number(value: float | None, form: Callable[[float], str]) -> Cell:
    """A cell that sorts by the value, missing where there is none."""
    return missing() if value is None else Cell(form(value), float(value))


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
