"""A scenario's own lines as a script: its function, what that uses of its module, and a call."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from bench.results.as_json import to_json
from bench.results.values import Scenario, WorkloadSpec

CALLS = {
    "train": """\
    for step in range(10):
        print("step", step + 1, "loss", path.advance())
    print("proof:", path.proof())
""",
    "infer": """\
    print("answer:", path.infer(path.inputs[0]))
    print("file:", path.artifact)
    print("proof:", path.proof())
""",
}


def script(scenario: Scenario, source: Path, workload: WorkloadSpec) -> str:
    """The script.

    Args:
        scenario: A training or an inference path.
        source: Its module's file.
        workload: What the run measured it on.
    """
    text = source.read_text(encoding="utf-8")
    lines = text.splitlines()
    body = ast.parse(text).body
    kept = _needed(body, scenario.function)
    parts = ["\n".join(_lines(node, lines)) for node in body if node in kept]
    imports = [ast.unparse(one) for node in body for one in _imports(node, kept)]
    variables = dict(scenario.environment)
    if scenario.keras == 2:
        variables["TF_USE_LEGACY_KERAS"] = "1"
    named = to_json(workload)
    named.pop("cache", None)
    given = ", ".join(f"{k}={v!r}" for k, v in scenario.arguments.items())
    return "\n".join([
        f'"""{scenario.id}: {_plain(scenario.summary)}', "",
        "The lines of the technique, as they were measured. Copy them into your project: what they",
        "ask of `workload` are your model, your optimizer, your loss and your batches. As it",
        'stands it runs where tfbench is installed."""', "",
        *(["import os", "", f"os.environ.update({variables!r})", ""] if variables else []),
        *imports,
        "from bench.results.values import WorkloadSpec",
        "from scenarios.core.training import prepare",
        *_devices(scenario.devices), "", "",
        "\n\n\n".join(parts), "", "",
        'if __name__ == "__main__":',
        f"    spec = WorkloadSpec(**{named!r})  # your data and your model",
        f"    workload = Workload(spec, devices={scenario.devices})",
        "    prepare(workload)",
        f"    path = {scenario.function}({', '.join(filter(None, ['workload', given]))})",
        CALLS[scenario.kind],
    ])  # fmt: skip


def _needed(body: list[ast.stmt], function: str) -> set[ast.stmt]:
    """The function's definition, and those of the module that it uses, directly or not."""
    made = {name: node for node in body for name in _defines(node)}
    found: set[ast.stmt] = set()
    waiting = [made[function]]
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.add(node)
            waiting += [made[name] for name in _names(node) if name in made]
    return found


def _defines(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Assign):
        yield from (each.id for each in node.targets if isinstance(each, ast.Name))
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        yield node.target.id


def _names(node: ast.stmt) -> set[str]:
    """Names that it uses, without those of its marker."""
    inside = [each for each in ast.iter_child_nodes(node) if not _marks(each)]
    return {n.id for part in inside for n in ast.walk(part) if isinstance(n, ast.Name)}


def _imports(node: ast.stmt, kept: set[ast.stmt]) -> Iterator[ast.stmt]:
    """Of an import what the kept definitions use."""
    if not isinstance(node, ast.Import | ast.ImportFrom):
        return
    used = {name for each in kept for name in _names(each)} | {"Workload"}
    names = [a for a in node.names if (a.asname or a.name).partition(".")[0] in used]
    if isinstance(node, ast.ImportFrom) and node.module == "__future__":
        names = list(node.names)
    if names and isinstance(node, ast.Import):
        yield ast.Import(names)
    elif names and isinstance(node, ast.ImportFrom):
        yield ast.ImportFrom(node.module, names, node.level)


def _lines(node: ast.stmt, lines: list[str]) -> list[str]:
    """Its lines as they stand in the source, without its marker."""
    decorators = [d for d in getattr(node, "decorator_list", ()) if not _marks(d)]
    start = min([node.lineno, *(d.lineno for d in decorators)])
    return lines[start - 1 : node.end_lineno]


def _marks(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and getattr(node.func, "id", "") == "scenario"


def _devices(count: int) -> list[str]:
    if count < 2:
        return []
    return [
        "", "import tensorflow as tf", "",
        "cpu = tf.config.list_physical_devices('CPU')[0]",
        f"logical = [tf.config.LogicalDeviceConfiguration() for _ in range({count})]",
        "tf.config.set_logical_device_configuration(cpu, logical)",
    ]  # fmt: skip


def _plain(text: str) -> str:
    return text.replace("\\", "/").replace('"', "'")
