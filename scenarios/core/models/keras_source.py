"""Sources that hold Keras models: the user's function, a file, or an architecture by its name."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import tensorflow as tf

from bench.results.errors import UsageError, one_line
from scenarios.core import composition, user_code
from scenarios.core.data.signature import Spec
from scenarios.core.models import keras_models, rebuild
from scenarios.core.models.loaded import comes_trained
from scenarios.core.models.sources import Network, Source

COPYABLE = "model:copyable"


@dataclass(frozen=True, kw_only=True)
class KerasSource(Source):
    """A Keras model that can be made anew as often as it is wanted."""

    make: Callable[[], Any]
    """A new model of whichever Keras; in a launch of tf_keras it is rebuilt there."""
    by_user: bool = False
    """`make` is a function of the user's, which may load weights."""
    looked: list[Any] = field(default_factory=list)
    """The model that was looked at, until another is made; none where it took more than one."""

    def keras(self, weights: Callable[[Any], None] | None = None) -> Any:
        """A new model of the Keras behind `tf.keras`, with its given or new initial weights.

        Others are set before it is rebuilt in tf_keras, where layers have other places.
        """
        self.looked.clear()
        return self._with(self.make(), weights)

    def looked_at(self, weights: Callable[[Any], None] | None = None) -> Any:
        """As `keras`, without making another; None: it is not there any more."""
        return self._with(self.looked.pop(), weights) if self.looked else None

    def _with(self, model: Any, weights: Callable[[Any], None] | None) -> Any:
        if weights is not None:
            weights(model)
        if keras_models.version(model) == 3 and not _is_own(model):
            return rebuild.in_tf_keras(model)
        return model

    def network(self) -> Network:
        """The model in inference mode."""
        return keras_models.answering(self.keras())

    @property
    def holds_training(self) -> bool:
        """Whether it came trained, in a file or by a function that loads it."""
        return self.trained or (self.by_user and comes_trained(self.make))


def source(
    name: str, digest: bytes, make: Callable[[], Any], shape: Any, made: Any = None, **facts: Any
) -> Source:
    """The source of a model that `make()` returns.

    Args:
        name: As the user gave it.
        digest: Of all that determines it.
        make: Returns a new model; called once here to look at it.
        shape: Shape of one example of the data: what a subclassed model is first called with.
        made: What it has returned, where it was called already.
        **facts: Further fields of `Source`.

    Raises:
        UsageError: It returns no model, or one that cannot be called on the data.
    """
    model = make() if made is None else made
    looked = [model]
    if not keras_models.is_keras(model):
        raise UsageError(
            f"model {name!r} returns {type(model).__name__}: return a Keras model or a tf.Module"
        )
    signature = keras_models.signature(model)
    copyable, why_not = rebuild.copyable(model)
    structure = _structure(model)
    if not signature:
        structure = "one"
        if not shape:
            raise UsageError(
                f"model {name!r} is a subclass that does not tell its inputs: give --data, or "
                "build it with keras.Input"
            )
        signature = {"input": Spec(tuple(shape))}
        make = _called_first(make, tuple(shape))
        model, looked = make(), []
    provides = {"model:keras", "model:graph", "model:litert", "model:onnx"}
    lacks = {}
    if copyable:
        provides.add(COPYABLE)
    else:
        lacks[COPYABLE] = why_not
    if model.trainable_variables:
        provides.add("model:trainable")
    else:
        lacks["model:trainable"] = f"model {name!r} has no trainable weights: unfreeze some layers"
    return KerasSource(
        name=name,
        digest=digest,
        signature=signature,
        outputs=keras_models.outputs(model),
        structure=structure,
        keras_version=keras_models.version(model),
        provides=frozenset(provides | facts.pop("provides", set())),
        lacks=lacks | facts.pop("lacks", {}),
        compiled=keras_models.compiled(model),
        make=make,
        looked=looked,
        **facts,
    )


def from_function(
    name: str, input_shape: tuple[int, ...], classes: int, signature: str = ""
) -> Source:
    """A source of `FILE.py:function` or `module:function`, which gets those of both that it takes.

    One that takes neither makes its model for inputs of its own.

    Raises:
        UsageError: There is no such function, or it raises an error.
    """
    function, code = user_code.find(name, "model")
    return _of_function(name, function, code, input_shape, classes, signature)


def from_composition(
    name: str, input_shape: tuple[int, ...], classes: int, signature: str = ""
) -> Source:
    """A source of the model in a user's workload: an object, or a function that makes it.

    Raises:
        UsageError: It is neither, or raises an error.
    """
    own, code = composition.of(name), user_code.find(name, "workload")[1]
    given = own.model
    if not (keras_models.is_keras(given) or isinstance(given, tf.Module)) and callable(given):
        found = _of_function(name, given, code, input_shape, classes, signature)
    else:
        found = _of_function(
            name, lambda: composition.again(name).model, code, input_shape, classes, signature
        )
    return replace(found, trained=found.trained or own.trained)


def _of_function(
    name: str,
    function: Callable[..., Any],
    code: bytes,
    input_shape: tuple[int, ...],
    classes: int,
    signature: str = "",
) -> Source:
    offered = {"input_shape": input_shape, "classes": classes}
    wanted = user_code.wanted(function, offered)
    positional = user_code.positional(function, tuple(offered.values()))
    if len(positional) <= len(wanted):  # all that it must be given have the known names
        positional = ()
    else:
        wanted = {}

    of = f" for input {input_shape}" if positional or wanted else ""

    def make() -> Any:
        try:
            return user_code.calling(function, *positional, **wanted)
        except UsageError as error:
            raise UsageError(
                f"model {name!r} cannot be built{of}: {error}"
            ) from error.__cause__  # the user's own error, with its lines

    made = make()
    if isinstance(made, tf.Module) and not keras_models.is_keras(made):
        from scenarios.core.models.saved_model import from_module

        return from_module(name, code, made, input_shape, signature)
    if signature:
        raise UsageError(
            f"model {name!r} returns {type(made).__name__}, which has no signatures: leave "
            "--signature out"
        )
    return source(
        name,
        code,
        make,
        input_shape,
        made,
        trained=False,
        by_user=True,
        provides={"architecture:free"},
    )


def application(name: str, weights: str, classes: int) -> Source:
    """A source of `applications:NAME`, with random weights or those of a file.

    Raises:
        UsageError: Keras has no such architecture, or the weights do not fit.
    """
    short = name.partition(":")[2]
    import keras

    known = _architectures(keras.applications)
    if short not in known:
        near = difflib.get_close_matches(short, known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"use one of {', '.join(sorted(known))}"
        raise UsageError(f"unknown architecture {short!r}: {hint}")

    def make() -> Any:
        build = known[short]
        model = build(weights=None, classes=classes or 1000)
        if weights:
            _load(model, weights, short, classes)
        return model

    digest = f"{name} {classes}".encode() + (_contents(Path(weights)) if weights else b"")
    made = source(name, digest, make, None, lacks={
        "architecture:free": "applications:NAME names its architecture: give FILE.py:function",
    })  # fmt: skip
    if weights:
        return made
    return replace(
        made, notes=(f"{short} has random weights: speed and size hold, quality means nothing",)
    )


def _load(model: Any, weights: str, name: str, classes: int) -> None:
    """Load a file's weights.

    Raises:
        UsageError: They are another model's, or of another number of classes.
    """
    try:
        model.load_weights(weights)
    except Exception as error:  # Keras has several kinds
        why = "the data have so many" if classes else "no data say how many"
        raise UsageError(
            f"--weights {weights} does not fit {name} with {classes or 1000} classes ({why}): give "
            "labelled data of the classes that it was trained for, or FILE.py:function that loads "
            f"it ({one_line(error)})"
        ) from None


def _structure(model: Any) -> str:
    nest = keras_models.structure(model)
    if isinstance(nest, dict):
        return "dict"
    return "list" if isinstance(nest, (list, tuple)) and len(nest) > 1 else "one"


def _called_first(make: Callable[[], Any], shape: tuple[int, ...]) -> Callable[[], Any]:
    """A subclassed model that was called once, so that all its weights exist."""

    def called() -> Any:
        model = make()
        user_code.calling(model, tf.zeros((1, *shape)))
        return model

    return called


def _is_own(model: Any) -> bool:
    return isinstance(model, tf.keras.Model)


def _architectures(module: Any) -> dict[str, Callable[..., Any]]:
    return {
        key: value for key, value in vars(module).items() if key[:1].isupper() and callable(value)
    } or {key: getattr(module, key) for key in dir(module) if key[:1].isupper()}


def _contents(path: Path) -> bytes:
    return path.read_bytes()
