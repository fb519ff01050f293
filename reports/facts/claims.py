"""What the reference guide claims of each technique, and whether the measurements bear it out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from bench.results.values import Estimate
from reports.facts import figures, scale
from reports.facts.estimates import distinguishable, half_width
from reports.facts.measured import Facts, Measured
from reports.facts.why import why

Held = Literal["yes", "partly", "no", "not measurable here"]
GAINS = ("size", "speed")
"""Parts of a claim that say what a technique is for."""


@dataclass(frozen=True)
class Claim:
    """A row of the reference guide's effect table; None where it claims nothing."""

    technique: str
    scenario: str
    size: int | None
    """Arrows downwards."""
    speed: int | None
    """Arrows upwards."""
    loss: str
    difficulty: str
    size_factor: float | None = None
    """Claims made as a number, instead of arrows: that many times smaller."""
    speed_factor: float | None = None
    runtime: str = ""
    """The plain model in the runtime that the scenario needs: what the runtime gives by itself."""
    loss_pp: float | None = None
    """A loss claimed as a number, instead of a word: at most so many percentage points."""

    def words(self) -> str:
        """The claim in the reference guide's own signs."""
        size = "↓" * self.size if self.size else "-"
        speed = "↑" * self.speed if self.speed else "-"
        if self.size_factor:
            size = f"≥ {self.size_factor:g}× smaller"
        if self.speed_factor:
            speed = f"≥ {self.speed_factor:g}× faster"
        loss = self.loss if self.loss_pp is None else f"loses ≤ {self.loss_pp:g}"
        return ", ".join(x for x in (size, speed, loss, self.difficulty) if x)


LITERT = "infer/litert-float32"
EFFECT_TABLE = (
    Claim("depthwise separable convolution", "infer/separable", 3, 2, "tiny", "low"),
    Claim("8-bit quantization", "infer/litert-int8", 2, 3, "small", "medium", runtime=LITERT),
    Claim("weight pruning (80 % sparsity)", "infer/pruned", 3, 2, "tiny", "medium"),
    Claim("TensorRT + FP16", "infer/tensorrt", None, 4, "tiny", "high"),
    # "tens of times" is read as ten at the least.
    Claim("all combined", "infer/combined", None, None, "small", "", 10, 10, LITERT),
)
"""The reference guide's table, and its sentence on the techniques combined."""
STANDS_IN = {"infer/tensorrt": ("infer/tensorrt-onnx",)}
"""Other ways to do the same, which answer a claim where its own scenario has no figure."""


@dataclass(frozen=True)
class Part:
    """One cell of a claim, and whether it holds."""

    name: str
    state: Literal["holds", "weaker", "fails", "unknown"]
    why: str = ""


@dataclass(frozen=True)
class Judgement:
    """A claim beside what was measured."""

    claim: Claim
    measured: Measured | None
    configuration: str
    held: Held
    why: str
    parts: tuple[Part, ...] = ()

    @property
    def unknown(self) -> str:
        """Which of the claimed gains is unknown, in words; "" where none is."""
        names = [p.name for p in self.parts if p.state == "unknown" and p.name in GAINS]
        return f"{' and '.join(names)} unknown" if names else ""


def judge(facts: Facts, claim: Claim, configuration: str) -> Judgement:
    """Whether a claim held in a configuration, and why not where it did not."""
    ids = (claim.scenario, *STANDS_IN.get(claim.scenario, ()))
    found = [x for one in ids if (x := facts.get(one, configuration)) is not None]
    m = next((x for x in found if x.ok), found[0] if found else None)
    if m is None:
        return Judgement(claim, None, configuration, "not measurable here", "not run")
    if not m.ok:
        held: Held = "not measurable here"
        return Judgement(claim, m, configuration, held, f"{m.effect.status}: {m.effect.reason}")
    parts = _parts(claim, m)
    known = [p for p in parts if p.state != "unknown"]
    gains = {p.name for p in parts} & set(GAINS)
    if not known or (gains and not any(p.name in gains for p in known)):
        reason = "; ".join(p.why for p in parts if p.why)
        return Judgement(claim, m, configuration, "not measurable here", reason, parts)
    held = verdict(known)
    if any(p.name in gains and p.state == "unknown" for p in parts):
        some = any(p.name in gains and p.state != "fails" for p in known)
        held = "partly" if some else "not measurable here"
    said = [p.why for p in parts if p.why]
    if any(p.name == "speed" and p.state != "holds" for p in parts):
        said.append(why(m))
    said.append(runtimes_share(facts, claim, m))
    return Judgement(claim, m, configuration, held, "; ".join(x for x in said if x), parts)


def headline(facts: Facts, configuration: str) -> str:
    """How the reference guide's table fared, in a sentence; "" where none of it was measured."""
    judged = [judge(facts, claim, configuration) for claim in EFFECT_TABLE]
    if all(j.held == "not measurable here" for j in judged):
        return ""
    counts = {
        held: sum(j.held == held for j in judged)
        for held in ("yes", "partly", "no", "not measurable here")
    }
    names = {"yes": "held", "partly": "held partly", "no": "did not hold"}
    said = ", ".join(f"{n} {names.get(held, held)}" for held, n in counts.items() if n)
    return f"Of the reference guide's {len(judged)} claims, on {configuration}: {said}."


def verdict(parts: Sequence[Part]) -> Held:
    """`yes`: every part holds; `no`: neither size nor speed gains anything; else `partly`."""
    if all(p.state == "holds" for p in parts):
        return "yes"
    gains = [p for p in parts if p.name in GAINS] or parts
    if all(p.state == "fails" for p in gains):
        return "no"
    return "partly"


def smaller_by(m: Measured) -> float | None:
    """Size factor that the arrows are taken from: compressed files, else the files themselves.

    Compressed, because pruning shows only there, and for all alike.
    """
    return m.gzip_factor if m.gzip_factor is not None else m.file_factor


def own_speedup(claim: Claim, m: Measured) -> tuple[Estimate | None, str]:
    """What the technique itself gives, and over what.

    Where its baseline is the plain model in the same runtime, the change of runtime is not the
    technique's; else against the plain model. A claim in numbers is of all together, runtime too.
    """
    if claim.speed and m.effect.baseline == claim.runtime and m.speedup is not None:
        return m.speedup, claim.runtime
    return m.against_root or m.speedup, m.root


def runtimes_share(facts: Facts, claim: Claim, m: Measured) -> str:
    """How much of the gain over the plain model the runtime gives by itself, in words."""
    plain = facts.get(claim.runtime, m.configuration) if claim.runtime else None
    if plain is None or plain.against_root is None or m.against_root is None:
        return ""
    return (
        f"{figures.speedup(m.against_root)} as fast as {m.root}, of which {claim.runtime}, "
        f"the plain model in the same runtime, gives {figures.speedup(plain.against_root)}"
    )


def _parts(claim: Claim, m: Measured) -> tuple[Part, ...]:
    parts = []
    if claim.size is not None or claim.size_factor:
        parts.append(_size(claim, m))
    if claim.speed is not None or claim.speed_factor:
        parts.append(_speed(claim, *own_speedup(claim, m)))
    limits = {"tiny": scale.TINY_PP, "small": scale.SMALL_PP}
    limit = limits.get(claim.loss) if claim.loss_pp is None else claim.loss_pp
    if limit is not None:
        parts.append(_loss(limit, m))
    if claim.difficulty:
        parts.append(_difficulty(claim.difficulty, m.effect.difficulty))
    return tuple(parts)


def _size(claim: Claim, m: Measured) -> Part:
    factor = smaller_by(m)
    if factor is None:
        return Part("size", "unknown", "its size was not measured")
    shown = f"{figures.significant(factor, 2)}× smaller"
    if m.file_factor is not None and m.gzip_factor is not None and m.file_factor < 1.2:
        shown += f" compressed, {figures.significant(m.file_factor, 2)}× as a file"
    return _gain("size", factor, claim.size, claim.size_factor, shown, factor > 1)


def _speed(claim: Claim, item: Estimate | None, over: str) -> Part:
    if item is None:
        return Part("speed", "unknown", "speed: no launch was shared with the plain model")
    shown = f"{figures.speedup(item)} as fast as {over}"
    least = claim.speed_factor or scale.least_factor(claim.speed or 0)
    unsure = half_width(item) is not None and not distinguishable(item)
    if unsure and item.low < least <= item.high:
        return Part("speed", "unknown", f"speed: {shown}: the interval is too wide to tell")
    faster = item.value > 1 and not unsure
    part = _gain("speed", item.value, claim.speed, claim.speed_factor, shown, faster)
    if half_width(item) is None or not item.low < least <= item.high:
        return part
    if part.state == "holds":
        said = f"speed: {shown}; the interval cannot rule out less than {least:g}×"
    else:
        said = f"{part.why}, which the interval cannot rule out"
    return replace(part, why=said)


def _gain(
    name: str, factor: float, arrows: int | None, least: float | None, shown: str, real: bool
) -> Part:
    reached = factor >= least if least else scale.arrow_count(factor) >= (arrows or 0)
    if reached:
        return Part(name, "holds")
    sign = "↓" if name == "size" else "↑"
    claimed = f"{least:g}×" if least else sign * (arrows or 0)
    text = f"{name}: {shown}, {claimed} claimed"
    return Part(name, "weaker" if real and scale.arrow_count(factor) > 0 else "fails", text)


def _loss(limit: float, m: Measured) -> Part:
    found, change, gain = m.quality, m.quality_change, m.gain()
    if found is None or change is None or gain is None:
        return Part("accuracy", "unknown", "its accuracy was not compared")
    most = f"{figures.MINUS}{limit:g} {'pp' if found.is_share else '%'}"
    text = f"{found.metric}: {figures.changed(found, change)}"
    if -100 * gain.value <= limit + 1e-9:
        sure = -100 * gain.low <= limit
        unsure = f"{text}; {change.launches:,} test examples cannot rule out more than {most}"
        return Part("accuracy", "holds", "" if sure else unsure)
    # The claim is refuted only where the whole interval lies beyond it.
    state: Literal["weaker", "fails"] = "fails" if -100 * gain.high > limit else "weaker"
    word = scale.loss_word(100 * gain.value)
    return Part("accuracy", state, f"{text}, at most {most} claimed ({word})")


def _difficulty(claimed: str, measured: str) -> Part:
    if measured not in scale.DIFFICULTIES:
        return Part("difficulty", "unknown")
    harder = scale.DIFFICULTIES.index(measured) > scale.DIFFICULTIES.index(claimed)
    if not harder:
        return Part("difficulty", "holds")
    return Part("difficulty", "fails", f"difficulty: {measured}, {claimed} claimed")
