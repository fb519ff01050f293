"""The data: real digits by default, loaders for users' own; always a fixed train and test half."""

from __future__ import annotations

import glob
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from bench.results.errors import UsageError

IMAGE_ENDINGS = {".jpg", ".jpeg", ".png", ".bmp", ".gif"}


@dataclass(frozen=True)
class Data:
    """Images float32 [N, H, W, C] in 0..1 and labels int64 [N] in 0..classes-1."""

    name: str
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    classes: int
    target_accuracy: float | None = None
    """Accuracy on the test half that a converged baseline must reach, where it is known."""

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one example."""
        return tuple(self.x_train.shape[1:])

    @cached_property
    def digest(self) -> bytes:
        """SHA-256 of all images and labels; read with the data, once for all launches."""
        digest = hashlib.sha256()
        for array in (self.x_train, self.y_train, self.x_test, self.y_test):
            digest.update(np.ascontiguousarray(array).data)
        return digest.digest()


def load(name: str, seed: int = 0) -> Data:
    """Load digits, mnist, cifar10, npz:PATH, images:DIR, tfrecord:GLOB or synthetic:HxWxC.

    Raises:
        UsageError: The name is unknown, or the place holds nothing usable.
    """
    scheme, _, place = name.partition(":")
    loader = LOADERS.get(scheme)
    if loader is None:
        raise UsageError(f"unknown data {name!r}: use one of {', '.join(sorted(LOADERS))}")
    data = loader(place, seed)
    if min(len(data.x_train), len(data.x_test)) < 2 or data.classes < 2:
        raise UsageError(
            f"data {name!r} has {len(data.x_train)} training and {len(data.x_test)} test examples "
            f"of {data.classes} classes: at least 2 of each are needed"
        )
    return data


def digits(_: str = "", seed: int = 0) -> Data:
    """scikit-learn's 1,797 handwritten digits, 8×8 enlarged to 32×32×3, half train, half test."""
    from PIL import Image
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    small = (images.reshape(-1, 8, 8) / 16.0).astype(np.float32)
    large = np.stack(
        [np.asarray(Image.fromarray(i).resize((32, 32), Image.Resampling.BILINEAR)) for i in small]
    )
    x = np.repeat(large[..., None], 3, axis=-1).astype(np.float32)
    return split("digits", x, labels, seed, test_share=0.5, target_accuracy=0.97)


def synthetic(shape: str, seed: int = 0) -> Data:
    """Ten classes of noisy prototypes, HxWxC: learnable, and made on the spot."""
    try:
        size = tuple(int(n) for n in shape.lower().split("x"))
        if len(size) != 3 or min(size) < 1:
            raise ValueError
    except ValueError:
        raise UsageError(f"synthetic:{shape} is not a size: write synthetic:32x32x3") from None
    rng = np.random.default_rng(seed)
    labels = np.arange(1024) % 10
    prototypes = rng.uniform(0.2, 0.8, (10, *size))
    x = np.clip(prototypes[labels] + rng.normal(0, 0.1, (1024, *size)), 0, 1)
    return split(f"synthetic:{shape}", x.astype(np.float32), labels, seed)


def npz(path: str, seed: int = 0) -> Data:
    """Arrays `x_train, y_train, x_test, y_test` (Keras's names), or `x, y`, which are split."""
    try:
        with np.load(_existing(path), allow_pickle=False) as file:
            arrays = {key: file[key] for key in file.files}
    except (ValueError, OSError) as error:
        raise UsageError(f"{path} is not a readable .npz file: {error}") from None
    if {"x_train", "y_train", "x_test", "y_test"} <= arrays.keys():
        return _given(
            f"npz:{path}", *(arrays[k] for k in ("x_train", "y_train", "x_test", "y_test"))
        )
    if {"x", "y"} <= arrays.keys():
        return split(f"npz:{path}", pixels(arrays["x"]), arrays["y"], seed)
    raise UsageError(
        f"{path} holds {sorted(arrays)}: name the arrays x_train, y_train, x_test, y_test or x, y"
    )


def images(folder: str, seed: int = 0) -> Data:
    """A folder a class, each with images of one shape."""
    from PIL import Image

    files = [
        file
        for file in sorted(_existing(folder).glob("*/*"))
        if file.suffix.lower() in IMAGE_ENDINGS
    ]
    if not files:
        raise UsageError(
            f"{folder} holds no images: put them in one folder a class, as {folder}/CLASS/*.png"
        )
    names = sorted({file.parent.name for file in files})
    arrays = []
    for file in files:
        try:
            with Image.open(file) as image:
                arrays.append(np.asarray(image.convert("RGB")))
        except OSError as error:
            raise UsageError(
                f"{file} is not a readable image ({error}): mend or remove it"
            ) from None
        if arrays[-1].shape != arrays[0].shape:
            raise UsageError(
                f"images of mixed shape: {files[0]} is {_size(arrays[0])}, {file} is "
                f"{_size(arrays[-1])}; resize them to one size"
            )
    labels = np.array([names.index(file.parent.name) for file in files])
    return split(f"images:{folder}", pixels(np.stack(arrays)), labels, seed)


def tfrecord(pattern: str, seed: int = 0) -> Data:
    """Examples with `image` (an encoded JPEG or PNG) and `label` (an integer)."""
    import tensorflow as tf

    files = sorted(glob.glob(pattern))  # noqa: PTH207 - an absolute pattern too
    if not files:
        raise UsageError(f"no file matches {pattern}: give a pattern of TFRecord files")
    features = {
        "image": tf.io.FixedLenFeature([], tf.string),
        "label": tf.io.FixedLenFeature([], tf.int64),
    }
    x, y = [], []
    try:
        for record in tf.data.TFRecordDataset(files):
            example = tf.io.parse_single_example(record, features)
            x.append(tf.io.decode_image(example["image"], channels=3).numpy())
            y.append(int(example["label"]))
    except tf.errors.OpError as error:
        first = str(error.message).splitlines()[0]
        raise UsageError(
            f"{pattern}: not TFRecords of `image` (JPEG or PNG) and `label`: {first}"
        ) from None
    if len({image.shape for image in x}) > 1:
        sizes = sorted({_size(image) for image in x})
        raise UsageError(
            f"images of mixed shape in {pattern}: {', '.join(sizes)}; resize them to one size"
        )
    if not x:
        raise UsageError(f"{pattern} holds no examples: write some TFRecords first")
    return split(f"tfrecord:{pattern}", pixels(np.stack(x)), np.array(y), seed)


def mnist(_: str = "", seed: int = 0) -> Data:
    """Keras's MNIST, from its local cache or, online, its download."""
    return _keras("mnist")


def cifar10(_: str = "", seed: int = 0) -> Data:
    """Keras's CIFAR-10, from its local cache or, online, its download."""
    return _keras("cifar10")


LOADERS: dict[str, Callable[[str, int], Data]] = {
    "digits": digits,
    "synthetic": synthetic,
    "npz": npz,
    "images": images,
    "tfrecord": tfrecord,
    "mnist": mnist,
    "cifar10": cifar10,
}


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
    return Data(name, x_train, y_train, x_test, y_test, len(classes), target_accuracy)


def pixels(x: np.ndarray) -> np.ndarray:
    """Images as float32 [N, H, W, C] in 0..1; 8-bit values are divided by 255."""
    x = x[..., None] if x.ndim == 3 else x
    if x.ndim != 4:
        raise UsageError(f"images have shape {x.shape}: [N, H, W, C] or [N, H, W] is needed")
    return (x / 255.0 if x.dtype == np.uint8 else x).astype(np.float32)


def _given(
    name: str, x_train: np.ndarray, y_train: np.ndarray, x_test: np.ndarray, y_test: np.ndarray
) -> Data:
    if len(x_train) != len(y_train) or len(x_test) != len(y_test):
        raise UsageError(f"{name}: images and labels differ in number")
    y_train, y_test = (np.asarray(y).ravel().astype(np.int64) for y in (y_train, y_test))
    if len(y_train) == 0 or len(y_test) == 0:
        raise UsageError(f"{name} holds no examples")
    if min(y_train.min(), y_test.min()) < 0:
        raise UsageError(f"{name}: labels must be 0 or more")
    classes = int(max(y_train.max(), y_test.max())) + 1
    return Data(name, pixels(x_train), y_train, pixels(x_test), y_test, classes)


def _keras(name: str) -> Data:
    import tensorflow as tf

    try:
        (x_train, y_train), (x_test, y_test) = getattr(tf.keras.datasets, name).load_data()
    except Exception as error:
        raise UsageError(
            f"{name} is not in Keras's cache (~/.keras/datasets) and cannot be downloaded here: "
            f"copy it there, or use --data digits ({type(error).__name__})"
        ) from None
    return _given(name, x_train, y_train, x_test, y_test)


def _existing(path: str) -> Path:
    if not path or not Path(path).exists():
        raise UsageError(f"{path or 'the data path'} does not exist: give the path of your data")
    return Path(path)


def _size(image: np.ndarray) -> str:
    return "×".join(str(n) for n in image.shape)
