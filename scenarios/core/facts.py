"""What is known of a workload's model, found out once and kept in the cache beside its outputs.

Looking at a model means building it, which costs a large one seconds: launches read these facts.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from bench.results.errors import UsageError, one_line
from bench.results.values import WorkloadSpec
from scenarios.core import artifacts, models, user_code
from scenarios.core.data import Data, Spec, fit, nests, samples
from scenarios.core.data.signature import said
from scenarios.core.tasks import Compiled, probing

SAMPLES = "samples"
"""Data that are drawn from the model's own signature."""
LOADS = "the model's function loads trained weights: they are measured as they are"


@dataclass(frozen=True)
class Facts:
    """Facts of a model as plain values."""

    signature: Mapping[str, Spec]
    outputs: Mapping[str, Spec]
    structure: str = "one"
    """How a Keras model takes its inputs: `one`, `list` (in the signature's order) or `dict`."""
    trained: bool = True
    fixed_batch: int | None = None
    keras_version: int = 3
    provides: tuple[str, ...] = ()
    lacks: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    loss: str = ""
    """The loss it was compiled with; `own` where only the model itself has it."""
    metrics: tuple[str, ...] = ()

    @property
    def compiled(self) -> Compiled:
        """What it was compiled with, as far as names say it."""
        return Compiled(self.loss or None, self.metrics)


def fitted(spec: WorkloadSpec, raw: Data | None, facts: Facts) -> Data:
    """The data as the model takes them: given ones fitted to it, or samples drawn for it."""
    if raw is None:
        return samples(facts.signature, seed=spec.seed)
    return fit(raw) if spec.model == "cnn" else fit(raw, facts.signature)


def find(
    spec: WorkloadSpec, raw: Data | None, source: Callable[[], models.Source], folder: Path
) -> tuple[Facts, Any]:
    """The model's facts, and its outputs on `probing(data)`; made once a workload.

    Args:
        spec: Names the model.
        raw: The data as they were read; None: samples.
        source: Makes the model's source, where it is not known yet.
        folder: Of the cache.
    """
    file = artifacts.made_once(
        folder / "models" / f"{_key(spec, raw)}.npz", lambda path: _write(path, spec, raw, source())
    )
    with np.load(file, allow_pickle=False) as arrays:
        facts = _from_json(json.loads(str(arrays["facts"])))
        outputs = {
            name.removeprefix("output "): arrays[name] for name in arrays.files if name != "facts"
        }
    return facts, next(iter(outputs.values())) if len(outputs) == 1 else outputs


def of_source(source: models.Source) -> Facts:
    """The facts of a source."""
    loss = source.compiled.loss
    own = not isinstance(loss, (str, type(None))) or bool(source.compiled.loss_weights)
    trained = source.holds_training
    loads = (LOADS,) if trained and not source.trained else ()
    return Facts(
        source.signature,
        source.outputs,
        getattr(source, "structure", "dict"),
        trained,
        source.fixed_batch,
        source.keras_version,
        tuple(sorted(source.provides)),
        dict(source.lacks),
        (*loads, *source.notes),
        "own" if own else loss or "",
        source.compiled.metrics,
    )


def _write(file: Path, spec: WorkloadSpec, raw: Data | None, source: models.Source) -> None:
    facts = of_source(source)
    outputs: dict[str, Any] = {}
    if raw is None and isinstance(source, models.FinishedSource):
        _answers_at_all(source, samples(facts.signature, seed=spec.seed))
    if "model:graph" in source.provides:
        tf.keras.utils.set_random_seed(spec.seed)
        network = source.network()
        given = probing(fitted(spec, raw, facts))
        found = _in_fixed_batches(network, given, source.fixed_batch)
        outputs = {f"output {k}": np.asarray(v) for k, v in nests.named(found, "output").items()}
    with file.open("wb") as written:
        np.savez(written, allow_pickle=False, facts=json.dumps(asdict(facts)), **outputs)


def _answers_at_all(source: models.FinishedSource, drawn: Data) -> None:
    """Raise UsageError where a file does not answer inputs whose open dimensions were filled in."""
    is_open = {name: s for name, s in source.signature.items() if None in s.shape}
    if source.run is None or not is_open:
        return
    given = nests.take(drawn.test.inputs, slice(0, source.fixed_batch or 1))
    try:
        source.run(nests.named(given, next(iter(source.signature))))
    except Exception as error:  # a runtime's own kinds of error share no base
        shapes = ", ".join(
            f"{name} {said(array.shape[1:])} for {said(is_open[name].shape)}"
            for name, array in nests.named(given, next(iter(source.signature))).items()
            if name in is_open
        )
        raise UsageError(
            f"{source.name} takes inputs of other sizes than were drawn ({shapes}): give some by "
            f"--data, or name a size as in --data synthetic:3x48x320 ({one_line(error)})"
        ) from None


def _in_fixed_batches(network: Any, given: Any, batch: int | None) -> Any:
    if batch is None:
        return nests.mapped(np.asarray, network(given))
    count = nests.length(given) // batch * batch
    return nests.concat([
        nests.mapped(np.asarray, network(nests.take(given, slice(i, i + batch))))
        for i in range(0, count, batch)
    ])  # fmt: skip


def model_digest(spec: WorkloadSpec) -> bytes:
    """SHA-256 of all that determines the model: its name, files, the source of its function."""
    digest = hashlib.sha256(repr((spec.model, spec.signature, spec.seed)).encode())
    for path in (spec.model, spec.weights):
        if path and Path(path).is_file():
            digest.update(Path(path).read_bytes())
        elif path and Path(path).is_dir():
            for file in sorted(p for p in Path(path).rglob("*") if p.is_file()):
                digest.update(file.read_bytes())
    if spec.factory:
        digest.update(user_code.find(spec.factory, "workload")[1])
    if ":" in spec.model and not spec.model.startswith("applications:"):
        digest.update(user_code.find(spec.model, "model")[1])
    if spec.model == "cnn":
        digest.update(artifacts.source_digest(models.cnn.__code__.co_filename).encode())
    return digest.digest()


def _key(spec: WorkloadSpec, raw: Data | None) -> str:
    digest = hashlib.sha256(model_digest(spec))
    if raw is not None:
        digest.update(raw.digest + str(raw.units).encode())
    for folder in ("models", "tasks", "data"):
        for file in sorted((Path(__file__).parent / folder).glob("*.py")):
            digest.update(artifacts.source_digest(str(file)).encode())
    digest.update(f"{tf.__version__} {artifacts.keras_name()}".encode())
    return digest.hexdigest()[:20]


def _from_json(table: dict[str, Any]) -> Facts:
    for name in ("signature", "outputs"):
        table[name] = {
            key: Spec(**(each | {"shape": tuple(each["shape"])}))
            for key, each in table[name].items()
        }
    for name in ("provides", "notes", "metrics"):
        table[name] = tuple(table[name])
    return Facts(**table)
