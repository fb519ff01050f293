"""Splitting into a fixed train and test part, and putting given parts together."""

from __future__ import annotations

import numpy as np

from bench.results.errors import UsageError
from scenarios.core.data.values import Data, Part


def split(
    name: str,
    x: np.ndarray,
    y: np.ndarray,
    seed: int,
    test_share: float = 0.25,
    target_accuracy: float | None = None,
) -> Data:
    """Split into a fixed, stratified train and test part; labels are numbered from 0."""
    from sklearn.model_selection import train_test_split

    if len(x) != len(y):
        raise UsageError(f"{name}: {len(x)} images but {len(y)} labels")
    classes, labels = np.unique(np.asarray(y).ravel(), return_inverse=True)
    if len(labels) < 4 or np.bincount(labels).min() < 2:
        raise UsageError(f"{name}: every class needs at least 2 examples, and 4 are needed in all")
    share = max(test_share, len(classes) / len(x))
    x_train, x_test, y_train, y_test = train_test_split(
        x, labels.astype(np.int64), test_size=share, random_state=seed, stratify=labels
    )
    return Data(
        name, "images", Part(x_train, y_train), Part(x_test, y_test), len(classes), target_accuracy
    )


def given(
    name: str, x_train: np.ndarray, y_train: np.ndarray, x_test: np.ndarray, y_test: np.ndarray
) -> Data:
    """Parts as they were given."""
    if len(x_train) != len(y_train) or len(x_test) != len(y_test):
        raise UsageError(f"{name}: images and labels differ in number")
    y_train, y_test = (np.asarray(y).ravel().astype(np.int64) for y in (y_train, y_test))
    if len(y_train) == 0 or len(y_test) == 0:
        raise UsageError(f"{name} holds no examples")
    if min(y_train.min(), y_test.min()) < 0:
        raise UsageError(f"{name}: labels must be 0 or more")
    classes = int(max(y_train.max(), y_test.max())) + 1
    train, test = Part(pixels(x_train), y_train), Part(pixels(x_test), y_test)
    return Data(name, "images", train, test, classes)


def pixels(x: np.ndarray) -> np.ndarray:
    """Images as float32 [N, H, W, C] in 0..1; 8-bit values are divided by 255."""
    x = x[..., None] if x.ndim == 3 else x
    if x.ndim != 4:
        raise UsageError(f"images have shape {x.shape}: [N, H, W, C] or [N, H, W] is needed")
    return (x / 255.0 if x.dtype == np.uint8 else x).astype(np.float32)
