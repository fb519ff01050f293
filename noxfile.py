"""One session a job: `nox -s bench` measures, `nox -s tests` tests; `--` passes flags on."""

from __future__ import annotations

import shutil
from pathlib import Path

import nox

nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["tests"]
nox.needs_version = ">=2025.2.9"

SHARED = Path(".nox/environment/bin/python")
"""The commands of users share one environment; developers' sessions have their own."""


def install(session: nox.Session, *extras: str, groups: tuple[str, ...] = ()) -> None:
    """Install the project with pinned dependencies; bytecode is compiled, or imports cost 3×."""
    session.env["UV_COMPILE_BYTECODE"] = "1"
    session.env["PIP_COMPILE"] = "1"
    target = f".[{','.join(extras)}]" if extras else "."
    wanted = ["-c", "constraints.txt", "-e", target]
    for group in groups:
        wanted += ["--group", group]
    session.install(*wanted)


def command(session: nox.Session, name: str) -> None:
    """Run one of tfbench's commands with what follows `--`, in the shared environment."""
    session.run(str(SHARED), "-m", "tfbench", name, *session.posargs, external=True)


@nox.session(default=False)
def environment(session: nox.Session) -> None:
    """The environment of the commands below."""
    install(session)


@nox.session(python=False, requires=["environment"])
def bench(session: nox.Session) -> None:
    """Measure: the quick profile unless flags say otherwise, and write the report."""
    command(session, "run")


@nox.session
def bench_extras(session: nox.Session) -> None:
    """Measure with ONNX Runtime, OpenVINO and MLPerf loadgen beside TensorFlow."""
    install(session, "onnx", "openvino", "serve")
    session.run("python", "-m", "tfbench", "run", *session.posargs)


@nox.session(requires=["environment"])
def bench_trt(session: nox.Session) -> None:
    """Measure TF-TRT in launches of TensorFlow 2.17, the last that has it, beside this one's."""
    session.install(
        "tensorflow[and-cuda]==2.17.1", "tf_keras==2.17.0", "numpy<2", "scikit-learn", "pillow",
        "scipy", "packaging", "tensorrt-cu12==8.6.1",
    )  # fmt: skip
    python = str(Path(session.bin) / "python")
    arguments = ["run", "infer/tensorrt*", "--python", python, *session.posargs]
    session.run(str(SHARED), "-m", "tfbench", *arguments, external=True)


@nox.session(name="list", python=False, requires=["environment"])
def list_(session: nox.Session) -> None:
    """List the scenarios."""
    command(session, "list")


@nox.session(name="run", python=False, requires=["environment"])
def run_(session: nox.Session) -> None:
    """Measure: `tfbench run`."""
    command(session, "run")


@nox.session(python=False, requires=["environment"])
def report(session: nox.Session) -> None:
    """Write a run's report anew."""
    command(session, "report")


@nox.session(python=False, requires=["environment"])
def compare(session: nox.Session) -> None:
    """Put runs side by side."""
    command(session, "compare")


@nox.session(python=False, requires=["environment"])
def recommend(session: nox.Session) -> None:
    """The best scenario of a run under constraints."""
    command(session, "recommend")


@nox.session(python=False, requires=["environment"])
def history(session: nox.Session) -> None:
    """Many runs as trend lines."""
    command(session, "history")


@nox.session(python=False, requires=["environment"])
def guard(session: nox.Session) -> None:
    """Compare the working tree with another version; fails on a regression."""
    command(session, "guard")


@nox.session(python=False, requires=["environment"])
def trace(session: nox.Session) -> None:
    """Show what a scenario's trace holds."""
    command(session, "trace")


@nox.session(python=False, requires=["environment"])
def diagnose(session: nox.Session) -> None:
    """Find what bounds a training or inference path."""
    command(session, "diagnose")


@nox.session(python=False, requires=["environment"])
def doctor(session: nox.Session) -> None:
    """Tell what would make numbers bad on this machine."""
    command(session, "doctor")


@nox.session
def tests(session: nox.Session) -> None:
    """All tests, a smoke sweep among them."""
    install(session, "onnx", groups=("test",))
    session.run("python", "-m", "pytest", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Ruff: lint and format."""
    session.install("-c", "constraints.txt", "ruff")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Mypy, strict in bench and reports."""
    install(session, groups=("types",))
    session.run("mypy")


@nox.session
def docs(session: nox.Session) -> None:
    """The site of the documents, strict: a broken link or a page left out fails."""
    session.install("-c", "constraints.txt", "--group", "docs")
    quiet = {"NO_MKDOCS_2_WARNING": "1"}
    session.run("mkdocs", "build", "--strict", *session.posargs, env=quiet)


@nox.session(python=False, requires=["environment"])
def example(session: nox.Session) -> None:
    """The documents' example from the newest run below runs/, or from the run after `--`."""
    session.run(str(SHARED), "-m", "research.example", *session.posargs, external=True)


@nox.session
def precision(session: nox.Session) -> None:
    """The benchmark of the benchmark: writes docs/precision.md."""
    install(session, groups=("rivals",))
    session.run("python", "-m", "research.precision", *session.posargs)


@nox.session
def microbench(session: nox.Session) -> None:
    """pytest-benchmark on scenario steps and on the harness's own hot paths."""
    install(session, groups=("test",))
    session.run(
        "python", "-m", "pytest", "research/microbench", "--benchmark-only", *session.posargs
    )


@nox.session
def constraints(session: nox.Session) -> None:
    """Pin the dependencies anew, without any index's address."""
    session.install("uv")
    session.run(
        "uv", "pip", "compile", "--universal", "--python-version", "3.11", "--upgrade",
        "--no-emit-index-url", "--no-annotate", "--no-header", "--all-extras",
        "--group", "test", "--group", "lint", "--group", "types", "--group", "docs",
        "--group", "rivals", "pyproject.toml", "-o", "constraints.txt",
    )  # fmt: skip


@nox.session(python=False)
def clean(session: nox.Session) -> None:
    """Remove what sessions made."""
    for name in (".nox", "build", ".pytest_cache", ".mypy_cache", ".ruff_cache"):
        shutil.rmtree(name, ignore_errors=True)
