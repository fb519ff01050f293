"""An existing suite of benchmarks under pytest: its `benchmark` fixture and mark, served here.

A pytest process that lists calls every benchmark once; one that is a launch runs a single test and
answers the guard's messages at the place where that test calls `benchmark`, so that its fixtures
are alive. Forms of pytest-benchmark and of pytest-codspeed are understood.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Generator, Sequence
from typing import Any

import pytest

from bench.launch.code import stand_ins, timers
from bench.launch.code.launch import CodeLaunch
from bench.launch.timing.launch import serve
from bench.launch.timing.turns import Timer
from bench.results.errors import LaunchError, UsageError

Measure = Callable[[Timer, bool], Any]
GO_ON = "--continue-on-collection-errors"
MARKS = ("benchmark", "codspeed_benchmark")


def run(request: dict[str, Any], fd: int, other: str) -> dict[str, Any]:
    """Run pytest as the request asks; what is to be answered when it has ended."""
    plugin = Benchmarks(request.get("name"), fd, other)
    given = [*stand_ins.arguments(), "-q", GO_ON, *request["arguments"]]
    stand_ins.provide(BenchmarkFixture)
    said = io.StringIO()
    with contextlib.redirect_stderr(said) if "name" not in request else contextlib.nullcontext():
        code = int(pytest.main(given, plugins=[plugin]))
    if plugin.served:
        raise EOFError("the guard has seen enough")
    if "name" in request:
        raise LaunchError(plugin.why_not(request["name"]))
    if code == pytest.ExitCode.USAGE_ERROR:
        lines = [line.removeprefix("ERROR: ").strip() for line in said.getvalue().splitlines()]
        telling = [line for line in lines if line and not line.startswith(("usage:", "inifile:"))]
        why = next((line for line in telling if "error:" in line), (telling or ["no reason"])[0])
        raise UsageError(f"pytest ends with a usage error: {why}")
    if code == pytest.ExitCode.INTERNAL_ERROR:
        raise LaunchError("pytest ended with an error of its own")
    return {"found": list(plugin.found.values()), "broken": plugin.broken, "root": plugin.root}


class BenchmarkFixture:
    """What the fixture `benchmark` gives: both packages' interface, as far as suites use it."""

    enabled = False
    disabled = True
    stats = None

    def __init__(self, name: str, measure: Measure) -> None:
        self.name = self.fullname = name
        self.group: str | None = None
        self.extra_info: dict[str, Any] = {}
        self._measure = measure

    def __call__(self, target: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Measure a function with these arguments; returns what it returned."""
        return self._measure(timers.plain(timers.with_arguments(target, args, kwargs)), False)

    def pedantic(
        self,
        target: Callable[..., Any],
        args: Sequence[Any] = (),
        kwargs: dict[str, Any] | None = None,
        setup: Callable[..., Any] | None = None,
        teardown: Callable[..., Any] | None = None,
        rounds: int = 1,
        warmup_rounds: int = 0,
        iterations: int = 1,
    ) -> Any:
        """Measure a function that `setup` prepares; without one, called as often as it says.

        With a setup, what is called is new each time: the guard decides how often. Without one, a
        launch calls it `rounds` × `iterations` times in one turn, and not again.
        """
        if setup is None and teardown is None:
            call = timers.with_arguments(target, args, kwargs)
            for _ in range(warmup_rounds):
                call()
            return self._measure(timers.plain(_times(call, rounds * iterations)), True)
        given: list[Any] = [args, kwargs or {}]

        def prepare() -> timers.Call:
            made = setup() if setup is not None else None
            given[:] = made if made is not None else (args, kwargs or {})
            return timers.with_arguments(target, given[0], given[1])

        def after() -> None:
            if teardown is not None:
                teardown(*given[0], **given[1])

        return self._measure(timers.SetupTimer(prepare, after), False)

    def weave(self, *args: Any, **kwargs: Any) -> Any:
        """Refused."""
        pytest.fail("benchmark.weave and patch are not supported: measure the caller", False)

    patch = weave


def _times(call: timers.Call, count: int) -> timers.Call:
    def repeated() -> Any:
        for _ in range(count - 1):
            call()
        return call()

    return call if count <= 1 else repeated


class Benchmarks:
    """The plugin.

    Args:
        wanted: Node id of the test that is to be a launch; None: list them all.
        fd: End of the channel to the guard.
        other: Root of the other version.
    """

    def __init__(self, wanted: str | None, fd: int, other: str) -> None:
        self._wanted, self._fd, self._other = wanted, fd, other
        self._measured: dict[str, bool] = {}
        self.found: dict[str, dict[str, Any]] = {}
        self.broken: list[str] = []
        self.served = False
        self.root = ""

    # --- what pytest calls ----------------------------------------------------------------------

    def pytest_addoption(self, parser: pytest.Parser) -> None:
        """Accept both packages' options."""
        stand_ins.add_options(parser)

    def pytest_addhooks(self, pluginmanager: pytest.PytestPluginManager) -> None:
        """Let a conftest implement pytest-benchmark's hooks."""
        pluginmanager.add_hookspecs(stand_ins.Hooks)

    def pytest_configure(self, config: pytest.Config) -> None:
        """Make the marks known."""
        self.root = str(config.rootpath)
        for mark in MARKS:
            config.addinivalue_line("markers", f"{mark}: measured by the guard")

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        """Keep the benchmarks, or the one that is wanted."""
        kept = [each for each in items if _is_benchmark(each)]
        if self._wanted is not None:
            kept = [each for each in kept if each.nodeid == self._wanted]
        left = [each for each in items if each not in kept]
        if left:
            config.hook.pytest_deselected(items=left)
        items[:] = kept
        for each in kept:
            each.own_markers = [mark for mark in each.own_markers if mark.name != "timeout"]

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note files that cannot be collected."""
        if report.failed:
            self.broken.append(f"{report.nodeid}: {_reason(report)}")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note how a test ended."""
        entry = self.found.setdefault(
            report.nodeid,
            {"name": report.nodeid, "outcome": "ok", "reason": "", "file": report.location[0],
             "line": (report.location[1] or 0) + 1},
        )  # fmt: skip
        if report.skipped:
            entry |= {"outcome": "unsupported", "reason": f"skipped: {_reason(report)}"}
        elif report.failed and entry["outcome"] == "ok":
            entry |= {"outcome": "failed", "reason": _reason(report)}
        elif report.when == "call" and report.nodeid not in self._measured:
            entry |= {"outcome": "unsupported", "reason": "it never called benchmark"}
        entry["job"] = self._measured.get(report.nodeid, False)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> Generator[None, Any, None]:
        """A marked test without the fixture is measured as a whole."""
        if "benchmark" not in pyfuncitem.fixturenames and _marked(pyfuncitem):
            test = pyfuncitem.obj
            names = pyfuncitem._fixtureinfo.argnames
            given = {name: pyfuncitem.funcargs[name] for name in names}
            measure = self._measuring(pyfuncitem.nodeid)
            pyfuncitem.obj = lambda **_: measure(
                timers.plain(timers.with_arguments(test, (), given)), False
            )
            try:
                yield
            finally:
                pyfuncitem.obj = test
        else:
            yield

    @pytest.fixture
    def benchmark(self, request: pytest.FixtureRequest) -> BenchmarkFixture:
        """Measure a function."""
        return BenchmarkFixture(request.node.nodeid, self._measuring(request.node.nodeid))

    # --- pieces ---------------------------------------------------------------------------------

    def why_not(self, name: str) -> str:
        """Why a test that was to be a launch took no turns."""
        if name in self.found:
            return str(self.found[name]["reason"] or "it never called benchmark")
        return self.broken[0] if self.broken else "pytest does not find it by its name again"

    def _measuring(self, name: str) -> Measure:
        def measure(timer: Timer, job: bool) -> Any:
            if name in self._measured:
                pytest.fail("it calls benchmark twice: split it in two", False)
            self._measured[name] = job
            if self._wanted is None:
                return timer.advance()
            launch = CodeLaunch(timer, self._other, job)
            with contextlib.suppress(EOFError, ConnectionError):  # the guard has seen enough
                serve(launch, self._fd)
            self.served = True
            return launch.result

        return measure


def _marked(item: pytest.Item) -> bool:
    return any(item.get_closest_marker(mark) for mark in MARKS)


def _is_benchmark(item: pytest.Item) -> bool:
    return "benchmark" in getattr(item, "fixturenames", ()) or _marked(item)


def _reason(report: pytest.CollectReport | pytest.TestReport) -> str:
    """The last line that says something."""
    told = report.longrepr
    if isinstance(told, tuple):
        return str(told[2]).removeprefix("Skipped: ")
    crash = getattr(told, "reprcrash", None)
    text = str(getattr(crash, "message", None) or told or "").strip()
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        return "no reason given"
    return lines[0][:300] if crash is not None else lines[-1].removeprefix("E ").strip()[:300]
