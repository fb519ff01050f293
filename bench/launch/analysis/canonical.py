"""A digest of what a saved graph computes: the same for one model, however often it is saved.

TensorFlow numbers functions and nodes by what a process has traced before, orders them by chance
and adds random fingerprints and source lines. So a node is known here by its operation, attributes
and inputs (a Merkle tree), a function by what it returns, a variable by its value.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bench.launch.analysis import files

ACCIDENTAL = {"_gradient_op_type", "_user_specified_name", "api_implements", "_class", "debug_name"}
"""Attributes that name an act of tracing: counters, random identifiers, names of other nodes."""


def digest(path: Path) -> str:
    """Of a SavedModel or a frozen graph (`.pb`) what it computes; of other files the contents."""
    if (path / "saved_model.pb").is_file():
        return _saved_model(path)
    if path.suffix == ".pb":
        from tensorflow.core.framework import graph_pb2

        graph = graph_pb2.GraphDef.FromString(path.read_bytes())
        library = _Library(graph.library.function)
        nodes = _Nodes(graph.node, library)
        return _hash(*sorted(nodes.of(node.name) for node in graph.node))
    return files.content_digest(path)


def _saved_model(path: Path) -> str:
    from tensorflow.core.protobuf import saved_model_pb2

    saved = saved_model_pb2.SavedModel.FromString((path / "saved_model.pb").read_bytes())
    assets = [(f.name, files.content_digest(f)) for f in sorted((path / "assets").glob("*"))]
    values = _Variables(path / "variables" / "variables")
    return _hash(
        *(_meta_graph(each, values) for each in saved.meta_graphs), assets, sorted(values.all())
    )


def _meta_graph(meta: Any, values: _Variables) -> str:
    by_node = values.by_node(meta.object_graph_def)
    by_name: dict[str, list[str]] = {}
    for number, value in by_node.items():
        by_name.setdefault(meta.object_graph_def.nodes[number].variable.name, []).append(value)
    library = _Library(meta.graph_def.library.function)
    signatures = []
    for name, signature in sorted(meta.signature_def.items()):
        arguments = {t.name: _hash("input", key) for key, t in signature.inputs.items()}
        nodes = _Nodes(meta.graph_def.node, library, arguments, by_name)
        ends = [
            (key, tensor.dtype, _plain(tensor.tensor_shape), nodes.tensor(tensor.name))
            for part in (signature.inputs, signature.outputs)
            for key, tensor in sorted(part.items())
        ]
        signatures.append((name, signature.method_name, ends))
    nodes = _Nodes(meta.graph_def.node, library, {}, by_name)
    functions = [
        _hash(
            library.of(name),
            _plain(function.canonicalized_input_signature),
            _plain(function.output_signature),
            [_captured(meta.object_graph_def, n, by_node, nodes) for n in function.bound_inputs],
        )
        for name, function in meta.object_graph_def.concrete_functions.items()
    ]
    roots = meta.object_graph_def.nodes[:1]
    entries = sorted(child.local_name for root in roots for child in root.children)
    return _hash(sorted(meta.meta_info_def.tags), signatures, sorted(functions), entries)


def _captured(graph: Any, number: int, values: Mapping[int, str], nodes: _Nodes) -> str:
    """A tensor that a function captured: a variable's value, a constant, or what kind it is."""
    kind = graph.nodes[number].WhichOneof("kind")
    if kind == "constant":
        return nodes.of(graph.nodes[number].constant.operation)
    return values.get(number, str(kind))


class _Variables:
    """Digests of the variables' values in a checkpoint."""

    def __init__(self, prefix: Path) -> None:
        self._reader: Any = None
        self._known: dict[str, str] = {}
        if prefix.with_suffix(".index").is_file():
            import tensorflow as tf

            self._reader = tf.train.load_checkpoint(str(prefix))

    def all(self) -> list[str]:
        """Every value's digest."""
        if self._reader is None:
            return []
        return [
            self._of(key) for key in self._reader.get_variable_to_shape_map() if key != _OBJECTS
        ]

    def by_node(self, graph: Any) -> dict[int, str]:
        """Digests by the number of a variable's node in a SavedModel's graph of objects.

        The checkpoint has a graph of its own; both have the same names from the root on.
        """
        if self._reader is None or not self._reader.has_tensor(_OBJECTS):
            return {}
        from tensorflow.core.protobuf import trackable_object_graph_pb2 as trackable

        stored = trackable.TrackableObjectGraph.FromString(self._reader.get_tensor(_OBJECTS))
        found: dict[int, str] = {}
        open_, seen = [(0, 0)], {0}
        while open_:
            number, other = open_.pop()
            if graph.nodes[number].WhichOneof("kind") == "variable":
                keys = sorted(a.checkpoint_key for a in stored.nodes[other].attributes)
                found[number] = _hash(*map(self._of, keys))
            names = {child.local_name: child.node_id for child in stored.nodes[other].children}
            for child in graph.nodes[number].children:
                if child.local_name in names and child.node_id not in seen:
                    seen.add(child.node_id)
                    open_.append((child.node_id, names[child.local_name]))
        return found

    def _of(self, key: str) -> str:
        if key not in self._known:
            value = np.asarray(self._reader.get_tensor(key))
            content = repr(value.tolist()).encode() if value.dtype == object else value.tobytes()
            self._known[key] = _hash(value.dtype.str, value.shape, _of_bytes(content))
        return self._known[key]


_OBJECTS = "_CHECKPOINTABLE_OBJECT_GRAPH"


class _Library:
    """Functions by what they compute."""

    def __init__(self, functions: Iterable[Any]) -> None:
        self._functions = {each.signature.name: each for each in functions}
        self._known: dict[str, str] = {}

    def of(self, name: str) -> str:
        """A function's digest; its name where it is not in the library, or calls itself."""
        if name not in self._known:
            self._known[name] = name
            if name in self._functions:
                self._known[name] = self._digest(self._functions[name])
        return self._known[name]

    def attribute(self, value: Any) -> Any:
        """An attribute, functions by what they compute."""
        if value.WhichOneof("value") == "func":
            return self.of(value.func.name), self.attributes(value.func.attr)
        if value.list.func:
            return [(self.of(f.name), self.attributes(f.attr)) for f in value.list.func]
        return _plain(value)

    def attributes(self, values: Mapping[str, Any]) -> list[Any]:
        """A node's attributes that are its own."""
        return [(k, self.attribute(v)) for k, v in sorted(values.items()) if k not in ACCIDENTAL]

    def _digest(self, function: Any) -> str:
        inputs = function.signature.input_arg
        arguments = {each.name: _hash("argument", place) for place, each in enumerate(inputs)}
        nodes = _Nodes(function.node_def, self, arguments)
        return _hash(
            [_plain_argument(each) for each in inputs],
            [nodes.tensor(function.ret[each.name]) for each in function.signature.output_arg],
            sorted(nodes.of(node.name) for node in function.node_def),
        )


class _Nodes:
    """Nodes of one graph by what they compute.

    Args:
        nodes: All of them.
        library: Functions that they call.
        arguments: Digests of tensors that are given from outside, by name.
        variables: Digests of variables, by the name that their handles share.
    """

    def __init__(
        self,
        nodes: Iterable[Any],
        library: _Library,
        arguments: Mapping[str, str] | None = None,
        variables: Mapping[str, list[str]] | None = None,
    ) -> None:
        self._nodes = {each.name: each for each in nodes}
        self._library, self._variables = library, variables or {}
        self._known: dict[str, str] = {}
        for tensor, known in (arguments or {}).items():
            self._known[_node(tensor)] = known

    def tensor(self, name: str) -> str:
        """A tensor's digest: its node's, and which output of it."""
        return _hash(self.of(_node(name)), name.removesuffix(":0").partition(":")[2])

    def of(self, name: str) -> str:
        """A node's digest; without recursion, which large models are too deep for."""
        stack, begun = [name], set[str]()
        while stack:
            current = stack[-1]
            if current in self._known or current not in self._nodes:
                stack.pop()
                continue
            below = [_node(each) for each in self._nodes[current].input]
            missing = [n for n in below if n not in self._known and n not in begun]
            begun.add(current)
            stack += [n for n in missing if n in self._nodes]
            if stack[-1] == current:
                self._known[current] = self._digest(self._nodes[current])
        return self._known.get(name, name)

    def _digest(self, node: Any) -> str:
        inputs = [self._input(each) for each in node.input if not each.startswith("^")]
        control = sorted(self._input(each) for each in node.input if each.startswith("^"))
        own = dict(node.attr)
        name = own["shared_name"].s.decode("utf-8", "replace") if "shared_name" in own else ""
        shared = self._variables.get(name, [])
        if shared:
            del own["shared_name"]
        return _hash(
            node.op, node.device, self._library.attributes(own), sorted(shared), inputs, control
        )

    def _input(self, name: str) -> tuple[str, str]:
        # in a graph with a loop a node may depend on itself: it is then known by its operation
        node = _node(name)
        loop = self._nodes[node].op if node in self._nodes else node
        return self._known.get(node, loop), name.removesuffix(":0").partition(":")[2]


def _node(tensor: str) -> str:
    return tensor.removeprefix("^").partition(":")[0]


def _plain(message: Any) -> str:
    return _of_bytes(message.SerializeToString(deterministic=True))


def _plain_argument(argument: Any) -> tuple[Any, ...]:
    return argument.type, argument.type_attr, argument.number_attr, argument.type_list_attr


def _hash(*parts: Any) -> str:
    return _of_bytes(repr(parts).encode())


def _of_bytes(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
