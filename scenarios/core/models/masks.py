"""Masks in a Keras 3 graph that follow from its layers, as those that an Embedding hands on.

Keras 3 writes them out as operations of their own; Keras 2 works them out anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Masks:
    """Which arguments of a graph's calls are masks that its layers imply."""

    def __init__(self, functional: Any) -> None:
        import keras

        self._flatten = keras.tree.flatten
        nodes = [node for each in functional._nodes_by_depth.values() for node in each]
        tensors = [tensor for node in nodes for tensor in node.outputs]
        found = (getattr(tensor, "_keras_mask", None) for tensor in tensors)
        self._implied = {_meaning(mask) for mask in found if mask is not None}
        self._wanted = self._reached(
            functional, {id(t): node for node in nodes for t in node.outputs}
        )

    def left_out(self, keywords: Mapping[str, Any]) -> dict[str, Any]:
        """The keywords of a call without implied masks and the flag of training."""
        return {
            name: value for name, value in keywords.items()
            if name != "training" and not (name.endswith("mask") and self._all_implied(value))
        }  # fmt: skip

    def only(self, node: Any) -> bool:
        """Whether a call's outputs are used for implied masks alone."""
        return not any(id(tensor) in self._wanted for tensor in node.outputs)

    def _all_implied(self, value: Any) -> bool:
        masks = [each for each in self._flatten(value) if each is not None]
        return bool(masks) and all(
            hasattr(mask, "_keras_history") and _meaning(mask) in self._implied for mask in masks
        )

    def _reached(self, functional: Any, makers: Mapping[int, Any]) -> set[int]:
        """Tensors that lead to the outputs by more than implied masks."""
        reached: set[int] = set()
        waiting = self._flatten(functional._outputs_struct)
        while waiting:
            tensor = waiting.pop()
            if id(tensor) in reached or not hasattr(tensor, "_keras_history"):
                continue
            reached.add(id(tensor))
            node = makers.get(id(tensor))
            if node is not None and not node.is_input:
                waiting += self._flatten(
                    (node.arguments.args, self.left_out(node.arguments.kwargs))
                )
        return reached


def _meaning(tensor: Any) -> Any:
    """What a tensor is: two that the same operations make of the same layers' outputs are alike.

    A graph that was loaded from a file holds each mask twice: as written, and as its layers imply.
    """
    import keras

    operation, place, output = tensor._keras_history
    if isinstance(operation, keras.layers.Layer):
        return id(tensor)
    given = operation._inbound_nodes[place].arguments
    parts = keras.tree.flatten((given.args, given.kwargs))
    return (type(operation).__name__, output, *(
        _meaning(part) if hasattr(part, "_keras_history") else repr(part) for part in parts
    ))  # fmt: skip
