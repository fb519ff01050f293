"""Counted work against values worked out by hand, for the default CNN and other graphs."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

# The reference guide's CNN on 32×32×3, batch 1, term by term: output positions × kernel × channels.
CONV_1 = 32 * 32 * (3 * 3 * 3) * 32  # 884,736
CONV_2 = 16 * 16 * (3 * 3 * 32) * 64  # 4,718,592
CONV_3 = 8 * 8 * (3 * 3 * 64) * 128  # 4,718,592
DENSE = 128 * 128 + 128 * 10  # 17,664
FORWARD = CONV_1 + CONV_2 + CONV_3 + DENSE

DEPTHWISE = [32 * 32 * 9 * 3, 16 * 16 * 9 * 32, 8 * 8 * 9 * 64]
POINTWISE = [32 * 32 * 3 * 32, 16 * 16 * 32 * 64, 8 * 8 * 64 * 128]
SEPARABLE = sum(DEPTHWISE) + sum(POINTWISE) + DENSE

CNN_PARAMETERS = (
    27 * 32 + 288 * 64 + 576 * 128  # kernels without biases
    + 4 * (32 + 64 + 128)  # batch normalisation
    + 128 * 128 + 128 + 128 * 10 + 10
)  # fmt: skip


@pytest.fixture(scope="module")
def cnn() -> Any:
    from scenarios.core import models

    return models.cnn((32, 32, 3), 10)


@pytest.fixture(scope="module")
def separable() -> Any:
    from scenarios.core import models
    from scenarios.train.tools.blocks import separable_block

    return models.cnn((32, 32, 3), 10, block=separable_block)


def counts(model: Any, examples: int, training: bool) -> dict[str, int]:
    from bench.launch.analysis.counting import count

    path = SimpleNamespace(model=model, examples=examples)
    if training:
        path.step = None
    return count(path)


def test_the_documents_cnn(cnn: Any) -> None:
    found = counts(cnn, 1, training=False)
    assert FORWARD == 10_339_584
    assert found["multiply_adds"] == FORWARD
    assert found["flops_per_step"] == 2 * FORWARD
    assert found["parameters"] == CNN_PARAMETERS == 111_722


def test_training_differentiates_all_but_the_first_input(cnn: Any) -> None:
    found = counts(cnn, 32, training=True)
    assert found["multiply_adds"] == FORWARD
    assert found["flops_per_step"] == 2 * 32 * (3 * FORWARD - CONV_1)


def test_the_separable_cnn(separable: Any) -> None:
    found = counts(separable, 1, training=False)
    assert found["multiply_adds"] == SEPARABLE == 1_302_784
    trained = counts(separable, 4, training=True)
    assert trained["flops_per_step"] == 2 * 4 * (3 * SEPARABLE - DEPTHWISE[0])


def test_frozen_layers_have_no_kernel_gradient() -> None:
    import tensorflow as tf

    inputs = tf.keras.Input((8,))
    frozen = tf.keras.layers.Dense(16, use_bias=False, trainable=False)
    outputs = tf.keras.layers.Dense(4, use_bias=False)(frozen(inputs))
    found = counts(tf.keras.Model(inputs, outputs), 1, training=True)
    forward, kernel_gradient = 8 * 16 + 16 * 4, 16 * 4
    assert found["flops_per_step"] == 2 * (forward + kernel_gradient)


def test_a_batched_product() -> None:
    import tensorflow as tf

    inputs = tf.keras.Input((10, 6))
    layer = tf.keras.layers.Dot(axes=2)
    found = counts(tf.keras.Model(inputs, layer([inputs, inputs])), 2, training=False)
    assert found["multiply_adds"] == 10 * 10 * 6


def test_a_loop_is_left_out_rather_than_guessed() -> None:
    import tensorflow as tf

    inputs = tf.keras.Input((10, 6))
    found = counts(tf.keras.Model(inputs, tf.keras.layers.LSTM(4)(inputs)), 1, training=False)
    assert set(found) == {"parameters"}


def test_a_tflite_file_counts_as_its_model(cnn: Any, tmp_path: Path) -> None:
    import tensorflow as tf

    from bench.launch.analysis.counting import count

    file = tmp_path / "cnn.tflite"
    file.write_bytes(tf.lite.TFLiteConverter.from_keras_model(cnn).convert())
    found = count(SimpleNamespace(artifact=file, examples=2))
    assert found["multiply_adds"] == FORWARD
    assert found["flops_per_step"] == 2 * 2 * FORWARD


def test_float16_weights_are_parameters_though_the_file_makes_floats_of_them(
    cnn: Any, tmp_path: Path
) -> None:
    import tensorflow as tf

    from bench.launch.analysis.counting_tflite import count_tflite

    converter = tf.lite.TFLiteConverter.from_keras_model(cnn)
    plain, half = tmp_path / "float32.tflite", tmp_path / "float16.tflite"
    plain.write_bytes(converter.convert())
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]
    half.write_bytes(converter.convert())
    assert half.stat().st_size < 0.7 * plain.stat().st_size
    assert count_tflite(half) == count_tflite(plain)
    assert count_tflite(half)["parameters"] > 0


def test_nothing_to_count_gives_nothing() -> None:
    from bench.launch.analysis.counting import count

    assert count(SimpleNamespace(artifact=None, examples=1)) == {}
