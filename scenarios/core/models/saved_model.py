"""Sources that TensorFlow runs without Keras: a SavedModel's signature, a tf.Module's function."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorflow as tf

from bench.results.errors import UsageError
from scenarios.core.data import nests
from scenarios.core.data.signature import Spec
from scenarios.core.models.sources import NEEDS_KERAS, Network, Source

DEFAULT = "serving_default"


@dataclass(frozen=True, kw_only=True)
class FunctionSource(Source):
    """One function of an object that holds its variables; inputs are bound by name."""

    function: Any
    holder: Any

    def network(self) -> Network:
        """The function, called by its inputs' names."""
        names, function = list(self.signature), self.function

        def network(inputs: Any) -> Any:
            given = nests.named(inputs, names[0])
            found = function(**{name: given[name] for name in names})
            if isinstance(found, dict):
                return next(iter(found.values())) if len(found) == 1 else found
            return found

        return network

    def serving(self) -> Any:
        """The object with the variables."""
        return self.holder


def from_folder(path: Path, signature: str = "") -> Source:
    """A source of a SavedModel's folder: one of its signatures, `serving_default` if none is named.

    Raises:
        UsageError: It is no SavedModel, or has no such signature.
    """
    try:
        loaded = tf.saved_model.load(str(path))
    except (OSError, ValueError, RuntimeError, tf.errors.OpError) as error:
        first = str(error).strip().splitlines()[0][:300]
        raise UsageError(f"{path} cannot be loaded as a SavedModel: {first}") from None
    available = list(loaded.signatures)
    wanted = signature or (DEFAULT if DEFAULT in available else "")
    if not wanted and len(available) == 1:
        wanted = available[0]
    if wanted not in available:
        raise UsageError(
            f"{path} has the signatures {', '.join(available) or '(none)'}: name one by --signature"
        )
    function = loaded.signatures[wanted]
    inputs = {name: spec for name, spec in function.structured_input_signature[1].items()}
    digest = hashlib.sha256(wanted.encode())
    for file in sorted(p for p in path.rglob("*") if p.is_file() and p.name != "fingerprint.pb"):
        digest.update(file.read_bytes())
    outputs = function.structured_outputs
    return _source(
        str(path), digest.digest(), function, loaded, inputs,
        {name: spec for name, spec in outputs.items()}, file=path,
    )  # fmt: skip


def from_module(
    name: str, code: bytes, module: tf.Module, shape: tuple[int, ...], attribute: str = ""
) -> Source:
    """A source of a tf.Module: its `__call__`, or the only tf.function that it has.

    Raises:
        UsageError: It has no function that can be called on the data.
    """
    functions = {
        key: getattr(module, key)
        for key in dir(module)
        if hasattr(getattr(type(module), key, None), "get_concrete_function")
        or hasattr(module.__dict__.get(key), "get_concrete_function")
    }
    found = functions.get(attribute or "__call__")
    if found is None and not attribute and len(functions) == 1:
        found = next(iter(functions.values()))
    if found is None and callable(module) and not functions and not attribute:
        found = tf.function(module)
    if found is None:
        raise UsageError(
            f"model {name!r} is a tf.Module with the functions {', '.join(functions) or '(none)'}: "
            "give it a __call__, or name one by --signature"
        )
    try:
        concrete = (
            found.get_concrete_function()
            if getattr(found, "input_signature", None)
            else found.get_concrete_function(tf.TensorSpec([None, *shape], tf.float32, "input"))
        )
    except (ValueError, TypeError, tf.errors.OpError) as error:
        first = str(error).strip().splitlines()[0][:300]
        raise UsageError(f"model {name!r} cannot be called on {shape}: {first}") from None
    specs = [t for t in concrete.inputs if t.dtype != tf.resource]
    inputs = {t.name.partition(":")[0]: tf.TensorSpec(t.shape, t.dtype) for t in specs}

    def by_name(**given: Any) -> Any:
        answer = concrete(*[given[key] for key in inputs])
        flat = tf.nest.flatten(answer)
        if isinstance(answer, dict) or len(flat) == 1:
            return answer
        return {f"output_{i}": each for i, each in enumerate(flat)}

    outputs = concrete.structured_outputs
    flat = outputs if isinstance(outputs, dict) else {
        f"output_{i}": each for i, each in enumerate(tf.nest.flatten(outputs))
    }  # fmt: skip
    return _source(name, code, by_name, module, inputs, flat)


def _source(
    name: str, digest: bytes, function: Any, holder: Any, inputs: Any, outputs: Any, **facts: Any
) -> Source:
    first = [spec.shape[0] if spec.shape.rank else 1 for spec in inputs.values()]
    fixed = next((int(n) for n in first if n is not None), None)
    for key, spec in inputs.items():
        if spec.shape.rank is None:
            raise UsageError(
                f"{name}: input {key!r} has no shape: save it with a signature of known rank"
            )
    return FunctionSource(
        name=name,
        digest=digest,
        signature={key: _spec(spec) for key, spec in inputs.items()},
        outputs={key: _spec(spec) for key, spec in outputs.items()},
        fixed_batch=fixed,
        provides=frozenset({"model:graph", "model:litert", "model:onnx"}),
        lacks={
            "model:keras": f"{name} holds no Keras model: {NEEDS_KERAS}",
            "model:copyable": f"{name} holds no layers that can be copied: {NEEDS_KERAS}",
            "model:trainable": f"{name} holds no model that can be trained: {NEEDS_KERAS}",
            "architecture:free": f"{name} has its architecture: give FILE.py:function",
        },
        function=function,
        holder=holder,
        **facts,
    )


def _spec(spec: Any) -> Spec:
    shape = tuple(spec.shape[1:]) if spec.shape.rank else ()
    return Spec(shape, spec.dtype.name)
