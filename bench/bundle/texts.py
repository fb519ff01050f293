"""The texts of a bundle: `infer.py`, `requirements.txt` and the README."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template

import jinja2
import numpy as np

from bench.bundle.claim import Claim, Form, Port, Speed

TEMPLATES = Path(__file__).parent / "templates"
PACKAGES = {
    "litert": ("ai-edge-litert",),
    "tensorflow": ("tensorflow",),
    "onnxruntime": ("onnxruntime",),
    "openvino": ("openvino",),
}
"""Distributions that a runtime needs beside numpy."""
AGREEMENT = ("top1", "relative_error", "snr_db", "correlation")
"""What a reader learns of how outputs agree; the rest is what these are judged by."""
CONTENTS = {
    "infer.py": "loads the model, checks shapes and types, answers",
    "scenario.py": "the lines of the technique, as a script for your project",
    "requirements.txt": "what `infer.py` needs, pinned",
    "samples.npz": "16 inputs with the outputs of this model (`output/…`) and the plain one "
    "(`plain/…`)",
    "baseline": "what the model is compared with",
    "claim.json": "what is claimed, with interval, proof and environment",
}


def infer_script(claim: Claim, form: Form) -> str:
    """`infer.py` of a form."""
    imports, load = _LOADERS[form.runtime](form)
    text = (TEMPLATES / "infer.py.txt").read_text(encoding="utf-8")
    return Template(text).substitute(
        summary=claim.summary.replace("\\", "/").replace('"', "'"),
        imports=imports,
        inputs=repr({port.name: (tuple(port.shape[1:]), port.dtype) for port in form.inputs}),
        batch=form.batch,
        load=load,
    )


def requirements(form: Form, versions: Mapping[str, str]) -> str:
    """Pins of what `infer.py` imports, as far as they are installed here."""
    names = (*PACKAGES[form.runtime], "numpy")
    return "".join(f"{name}=={versions[name]}\n" for name in names if name in versions)


def readme(claim: Claim, names: Sequence[str]) -> str:
    """The README for a colleague.

    Args:
        claim: What is claimed.
        names: Of the files and folders at the top of the bundle.
    """
    environment = jinja2.Environment(trim_blocks=False, autoescape=False)
    template = environment.from_string((TEMPLATES / "README.md.j2").read_text(encoding="utf-8"))
    known = [
        (name, what) for name, what in CONTENTS.items() if name in names or name[-5:] == ".json"
    ]
    model = claim.model
    if model is not None:
        known.insert(0, (model.place, f"the model, for {PACKAGES[model.runtime][0]}"))
    return template.render(
        claim=claim,
        verdict=verdict(claim),
        rows=_rows(claim),
        example=_example(model) if model is not None else "",
        shape=_shape,
        contents=known,
        machine=f"{claim.environment.get('cpu', 'a machine')} "
        f"({claim.configuration.name if claim.configuration else 'cpu'})",
    )


def verdict(claim: Claim) -> str:
    """The claim in a sentence."""
    if claim.speedup is None:
        return "It is the plain model: no speed-up is claimed."
    return (
        f"**{_speed(claim.speedup)} the speed of `{claim.baseline}`**, {claim.speedup.how} "
        f"({claim.speedup.launches} launches)."
    )


def _speed(speed: Speed) -> str:
    if speed.low is None or speed.high is None:
        return f"{speed.value:.3g}×"
    return f"{speed.value:.3g}× [{speed.low:.3g}, {speed.high:.3g}]"


def _rows(claim: Claim) -> list[list[str]]:
    rows = []
    if claim.speedup is not None:
        rows.append(["speed", _speed(claim.speedup), "1×"])
    if claim.model is not None:
        base = claim.baseline_model
        before = f"{base.size_bytes:,} bytes" if base else "–"
        rows.append(["size", f"{claim.model.size_bytes:,} bytes", before])
    found = claim.quality
    if found is not None:
        before = "–" if found.baseline is None else f"{found.baseline:.4g}"
        rows.append([found.metric, f"{found.value:.4g}", before])
    for name, value in claim.agreement.items():
        if name.rpartition("/")[2] in AGREEMENT:
            rows.append([f"agreement with the plain model: {name}", f"{value:.4g}", "–"])
    return rows


def _example(form: Form) -> str:
    if len(form.inputs) == 1:
        return "array"
    return "{" + ", ".join(f'"{port.name}": …' for port in form.inputs) + "}"


def _shape(port: Port) -> str:
    return "×".join("?" if n is None else str(n) for n in port.shape[1:]) or "scalar"


def _litert(form: Form) -> tuple[str, str]:
    shapes = ", ".join(f"({port.index}, {list(port.shape)})" for port in form.inputs)
    values = ", ".join(f"({port.index}, {_stored(port)})" for port in form.inputs)
    answers = ", ".join(f"{port.name!r}: {_real(port)}" for port in form.outputs)
    return (
        "from ai_edge_litert.interpreter import Interpreter",
        f"""\
interpreter = Interpreter(str(Path(__file__).with_name({form.place!r})))
for index, shape in [{shapes}]:
    interpreter.resize_tensor_input(index, shape)
interpreter.allocate_tensors()


def call(block):
    for index, array in [{values}]:
        interpreter.set_tensor(index, array)
    interpreter.invoke()
    return {{{answers}}}""",
    )


def _stored(port: Port) -> str:
    """An input as its tensor holds it."""
    value = f"block[{port.name!r}]"
    if not port.scale:
        return value
    limits = np.iinfo(port.stored)
    rounded = f"np.round({value} / {port.scale!r}) + {port.zero}"
    return f"np.clip({rounded}, {limits.min}, {limits.max}).astype({port.stored!r})"


def _real(port: Port) -> str:
    """An output as real values."""
    value = f"interpreter.get_tensor({port.index})"
    if not port.scale:
        return value
    return f"({value}.astype(np.float32) - {port.zero}) * np.float32({port.scale!r})"


def _tensorflow(form: Form) -> tuple[str, str]:
    compiled = "\nrun = tf.function(run, jit_compile=True)" if form.xla else ""
    return (
        "import tensorflow as tf",
        f"""\
loaded = tf.saved_model.load(str(Path(__file__).with_name({form.place!r})))
run = loaded.signatures["serving_default"]{compiled}


def call(block):
    found = run(**{{name: tf.constant(array) for name, array in block.items()}})
    return {{name: array.numpy() for name, array in found.items()}}""",
    )


def _onnxruntime(form: Form) -> tuple[str, str]:
    names = [port.name for port in form.outputs]
    return (
        "import onnxruntime",
        f"""\
place = str(Path(__file__).with_name({form.place!r}))
session = onnxruntime.InferenceSession(place, providers=["CPUExecutionProvider"])


def call(block):
    names = {names}
    return dict(zip(names, session.run(names, block), strict=True))""",
    )


def _openvino(form: Form) -> tuple[str, str]:
    answers = ", ".join(f"{port.name!r}: found[{i}]" for i, port in enumerate(form.outputs))
    inputs = ", ".join(f"block[{port.name!r}]" for port in form.inputs)
    return (
        "import openvino",
        f"""\
place = str(Path(__file__).with_name({form.place!r}) / "model.xml")
model = openvino.Core().compile_model(place, "CPU")


def call(block):
    found = model([{inputs}])
    return {{{answers}}}""",
    )


_LOADERS = {
    "litert": _litert,
    "tensorflow": _tensorflow,
    "onnxruntime": _onnxruntime,
    "openvino": _openvino,
}
