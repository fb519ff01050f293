"""The doctor on made-up machines: a folder for the system's files, no sleeping."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from bench.sweep.doctor import Finding, examine, worst
from bench.sweep.machine import Machine, arithmetic_jitter
from tfbench.command import doctor as command

CPU = "sys/devices/system/cpu"


def stat(user: int = 0, idle: int = 0, steal: int = 0) -> str:
    return f"cpu  {user} 0 0 {idle} 0 0 0 {steal} 0 0\n"


@pytest.fixture
def machine(tmp_path: Path) -> Callable[..., Machine]:
    """A sound machine with some files changed; `later` holds files as they are a second later."""

    def make(
        later: dict[str, str] | None = None,
        environment: dict[str, str] | None = None,
        command: str = "",
        jitter: float = 0.01,
        cores: int = 4,
        **files: str,
    ) -> Machine:
        sound = {
            "proc/stat": stat(idle=1000),
            "proc/vmstat": "pswpin 5\npswpout 5\n",
            "proc/loadavg": "0.10 0.2 0.3 1/100 1",
            "proc/meminfo": "MemAvailable: 16777216 kB\n",
            f"{CPU}/cpu0/cpufreq/scaling_governor": "performance\n",
            f"{CPU}/intel_pstate/no_turbo": "1",
            "sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never",
            "sys/devices/system/clocksource/clocksource0/current_clocksource": "tsc",
        }

        def write(contents: dict[str, str]) -> None:
            for name, text in contents.items():
                path = tmp_path / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)

        write(sound | files)
        moved = {"proc/stat": stat(idle=1400)} | (later or {})
        return Machine(
            root=tmp_path, environment=environment or {}, cores=cores,
            sleep=lambda _: write(moved), command=lambda _: command, jitter=lambda: jitter,
        )  # fmt: skip

    return make


def levels(findings: list[Finding]) -> dict[str, str]:
    return {f.name: f.level for f in findings if f.level != "fine"}


@pytest.mark.parametrize(
    "unlimited",
    [
        {},
        {"sys/fs/cgroup/cpu.max": "max 100000", "sys/fs/cgroup/memory.max": "max"},
        {
            "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1",
            "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712",
        },
    ],
)
def test_a_sound_machine_is_fine(
    machine: Callable[..., Machine], unlimited: dict[str, str]
) -> None:
    findings = examine(machine(**unlimited), wanted_cores=4)
    assert levels(findings) == {}
    assert worst(findings) == "fine"
    assert all(f.measured for f in findings)


@pytest.mark.faults(
    "Around it",
    {
        "a container with a CPU quota": "`tfbench doctor` says so",
        "a container with a limit of memory": "`tfbench doctor` says so, launches are held to it",
    },
)
@pytest.mark.parametrize(
    ("change", "name", "level", "says"),
    [
        ({"later": {"proc/stat": stat(idle=1360, steal=40)}}, "steal time", "bad", "10.0%"),
        ({"later": {"proc/stat": stat(user=200, idle=1200)}}, "other programs", "bad", "50%"),
        ({"proc/loadavg": "3.50 1 1 1/1 1"}, "load", "note", "3.50"),
        ({"cores": 2}, "cores", "bad", "2 usable"),
        ({"sys/fs/cgroup/cpu.max": "150000 100000"}, "cores", "bad", "quota of 1.5"),
        (
            {"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/cpu.max": "50000 100000"},
            "cores", "bad", "quota of 0.5",
        ),
        (
            {
                "proc/self/cgroup": "3:cpu,cpuacct:/a\n",
                "sys/fs/cgroup/cpu/a/cpu.cfs_quota_us": "300000",
                "sys/fs/cgroup/cpu/a/cpu.cfs_period_us": "100000",
            },
            "cores", "bad", "quota of 3.0",
        ),
        ({"sys/fs/cgroup/memory.max": f"{1 << 30}"}, "swapping", "note", "a limit of 1.0 GiB"),
        (
            {
                "proc/self/cgroup": "4:memory:/a/b\n",
                "sys/fs/cgroup/memory/a/b/memory.limit_in_bytes": f"{3 << 29}",
            },
            "swapping", "note", "a limit of 1.5 GiB",
        ),
        ({f"{CPU}/cpu0/cpufreq/scaling_governor": "powersave"}, "governor", "note", "powersave"),
        ({f"{CPU}/intel_pstate/no_turbo": "0"}, "turbo", "note", "on"),
        ({"jitter": 0.2}, "steadiness", "note", "20.0%"),
        ({"later": {"proc/vmstat": "pswpin 9\npswpout 5\n"}}, "swapping", "bad", "4 pages"),
        ({"proc/meminfo": "MemAvailable: 1048576 kB\n"}, "swapping", "note", "1.0 GiB"),
        (
            {"sys/kernel/mm/transparent_hugepage/enabled": "[always] madvise never"},
            "huge pages", "note", "always",
        ),
        (
            {"sys/devices/system/clocksource/clocksource0/current_clocksource": "hpet"},
            "clock source", "note", "hpet",
        ),
        ({"environment": {"ONEDNN_VERBOSE": "1"}}, "variables", "bad", "ONEDNN_VERBOSE"),
        ({"environment": {"XLA_FLAGS": "--xla_dump_to=x"}}, "variables", "bad", "XLA_FLAGS"),
        ({"environment": {"LD_PRELOAD": "libprofiler.so"}}, "variables", "bad", "libprofiler"),
        ({"dev/nvidia0": "", "command": "123, python, 900 MiB\n"}, "GPU", "bad", "123, python"),
    ],
)  # fmt: skip
def test_each_trouble_is_measured_and_comes_with_advice(
    machine: Callable[..., Machine], change: dict[str, Any], name: str, level: str, says: str
) -> None:
    findings = examine(machine(**change), wanted_cores=4)
    assert levels(findings) == {name: level}
    found = next(f for f in findings if f.name == name)
    assert says in found.measured
    assert found.advice


@pytest.mark.parametrize(
    "environment",
    [{"ONEDNN_VERBOSE": "0"}, {"LD_PRELOAD": "libtcmalloc.so"}, {"XLA_FLAGS": "--xla_x=1"}],
)
def test_harmless_variables_are_not_blamed(
    machine: Callable[..., Machine], environment: dict[str, str]
) -> None:
    assert levels(examine(machine(environment=environment))) == {}


def test_files_that_are_not_there_are_no_reason_to_fail(tmp_path: Path) -> None:
    bare = Machine(root=tmp_path, environment={}, cores=4, sleep=lambda _: None,
                   command=lambda _: "", jitter=lambda: 0.0)  # fmt: skip
    assert worst(examine(bare)) == "note"  # what cannot be measured is reported


def test_a_quiet_gpu_is_fine(machine: Callable[..., Machine]) -> None:
    findings = examine(machine(**{"dev/nvidia0": ""}))
    assert levels(findings) == {}


def test_arithmetic_is_timed() -> None:
    assert arithmetic_jitter(repeats=10, loops=100) >= 0


@pytest.mark.parametrize(
    ("level", "code", "verdict"),
    [("fine", 0, "Nothing"), ("note", 0, "will be good"), ("bad", 3, "would be bad")],
)
def test_the_command_tells_and_exits_accordingly(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    level: Any,
    code: int,
    verdict: str,
) -> None:
    findings = [Finding("load", level, "9.00", "wait [a while]" if level != "fine" else "")]
    monkeypatch.setattr(command, "examine", lambda wanted_cores: findings)
    assert command.doctor("cpu-1", None, as_json=False) == code
    out = capsys.readouterr().out
    assert verdict in out
    assert ("wait [a while]" in out) == (level != "fine")


def test_the_findings_as_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import json

    monkeypatch.setattr(command, "examine", lambda wanted_cores: [Finding("x", "fine", "y")])
    command.doctor(None, None, as_json=True)
    assert json.loads(capsys.readouterr().out)["findings"] == [
        {"name": "x", "level": "fine", "measured": "y", "advice": ""}
    ]


def test_what_is_bad_comes_before_the_notes() -> None:
    out = io.StringIO()
    findings = [Finding("a", "note", "1", "first"), Finding("b", "bad", "2", "second")]
    command.show(findings, Console(file=out, width=100))
    text = out.getvalue()
    assert text.index("second") < text.index("first")
