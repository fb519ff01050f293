"""What bounds a path: the verdict from two independent kinds of evidence, ablation and trace."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

BOUNDS = {
    "input": "the input pipeline computes longer than the step",
    "io": "the input pipeline waits for storage",
    "compute": "arithmetic: matrix products, or element-wise work below memory's speed",
    "memory": "moving tensors through memory, element-wise",
    "overhead": "Python and the dispatch of operations",
    "communication": "replicas exchanging values",
}
BALANCED = "balanced"
LEADING = 0.5
"""A share below half of the step is no bottleneck: removing it whole would not halve the time."""
AHEAD = 1.5
"""Nor is one that is not clearly ahead of the next; removing it would only expose that one."""
WAITS = 0.5
"""Below this CPU use, in cores, a pipeline that is drawn as fast as it can waits for something."""
STREAMS = 0.2
"""Element-wise work slower than this share of the memory's bandwidth is not bound by memory."""
LITTLE = 0.1
"""A smaller share of a step says nothing of how fast its element-wise work is."""
OVERLAPPED = 0.8
"""A pipeline alone at least this long as the step alone is as much a limit as the step."""
TRACE_NAMES = {"python": "overhead"}


@dataclass(frozen=True)
class Verdict:
    """What bounds a path, and how sure that is."""

    bound: str
    """One of BOUNDS, or `balanced`."""
    confidence: str
    """high: both kinds of evidence and most rounds say so; medium: one of these; low: neither."""
    ablation: Mapping[str, float]
    """Share of a step by bound, from what the step takes without each part."""
    traced: Mapping[str, float]
    """The same from the trace; empty where it shows no operations."""
    agreeing_rounds: int
    rounds: int
    notes: tuple[str, ...] = ()


def judge(
    seconds: Mapping[str, Sequence[float]],
    facts: Mapping[str, Any],
    trace_shares: Mapping[str, float],
) -> Verdict:
    """The verdict on a path.

    Shares are those of each variant's fastest round: other programs only add time, and on a shared
    machine they slow arithmetic and memory by unlike factors for seconds at a time.

    Args:
        seconds: Seconds a step by variant and round (bench.launch.analysis.ablation).
        facts: What else the ablation found.
        trace_shares: Share of a traced step by state (bench.explain.events).
    """
    fastest = {name: min(values) for name, values in seconds.items()}
    ablation = ablated(fastest, facts)
    traced = from_trace(trace_shares, ablation, slow_elements(fastest, facts))
    both = mixed(ablation, traced)
    bound = leading(both, fastest)
    rounds = min(len(values) for values in seconds.values())
    each = [
        leading(mixed(ablated(_round(seconds, n), facts), traced), fastest) for n in range(rounds)
    ]
    agreeing = sum(one == bound for one in each)
    sides = [leading(side, fastest) == bound for side in (ablation, traced) if side]
    sure = [
        len(sides) == 2
        and all(sides)
        and not unseparated(seconds, facts)
        and not contradicted(bound, fastest, facts),
        agreeing >= 0.8 * rounds,
    ]
    confidence = ("low", "medium", "high")[sum(sure)]
    notes = _notes(fastest, facts, traced)
    if contradicted(bound, fastest, facts):
        notes.append("what twice the arithmetic costs does not fit this verdict")
    if unseparated(seconds, facts):
        notes.append("the matrix products could not be run alone: arithmetic counts as memory")
    return Verdict(bound, confidence, ablation, traced, agreeing, rounds, tuple(notes))


def unseparated(seconds: Mapping[str, Sequence[float]], facts: Mapping[str, Any]) -> bool:
    """Whether ablation could not separate arithmetic from element-wise work."""
    return "not_counted" in facts or bool(facts.get("products") and "products" not in seconds)


def contradicted(bound: str, seconds: Mapping[str, float], facts: Mapping[str, float]) -> bool:
    """Whether twice the matrix products cost what this bound does not explain.

    They double a step that arithmetic bounds, and cost little elsewhere.
    """
    if "twice" not in seconds or slow_elements(seconds, facts):
        return False
    more = (seconds["twice"] - _as_graph(seconds)) / seconds["full"]
    return abs(more - (bound == "compute")) > 1 - LEADING / 2


def ablated(seconds: Mapping[str, float], facts: Mapping[str, float]) -> dict[str, float]:
    """Share of a step by bound, from the times with a part taken away.

    Waiting for input is what a cached batch saves, at most what the pipeline takes alone;
    communication what silence saves; overhead what one graph saves over Python, and what half the
    data does not halve; arithmetic what the matrix products take alone; memory is the rest that
    grows with the data.
    """
    cached, compute, memory, communication = _step(seconds, facts)
    wait = min(seconds["full"] - cached, seconds["pipeline"])
    full = cached + wait
    overhead = cached - compute - memory - communication
    if slow_elements(seconds, facts):
        compute, memory = compute + memory, 0.0
    waits_for_storage = (
        facts.get("drawing_cpu", 1.0) < WAITS and facts.get("file_bytes_per_step", 0.0) > 1024
    )
    parts = {
        "input": 0.0 if waits_for_storage else wait,
        "io": wait if waits_for_storage else 0.0,
        "compute": compute,
        "memory": memory,
        "overhead": overhead,
        "communication": communication,
    }
    return {name: value / full for name, value in parts.items()}


def slow_elements(seconds: Mapping[str, float], facts: Mapping[str, float]) -> bool:
    """Whether element-wise work is too slow to be bound by memory: then it is arithmetic."""
    cached, _, memory, _ = _step(seconds, facts)
    if memory < LITTLE * cached:
        return False
    return facts.get("other_bytes", 0) / memory < STREAMS * facts["dram_bytes_per_s"]


def _step(
    seconds: Mapping[str, float], facts: Mapping[str, float]
) -> tuple[float, float, float, float]:
    """Seconds of the step on a cached batch: whole, products, element-wise, communication."""
    cached = min(seconds["cached"], seconds["full"])
    communication = _saved(cached, seconds.get("silent"))
    python = _saved(cached - communication, seconds.get("graph"))
    rest = cached - communication - python
    compute = min(seconds.get("products", 0.0), rest)
    memory = _growing(seconds, facts, compute, rest - compute, cached, python)
    return cached, compute, memory, communication


def _growing(
    seconds: Mapping[str, float],
    facts: Mapping[str, float],
    compute: float,
    rest: float,
    cached: float,
    python: float,
) -> float:
    """The part of the rest that grows with the data: of half the data it takes half.

    Where a batch cannot be halved: what the counted bytes take at the memory's bandwidth.
    """
    if "half" in seconds and not python > 0.5 * cached:
        growing = 2 * (cached - min(seconds["half"], cached))
        return min(rest, max(0.0, growing - compute))
    return min(rest, facts.get("other_bytes", 0) / facts["dram_bytes_per_s"])


def from_trace(
    shares: Mapping[str, float], ablation: Mapping[str, float], slow: bool = False
) -> dict[str, float]:
    """The trace's shares under the verdict's names.

    A trace sees waiting but not for what, and element-wise work but not whether memory bounds it:
    these two distinctions are the ablation's (`slow`: it does not).
    """
    if not shares:
        return {}
    named = {TRACE_NAMES.get(state, state): share for state, share in shares.items()}
    if ablation["io"] > ablation["input"]:
        named["io"] = named.pop("input", 0.0)
    if slow:
        named["compute"] = named.get("compute", 0.0) + named.pop("memory", 0.0)
    return {name: named.get(name, 0.0) for name in BOUNDS}


def mixed(ablation: Mapping[str, float], traced: Mapping[str, float]) -> dict[str, float]:
    """The mean of both kinds of evidence; the ablation alone where the trace shows nothing."""
    if not traced:
        return dict(ablation)
    return {name: (ablation[name] + traced[name]) / 2 for name in BOUNDS}


def leading(shares: Mapping[str, float], seconds: Mapping[str, float]) -> str:
    """The bound that leads clearly, or `balanced`."""
    if not shares:
        return BALANCED
    (first, share), (_, second) = Counter(shares).most_common(2)
    if share < LEADING or share < AHEAD * second:
        return BALANCED
    if first not in ("input", "io") and seconds["pipeline"] > OVERLAPPED * seconds["cached"]:
        return BALANCED
    return first


def _as_graph(seconds: Mapping[str, float]) -> float:
    """Seconds of the step on a cached batch, run as one graph."""
    return seconds.get("graph", seconds["cached"])


def _saved(before: float, after: float | None) -> float:
    return 0.0 if after is None else max(0.0, before - after)


def _round(seconds: Mapping[str, Sequence[float]], number: int) -> dict[str, float]:
    return {name: values[number] for name, values in seconds.items()}


def _notes(
    seconds: Mapping[str, float], facts: Mapping[str, float], traced: Mapping[str, float]
) -> list[str]:
    """Measured facts beside the shares."""
    notes = []
    if not traced:
        notes.append("the trace shows no TensorFlow operations: the verdict rests on ablation")
    if seconds["pipeline"] > 0.02 * seconds["full"]:
        notes.append(
            f"the pipeline alone takes {_ms(seconds['pipeline'])} a batch with "
            f"{facts.get('drawing_cpu', 0.0):.1f} cores busy, the step alone "
            f"{_ms(seconds['cached'])}"
        )
    read = facts.get("file_bytes_per_step", 0.0)
    if read > 1024:
        disk = facts.get("disk_bytes_per_step", 0.0)
        notes.append(f"a batch reads {read / 1e3:,.0f} kB of files, {disk / 1e3:,.0f} kB from disk")
    alone = [(word, facts.get(f"storage_{word}_s")) for word in ("cold", "warm")]
    if any(took for _, took in alone):
        said = ", ".join(f"{_ms(took)} with a {word} page cache" for word, took in alone if took)
        notes.append(f"storage alone takes {said} a batch")
    if facts.get("flops") and "products" in seconds:
        rate = facts["flops"] / seconds["products"]
        notes.append(
            f"its {facts['products']} matrix products alone run at "
            f"{rate / facts['float32_flop_per_s']:.0%} of the float32 ceiling"
        )
    if "twice" in seconds:
        notes.append(
            "with every matrix product done twice the step takes "
            f"{seconds['twice'] / _as_graph(seconds):.0%}"
        )
    if "half" in seconds:
        notes.append(f"half the batch takes {seconds['half'] / seconds['cached']:.0%} of the step")
    if "one core" in seconds:
        slower = seconds["one core"] / seconds["cached"]
        notes.append(f"on one core the step takes {slower:.2f} times as long as on all")
    if "graph" in seconds:
        notes.append(
            f"as one tf.function the step takes {seconds['graph'] / seconds['cached']:.0%}"
        )
    if "silent" in seconds:
        notes.append(
            f"without communication the step takes {seconds['silent'] / seconds['cached']:.0%}"
        )
    return notes


def _ms(seconds: float) -> str:
    return f"{1e3 * seconds:.3g} ms"
