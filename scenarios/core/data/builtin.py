"""Data that come with a package: real digits, noisy prototypes, and Keras's own sets."""

from __future__ import annotations

import numpy as np

from bench.results.errors import UsageError
from bench.results.values import WorkloadSpec
from scenarios.core.data.assembly import assembled
from scenarios.core.data.values import Data, Part


def digits(_: str, spec: WorkloadSpec) -> Data:
    """scikit-learn's 1,797 handwritten digits, 8×8 enlarged to 32×32×3, half train, half test."""
    from PIL import Image
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    small = (images.reshape(-1, 8, 8) / 16.0).astype(np.float32)
    large = np.stack(
        [np.asarray(Image.fromarray(i).resize((32, 32), Image.Resampling.BILINEAR)) for i in small]
    )
    x = np.repeat(large[..., None], 3, axis=-1).astype(np.float32)
    return assembled(
        "digits", Part(x, labels), None, spec, "images", test_share=0.5, target_accuracy=0.97
    )


def synthetic(shape: str, spec: WorkloadSpec) -> Data:
    """Ten classes of noisy prototypes, HxWxC: learnable, and made on the spot."""
    try:
        size = tuple(int(n) for n in shape.lower().split("x"))
        if len(size) != 3 or min(size) < 1:
            raise ValueError
    except ValueError:
        raise UsageError(f"synthetic:{shape} is not a size: write synthetic:32x32x3") from None
    rng = np.random.default_rng(spec.seed)
    labels = np.arange(1024) % 10
    prototypes = rng.uniform(0.2, 0.8, (10, *size))
    x = np.clip(prototypes[labels] + rng.normal(0, 0.1, (1024, *size)), 0, 1)
    part = Part(x.astype(np.float32), labels)
    return assembled(f"synthetic:{shape}", part, None, spec, "images")


def mnist(_: str, spec: WorkloadSpec) -> Data:
    """Keras's MNIST, from its local cache or, online, its download."""
    return _keras("mnist", spec)


def cifar10(_: str, spec: WorkloadSpec) -> Data:
    """Keras's CIFAR-10, from its local cache or, online, its download."""
    return _keras("cifar10", spec)


def _keras(name: str, spec: WorkloadSpec) -> Data:
    import tensorflow as tf

    try:
        (x_train, y_train), (x_test, y_test) = getattr(tf.keras.datasets, name).load_data()
    except Exception as error:
        reason = (str(error).strip().splitlines() or [""])[0]
        raise UsageError(
            f"Keras cannot load {name} ({type(error).__name__}: {reason}): copy it to "
            "~/.keras/datasets where it cannot be downloaded, or use --data digits"
        ) from error
    return assembled(name, Part(x_train, y_train), Part(x_test, y_test), spec)
