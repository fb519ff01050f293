"""Smaller networks, and all techniques together."""

from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf

from bench.results.errors import NotEngaged, Unsupported
from scenarios.core import InferencePath, Workload, quality, scenario
from scenarios.core.models import normalised
from scenarios.core.training import train
from scenarios.core.workload import Builder
from scenarios.infer.tools import converting, litert, stored, tflite
from scenarios.infer.tools import tfmot as tools
from scenarios.infer.tools.deploy import exported, keras_path, trained_variant
from scenarios.train.tools import blocks

SPARSITY = 0.5  # a small network has less to spare than the CNN: at 80 % it lost 2 points
TEMPERATURE = 4.0
TEACHER_SHARE = 0.7
WIDTHS = (1.0, 0.5, 0.25, 0.125)
MOST_VIEWED_BYTES = 1 << 30
RATE = 3e-3  # a small network takes, and needs, larger steps


@scenario(
    baseline="infer/function",
    keras=2,
    needs=("model:keras", "data:images", "data:labels", "task:classification", "trainable"),
    deployment=("retraining",),
)
def distilled(workload: Workload) -> InferencePath:
    """Knowledge distillation: a small separable network that imitates the trained model."""
    model = distilled_model(workload)

    def proof():
        return smaller(workload, model) | {"epochs": workload.epochs, "extra_epochs": 0}

    saved = exported(workload, "distilled_model", lambda: model)
    return keras_path(workload, model, artifact=saved, proof=proof)


@scenario(
    baseline="infer/litert-float32",
    needs=(
        "package:ai_edge_litert",
        "architecture:free",
        "model:copyable",
        "trainable",
    ),
    inputs_in="int8",
    deployment=("other runtime", "calibration data"),
)
def separable_int8(workload: Workload) -> InferencePath:
    """Depthwise separable convolutions, then LiteRT int8."""
    build = blocks.separable(workload)

    def trained():
        return trained_variant(workload, "separable", build)

    file = converting.converted(workload, "separable_int8", trained, converting.int8(workload))

    def proof():
        return tflite.int8_operations(file) | {"epochs": workload.epochs, "extra_epochs": 0}

    return litert.litert_path(workload, file, proof, model=lambda: workload.model(build))


@scenario(
    baseline="infer/function",
    keras=2,
    needs=(
        "package:ai_edge_litert",
        "package:tensorflow_model_optimization",
        "model:keras",
        "data:images",
        "data:labels",
        "task:classification",
        "trainable",
    ),
    inputs_in="int8",
    deployment=("retraining", "other runtime", "calibration data"),
    first=True,
)
def combined(workload: Workload) -> InferencePath:
    """All together: a separable student, distilled, pruned to 50 %, quantized, LiteRT int8."""

    def learn(workload, model, **fit):
        distil(workload, model, tools.fine_tune_epochs(workload), views=5, **fit)

    def pruned():
        return tools.prune(workload, distilled_model(workload), final=SPARSITY, learn=learn)

    file = converting.converted(workload, "combined", pruned, converting.int8(workload))

    def proof():
        return (
            tflite.int8_operations(file)
            | stored.zeros(file, at_least=SPARSITY - 0.01)
            | tools.extra_training(workload)
        )

    return litert.litert_path(
        workload, file, proof, model=lambda: workload.model(student(workload))
    )


def student(workload: Workload) -> Builder:
    """The widest student that has at most half as many parameters as the trained model.

    Raises:
        Unsupported: The narrowest has more.
    """
    teachers, own = int(workload.trained_model().count_params()), 0
    for width in WIDTHS:
        build = partial(network, width=width)
        own = int(workload.model(build).count_params())
        if 2 * own <= teachers:
            return build
    raise Unsupported(
        f"the model has {teachers} parameters, the smallest student {own}: a student is for larger "
        "models; infer/litert-int8 makes this one smaller"
    )


def network(input_shape: tuple[int, ...], classes: int, width: float = 1.0) -> tf.keras.Model:
    """A stem of stride 2 with 32 filters, then depthwise separable convolutions of 128 and 256.

    Both strides of 2 come before the wide layers, so that these work on 1/16 of the places; the
    plain CNN computes its first layer on all of them.

    Args:
        input_shape: H, W and channels.
        classes: Of the softmax.
        width: Multiplies the numbers of filters (MobileNet's width multiplier).
    """
    layers = tf.keras.layers
    inputs = layers.Input(shape=input_shape, name="image")
    x = layers.Conv2D(
        int(32 * width), 3, strides=2, padding="same", use_bias=False,
        kernel_initializer="he_normal", name="stem",
    )(inputs)  # fmt: skip
    x = normalised(x, "stem")
    for name, filters, stride in (("1", 128, 2), ("2", 256, 1)):
        x = layers.DepthwiseConv2D(
            3, strides=stride, padding="same", use_bias=False,
            depthwise_initializer="he_normal", name=f"depthwise_{name}",
        )(x)  # fmt: skip
        x = normalised(x, f"depthwise_{name}")
        x = layers.Conv2D(
            int(filters * width), 1, use_bias=False,
            kernel_initializer="he_normal", name=f"pointwise_{name}",
        )(x)  # fmt: skip
        x = normalised(x, f"pointwise_{name}")
    x = layers.GlobalAveragePooling2D(name="average_pool")(x)
    x = layers.Dense(classes, name="logits")(x)
    outputs = layers.Activation("softmax", dtype="float32", name="softmax")(x)
    return tf.keras.Model(inputs, outputs, name="student")


def distilled_model(workload: Workload) -> Any:
    """The student, trained once to imitate the trained model, for as many epochs as that had."""
    return trained_variant(workload, "distilled", student(workload), distil)


def distil(
    workload: Workload, model: Any, epochs: int | None = None, views: int = 1, **fit: Any
) -> None:
    """Train `model` on the labels and on the trained model's softened class scores.

    The loss of Hinton, Vinyals and Dean (2015): the cross-entropy with the teacher's scores at
    temperature 4, times 4² to keep its gradient's size, and that with the labels, 70 to 30.

    Args:
        workload: Its data, and the trained model as the teacher.
        model: The student.
        epochs: Default: as many as the baseline had.
        views: Most shifted views of each example, each scored by the teacher: of large images
            fewer fit. The number of updates stays the same: more views mean fewer epochs over each.
        **fit: Passed on to `fit` (`callbacks`).
    """
    teacher = workload.trained_model()
    probabilities = workload.gives_probabilities
    images = workload.data.x_train
    views = affordable(views, images.nbytes)
    inputs = shifted(images, views, workload.spec.seed)
    labels = np.tile(workload.data.y_train, views)[:, None].astype(np.float32)
    targets = np.concatenate([labels, quality.predict(teacher, inputs)], axis=1)
    epochs = max(1, round((epochs or workload.epochs) / views))

    def loss(targets: Any, outputs: Any) -> Any:
        own = _logits(outputs, probabilities=True)
        soft = tf.nn.softmax(_logits(targets[:, 1:], probabilities) / TEMPERATURE)
        imitation = tf.nn.softmax_cross_entropy_with_logits(soft, own / TEMPERATURE)
        named = tf.cast(targets[:, 0], tf.int32)
        truth = tf.nn.sparse_softmax_cross_entropy_with_logits(named, own)
        return TEACHER_SHARE * TEMPERATURE**2 * imitation + (1 - TEACHER_SHARE) * truth

    train(workload, model, epochs, RATE, loss=loss, inputs=inputs, targets=targets, **fit)


def affordable(views: int, nbytes: int) -> int:
    """As many views of images as fit into memory with the copies that training makes of them."""
    return max(1, min(views, MOST_VIEWED_BYTES // max(nbytes, 1)))


def shifted(x: np.ndarray, views: int, seed: int) -> np.ndarray:
    """The images [N, H, W, C], then `views` - 1 copies rolled by up to 2 places: [N·views, ...]."""
    moves = np.random.default_rng(seed).integers(-2, 3, (views - 1, len(x), 2))
    copies = [
        np.stack([np.roll(image, tuple(move), (0, 1)) for image, move in zip(x, each, strict=True)])
        for each in moves
    ]
    return np.concatenate([x, *copies])


def smaller(workload: Workload, model: Any) -> dict[str, Any]:
    """The student's and the teacher's number of parameters.

    Raises:
        NotEngaged: The student is not the smaller.
    """
    own, teachers = int(model.count_params()), int(workload.trained_model().count_params())
    if own >= teachers:
        raise NotEngaged(f"the student has {own} parameters, the teacher only {teachers}")
    return {"student_parameters": own, "teacher_parameters": teachers}


def _logits(scores: Any, probabilities: bool) -> Any:
    scores = tf.cast(scores, tf.float32)
    return tf.math.log(tf.clip_by_value(scores, 1e-7, 1.0)) if probabilities else scores
