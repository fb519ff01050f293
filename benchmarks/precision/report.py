"""Writes docs/precision.md and its plots from the recorded results, however many there are."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from bench.guard.decide import LOOKS, alpha
from bench.guard.timing import TIMED
from bench.results.errors import UsageError
from benchmarks import guard_table
from benchmarks.precision import counts, plots, tables
from benchmarks.precision.decisions import Block, blocks, chains, regrouped
from benchmarks.precision.kept import keep, recorded

SUITE = 50


def write(out: Path, docs: Path, guard: Path | None = None) -> None:
    """Write the report of the results in `out` and of those that earlier reports kept.

    Args:
        out: Folder of the results.
        docs: Where `precision.md` and its plots go; the records are kept in `precision/records`.
        guard: Folder of `benchmarks.guard_experiment`, whose cases are added to those that
            `precision/guard.jsonl` there keeps; their table is part of the page.

    Raises:
        UsageError: There are none, here or kept.
    """
    pictures = docs / "precision"
    keep(out, pictures / "records")
    found = recorded(pictures / "records")
    ours, rivals, absolute = found["ours"], found["rivals"], found["absolute"]
    if not (ours or rivals or absolute):
        raise UsageError(f"{out} holds no results: run `python -m benchmarks.precision` first")
    done = blocks(ours)
    spreads = tables.estimator_spreads(ours)
    pictures.mkdir(parents=True, exist_ok=True)
    plots.effects(done, pictures / "effects.svg")
    plots.called(done, rivals, pictures / "called.svg")
    plots.estimators(spreads, pictures / "estimators.svg")
    parts = [
        HEAD.format(sessions=_sessions(found["sessions"])),
        "## Required and reached\n",
        tables.markdown(["what", "required", "reached", "met"], _required(done, ours, absolute)),
        f"\n{COUNTING}",
        "## How exact an effect is\n\n![estimated effects](precision/effects.svg)\n",
        tables.spread_table(done) + "\n",
        *_sessions_apart(done),
        TRIED,
        f"## False alarms\n\n{ALARMS}",
        tables.alarm_table(done) + "\n",
        f"## Power\n\n{POWER}",
        tables.power_table(done) + "\n",
        "![share of effects called](precision/called.svg)\n",
        *_rivals(rivals),
        *_guard(guard_table.keep(guard, pictures / "guard.jsonl")),
        f"## Estimator and length of a turn\n\n{ESTIMATOR}",
        tables.estimator_table(spreads) + "\n",
        "![spread by estimator](precision/estimators.svg)\n",
        TURNS,
        tables.turn_length_table(ours) + "\n",
        f"## Absolute latency\n\n{ABSOLUTE}",
        tables.absolute_table(absolute) + "\n",
    ]
    (docs / "precision.md").write_text("\n".join(parts), encoding="utf-8")


def _required(
    done: Sequence[Block], ours: Sequence[dict[str, Any]], absolute: Sequence[dict[str, Any]]
) -> Iterator[list[str]]:
    """Rows of the summary: what, required, reached, whether it is met."""
    quiet = [b for b in done if b.noise == "quiet"]
    one, every = ([b for b in quiet if b.configuration == c] for c in ("cpu-1", "cpu-all"))
    yield from _sds(one, "cpu-1", "LiteRT int8", 0.002, 6, "decision", sides=2)
    graph = ("tf.function inference", "tf.function training")
    for kind in graph:
        yield from _sds(one, "cpu-1", kind, 0.0025, 10, "candidate")
    for kind in graph:
        yield from _sds(every, "cpu-all", kind, 0.007, 15, "candidate")
    _, alarms, total, effective = counts.alarm_counts(done)
    enough = _met(alarms == 0 and total >= 500, total)
    yield [f"A/A false alarms at the guard's default rule, {LOOKS[0]} launches a stage",
           "0 of 500", tables.share(alarms, total, effective), enough]  # fmt: skip
    alarms, total, effective, _ = counts.guarded_counts(done, 0.0, default=True)
    enough = _met(alarms == 0 and total >= 500, total)
    yield ["A/A false alarms at the guard's default rule, going on as it does", "0 of 500",
           tables.share(alarms, total, effective), enough]  # fmt: skip
    count = SUITE * len(TIMED)
    rate = count * alpha(count) ** 2
    yield [f"false alarms of a suite of {SUITE}, by the rule's own arithmetic", "≤ 1 %",
           f"{rate:.1%}: {count} comparisons (latency and first step) × α², under any dependence",
           _met(rate <= 0.0101, 1)]  # fmt: skip
    for effect, part, label, least in (
        (0.02, one, "cpu-1", 0.99), (0.01, one, "cpu-1", 0.95), (0.05, every, "cpu-all", 0.99),
    ):  # fmt: skip
        for count in (1, tables.TWICE):
            hits, trials, number = counts.power(part, effect, count=count)
            reached = hits / trials if trials else 0.0
            what = f"power at {effect:.0%}, {label}, {count * LOOKS[0]} launches a stage"
            yield [what, f"≥ {least:.0%}", tables.share(hits, trials, number),
                   _met(reached >= least, trials)]  # fmt: skip
        hits, trials, number, launches = counts.guarded_counts(part, effect)
        spent = f", {launches:.0f} launches" if trials else ""
        yield [f"power at {effect:.0%}, {label}, going on as the guard does", f"≥ {least:.0%}",
               tables.share(hits, trials, number) + spent,
               _met(bool(trials) and hits >= least * trials, trials)]  # fmt: skip
    hits, trials, number = counts.coverage(done)
    covered = hits / trials if trials else 0.0
    yield ["coverage of the 95 % interval", "93 to 97 %",
           f"{covered:.1%}: {tables.share(hits, trials, number)}",
           _met(0.93 <= covered <= 0.97, trials)]  # fmt: skip
    for (name, cpu), (ratio, inside, added, pairs, _) in tables.absolute_rows(absolute).items():
        yield [f"median latency of {name} against loadgen's p50, {cpu}", "within 1 %",
               f"{100 * ratio:+.2f} % (loadgen adds {100 * added:.2f} % to a step; within its "
               f"queries {100 * inside:+.2f} %)",
               _met(abs(ratio) <= 0.01, pairs)]  # fmt: skip
    idle = tables.idle_shares(ours)
    for who, name in (("parent", "the parent's"), ("waiting", "a waiting member's")):
        values = sorted(idle[who])
        if values:
            high = values[math.ceil(0.95 * len(values)) - 1]
            yield [f"{name} CPU use while turns run", "< 1 % of a core",
                   f"median {median(values):.2%}, 95 % of launches below {high:.2%}",
                   _met(median(values) < 0.01, len(values))]  # fmt: skip


def _sds(
    part: Sequence[Block],
    where: str,
    kind: str,
    limit: float,
    seconds: float,
    of: str,
    sides: int = 1,
) -> Iterator[list[str]]:
    """A row for each way to inject: a decision has as many launches as fit the time."""
    mine = [b for b in part if b.kind == kind]
    what, least = f"{where}, {kind}, {seconds} s a {of}", f"≤ {100 * limit:.2f} %"
    if not mine:
        yield [f"sd of an effect, {what}", least, "not run", "–"]
    for injection in sorted({b.injection for b in mine}):
        alike = [b for b in mine if b.injection == injection]
        launch_s = median(b.wall_s / b.members / len(b.launches) for b in alike) * sides
        count = max(2, int(seconds / launch_s))
        taken = [b for chain in chains(alike) for b in regrouped(chain, count)]
        sd = counts.spread(p for b in taken for p in b.pairs) if taken else math.nan
        text = (
            f"{tables.percent(sd)} at {count * launch_s:.1f} s ({len(taken)} times "
            f"{count} launches{_apart(counts.session_spreads(alike, count))})"
        )
        in_time = round(count * launch_s, 1) <= seconds
        met = _met(sd <= limit and in_time, len(taken))
        yield [f"sd of an effect by {injection}, {what}", least, text, met]


def _apart(sds: Sequence[float]) -> str:
    """How far sessions lie apart, where there are several."""
    if len(sds) < 2:
        return ""
    return f"; by session {tables.percent(sds[0])} to {tables.percent(sds[-1])}"


def _met(good: bool, count: int) -> str:
    return "not run" if not count else "yes" if good else "**no**"


def _sessions_apart(done: Sequence[Block]) -> list[str]:
    """How much the same work's spread depends on the hour; nothing where one session made all."""
    table = tables.session_table(done)
    return [SESSIONS, f"{table}\n"] if table else []


def _rivals(records: Sequence[dict[str, Any]]) -> list[str]:
    """How other tools did; nothing where none was run."""
    if not records:
        return []
    return [f"## Other tools on the same work\n\n{RIVALS}", tables.rival_table(records) + "\n"]


def _guard(found: Sequence[dict[str, Any]]) -> list[str]:
    """What the guard found of planted changes; nothing where the experiment was not run."""
    if not found:
        return []
    return [f"## Planted changes\n\n{GUARD}", guard_table.table(found) + "\n"]


def _sessions(sessions: Sequence[dict[str, Any]]) -> str:
    lines = []
    for session in sessions:
        machine = session["environment"]
        day = time.strftime("%Y-%m-%d %H:%M", time.gmtime(session["session"]))
        commit = session["git"].get("commit", "")[:10] or "no commit"
        lines.append(
            f"- {day} UTC: {machine['cores']} cores of {machine['cpu']}, kernel "
            f"{machine['kernel']}, Python {machine['python']}, TensorFlow "
            f"{machine['packages'].get('tensorflow', '?')}, load at the start "
            f"{session['load'][0]:.1f}, commit {commit}"
            + (f"; beside it: {session['beside']}" if session.get("beside") else "")
        )
    return "\n".join(lines)


HEAD = """# How precise tfbench is

Written by `nox -s precision` (`python -m benchmarks.precision`) from its recorded launches; no
table is typed in, what was tried is. Run it again with `--minutes N`: it goes on where it stopped.
What each session recorded is kept in [precision/records](precision/records), and `--report` makes
this page of all of them; for a page of your machine alone give `--docs FOLDER`. A decision is made
from launches on one machine. The sessions behind this page:

{sessions}

A *block* is one group launched six times (the guard's first look): four members that do the same
work and up to four that are slowed by a known share, by spinning (*turn spin*: at the end of each
turn; *spin*, in earlier sessions: after each step) or by making more steps than are counted
(*work*). Every pair of the four is an A/A decision, every slowed member is judged against each of
the four. Launches are made as the guard makes them: in parts, between which members get new
physical pages, the next one being built on another core where one is left. *Quiet* means (a row's
*load*) that no other load was meant to run; what ran at times all the same is told with the
session; *beside* that another program, named with its session above, kept the other core busy;
*bursts* that a co-runner loaded one core in random bursts, half of the time. On a shared machine
other tenants are always there. How a turn is taken and why it is so is told in
[measuring.md](measuring.md).
What earlier versions reached on other machines is kept in [precision-amd.md](precision-amd.md) and,
beside other tools, in [precision-intel.md](precision-intel.md).
"""
COUNTING = """Intervals are Clopper and Pearson's at 95 %, at the *effective* number of
decisions: of the six A/A pairs of four members three are independent, and the four decisions on one
slowed member count as n ÷ (1 + (m-1)·ρ) with the intraclass correlation ρ of their errors. An sd
includes bias: it is taken about what was injected. Machine time counts all of a launch:
fork, build, first step, warm-up and turns.

A spin after each step lengthens the next step of a tf.function too, which is not what is injected:
see [measuring.md](measuring.md#controls). Earlier sessions did so, with every member spinning for
2 % of each step and the slowed ones for as much more; their rows keep that error. Spun effects are
measured in the guard's turns of 3 ms (LiteRT int8: 10 ms); those made of work of 1, 2 and 5 % need
turns of 100, 50 and 20 steps.
"""
SESSIONS = """The same work in different sessions:
"""
TRIED = """*Of it by its turns*: half of the difference between the two halves of a launch's turns
(1.48 times the median, as halves of few turns go astray). The rest is what a launch differs in as
a whole; more turns do not average that away, only more launches do ([what makes launches
differ](measuring.md#what-makes-launches-differ)). From twelve launches on the mean is trimmed by a
sixth on either side, as everywhere in tfbench.

On quieter machines a launch's level in training differed by more than its turns explain, though its
pages had moved three times; why is not known. On an AMD machine `SCHED_BATCH` for all launches, and
turns of 5 to 14 ms, gained nothing ([what makes launches
differ](measuring.md#what-makes-launches-differ)). In `cpu-all` no launch can be built ahead, which
halves how many fit the time.
"""
ALARMS = """Both signs count. The guard's own rule and code (`bench/guard`): both stages at α = 1 %;
a confirmation is made on the launches of the block after. The default margin is 2 % in `cpu-1` and
5 % in `cpu-all`; a guard told to watch for 1 % is shown too.
"""
POWER = """A decision counts when screen and confirmation both call it slower. The guard goes on to
8, 12 and more launches a stage where the interval is still too wide and time is left. What it
would have decided is told twice: of two blocks taken as one, and of each stage ending as the
guard's does, when a change of the margin's size would have been seen, or when half of the recorded
launches are used up, which is the budget here. What is still open then counts as not called. The
guard reports only what exceeds half of its margin; so an effect is shown at a guard whose margin
is that effect, and at the default margin, which is not meant to find 1 %.
"""
RIVALS = """LiteRT int8, batch 1, the same .tflite file, one thread, slowed by spinning; each tool
by its own code and rule. Each candidate is measured within two runs of its baseline's run. "Pinned"
rivals run on the core that tfbench uses, others as they come; in sessions that say so each tool,
pinned or not, had one core and something else the other. hyperfine times whole commands, with their
start-up; google/benchmark's `compare.py` reads only results of C++ binaries built with that
library, so it does not apply.
"""
GUARD = """Real changes of the code, committed to a scratch clone and compared by `tfbench guard
--base` over ten scenarios in `cpu-1` (`python -m benchmarks.guard_experiment`; the longest suite of
a kind is told in seconds). Of unchanged code the false alarms are counted, of all else the suites
that found it; a slow function counts as found where the guard names a scenario that it builds. The
guard's version is the git tree of `bench/`. Where it was run, pytest-benchmark runs the same steps
of both versions, one after the other, for as long as the guard took (eight suites up to two hours
later, once more, to judge by both rules). The whole experiment is 20 suites of unchanged code, ten
of 2 % and five of 5 % of each place, three of the others; the table has those that were run, and
[guard.jsonl](precision/guard.jsonl) keeps each. What other tenants took is the machine's *steal*.
"""
ESTIMATOR = """The sd of one launch's effect about the truth, from the same recorded turns by each
way of estimating; all pairs of all blocks. Bold is the least of its row. What tfbench uses,
the *levels*, are least absolute deviations of the log differences between turns up to three apart,
of all members of the group at once: every neighbour in time tells of the machine's state, not only
the baseline's turn of the same round. Turns that other programs held up by more than 1 % are left
out of them where enough are left. The columns from the median on look at two members alone.
"""
TURNS = """Longer turns, made of the recorded ones by taking consecutive turns of a member as one
(median of log ratios within rounds; shorter ones were compared live, see
[measuring.md](measuring.md#taking-turns)):
"""
ABSOLUTE = """Both tools time the same built path in one process, pinned to one core, in parts of
0.04 s in turn: tfbench's median step against the p50 of MLPerf loadgen's SingleStream scenario, of
the same odd number of steps (of an even one loadgen takes the upper of the two middle ones).
loadgen measures from issuing a query to its completion call, through its Python binding; the
callback makes the step and nothing else. What the binding adds is told by timing the same queries'
steps with tfbench's clock, within it. Steps stay on their core; the thread that writes loadgen's
log may run on any.
"""
