"""What a model is, whatever form it came in: inputs, outputs, weights, and what it allows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.results.errors import Unsupported
from scenarios.core.data.signature import Signature, Spec
from scenarios.core.tasks.values import Compiled

Network = Callable[[Any], Any]
"""A nest of inputs [N, ...] to a nest of outputs [N, ...], in inference mode: one tensor where
there is one output, else a dict by name."""
NEEDS_KERAS = "give the .keras file, or FILE.py:function that returns the Keras model"


@dataclass(frozen=True, kw_only=True)
class Source:
    """A model of one form. What a form cannot do raises Unsupported with the way out."""

    name: str
    """As the user gave it."""
    digest: bytes
    """Of all that determines it."""
    signature: Signature
    """Its inputs by name, without the batch axis."""
    outputs: Mapping[str, Spec]
    trained: bool = True
    """It came with weights, and is measured with these; else its weights are initial ones."""
    structure: str = "dict"
    """How it takes its inputs: `one`, `list` (in the signature's order) or `dict`."""
    fixed_batch: int | None = None
    """The only batch size it takes; None: any."""
    keras_version: int = 3
    """2 where its Keras model is one of tf_keras."""
    provides: frozenset[str] = frozenset()
    lacks: Mapping[str, str] = field(default_factory=dict)
    """Need → what this form lacks for it, and the way out; one sentence."""
    compiled: Compiled = field(default_factory=Compiled)
    notes: tuple[str, ...] = ()
    file: Path | None = None
    """The finished file or folder it came as."""

    @property
    def holds_training(self) -> bool:
        """Whether its weights come from a training, and are measured as they are."""
        return self.trained

    def keras(self, weights: Callable[[Any], None] | None = None) -> Any:
        """A new Keras model with its given (or new initial) weights; `weights` sets others."""
        raise Unsupported(self.lacks.get("model:keras", f"{self.name} holds no Keras model"))

    def looked_at(self, weights: Callable[[Any], None] | None = None) -> Any:
        """As `keras`: the model that was made to find this source; None: there is none any more."""
        return None

    def network(self) -> Network:
        """The network as TensorFlow runs it."""
        raise Unsupported(self.lacks.get("model:graph", f"{self.name} cannot be run by TensorFlow"))

    def serving(self) -> Any:
        """What must be kept alive and saved together with `network`: its variables and assets."""
        raise Unsupported(self.lacks.get("model:graph", f"{self.name} cannot be saved"))
