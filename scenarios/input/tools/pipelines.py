"""Real image files made from the workload's training half, and the ends of every input pipeline."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from bench.results.errors import NotEngaged, Unsupported
from scenarios.core.paths import InputPath
from scenarios.core.training import compiled_step
from scenarios.core.workload import Workload

ENLARGED = 4
"""Files are this many times as high and wide as the model's input, as photographs are."""
MOST_FILES, MOST_BYTES = 2000, 1 << 29
"""Files are made of so many examples at most, and of so many bytes of pixels."""
QUALITY = 90


def jpeg_files(workload: Workload) -> tuple[list[str], np.ndarray]:
    """Paths and labels [N] of JPEG files of the first training examples, written once."""

    def write(folder: Path) -> None:
        folder.mkdir()
        for i, encoded in enumerate(_encoded(workload)):
            (folder / f"{i:05}.jpg").write_bytes(encoded)

    folder = workload.artifact("jpeg", write)
    paths = sorted(str(path) for path in folder.glob("*.jpg"))
    return paths, workload.data.y_train[: len(paths)]


def tfrecord_file(workload: Workload) -> str:
    """A TFRecord file of the same JPEG bytes (`image`) with their labels (`label`)."""

    def write(path: Path) -> None:
        with tf.io.TFRecordWriter(str(path)) as writer:
            for encoded, label in zip(_encoded(workload), workload.data.y_train, strict=False):
                writer.write(_example(encoded, int(label)))

    return str(workload.artifact("images.tfrecord", write))


def preprocessed_file(workload: Workload) -> str:
    """A TFRecord file of images decoded and resized beforehand, 8-bit pixels."""

    def write(path: Path) -> None:
        decode, scale = image_decoder(workload), pixel_scale(workload)
        with tf.io.TFRecordWriter(str(path)) as writer:
            for encoded, label in zip(_encoded(workload), workload.data.y_train, strict=False):
                pixels = np.rint(decode(encoded).numpy() * scale).astype(np.uint8)
                writer.write(_example(pixels.tobytes(), int(label)))

    return str(workload.artifact("preprocessed.tfrecord", write))


def large_images(workload: Workload) -> tuple[np.ndarray, np.ndarray]:
    """Decoded 8-bit images [N, 4H, 4W, C] of the first training examples, and labels [N]."""

    def write(path: Path) -> None:
        images = [np.asarray(_enlarged(workload, x)) for x in _pictured(workload)]
        stacked = np.stack(images).reshape(len(images), *_large_shape(workload))
        with path.open("wb") as file:
            np.save(file, stacked)

    images = np.load(workload.artifact("large.npy", write))
    return images, workload.data.y_train[: len(images)]


def in_memory(workload: Workload) -> tuple[Any, Any]:
    """All training examples (x, y), x in the structure that the model takes."""
    return workload.as_given(workload.train.inputs), workload.train.targets


def pixel_scale(workload: Workload) -> float:
    """What 8-bit pixels are divided by for this model: 255, or 1 where it takes them as they are.

    Raises:
        Unsupported: Its inputs are no pixels.
    """
    low, high = (float(f(workload.data.x_train)) for f in (np.min, np.max))
    if low < 0 or high > 255:
        raise Unsupported(f"inputs of {low:.4g} to {high:.4g} are no 8-bit pixels")
    return 255.0 if high <= 1 else 1.0


def image_decoder(workload: Workload) -> Callable[[Any], tf.Tensor]:
    """JPEG bytes → float32 image as the model takes it: decode, resize, scale."""
    height, width, channels = workload.data.input_shape
    scale = pixel_scale(workload)

    def decode(encoded: Any) -> tf.Tensor:
        image = tf.io.decode_jpeg(encoded, channels=channels)
        return tf.image.resize(image, (height, width)) / scale

    return decode


def parse(record: Any) -> tuple[tf.Tensor, tf.Tensor]:
    """The `image` bytes and `label` of one record."""
    features = {
        "image": tf.io.FixedLenFeature([], tf.string),
        "label": tf.io.FixedLenFeature([], tf.int64),
    }
    example = tf.io.parse_single_example(record, features)
    return example["image"], example["label"]


def input_path(
    workload: Workload,
    dataset: tf.data.Dataset,
    holds: str = "",
    lacks: str = "",
    expected: tuple[Any, Any] | None = None,
    tolerance: float = 1e-5,
    warmup: int = 0,
) -> InputPath:
    """An input path of an endless, batched dataset, with nothing rewritten behind its back.

    Args:
        workload: Gives the number of threads, and the training step.
        dataset: Batches (x, y) without end.
        holds: Kind of dataset operation that the pipeline must hold (`ParallelMap`).
        lacks: Kind that it may not hold.
        expected: The first batch (x, y); default: the first JPEG files, decoded one by one.
        tolerance: Largest mean absolute difference of the first batch's real numbers.
        warmup: Batches until caches and buffers are full.
    """
    options = tf.data.Options()
    # By default tf.data turns serial maps into parallel ones and appends a prefetch.
    options.experimental_optimization.map_parallelization = False
    options.experimental_optimization.inject_prefetch = False
    options.threading.private_threadpool_size = workload.threads
    options.autotune.cpu_budget = workload.threads
    dataset = dataset.with_options(options)

    def proof() -> dict[str, Any]:
        kinds = operations(dataset)
        if holds and not any(kind.startswith(holds) for kind in kinds):
            raise NotEngaged(f"the pipeline holds no {holds} but {', '.join(kinds)}")
        if lacks and any(kind.startswith(lacks) for kind in kinds):
            raise NotEngaged(f"the pipeline holds a {lacks}, which it should do without")
        same_examples(dataset, expected or first_examples(workload), tolerance)
        return {"pipeline": kinds}

    return InputPath(
        dataset,
        examples=workload.batch_size,
        train=_lazy_step(workload),
        warmup=warmup,
        proof=proof,
    )


def _lazy_step(workload: Workload) -> Callable[..., Any]:
    """The plain compiled step, with a model that is built when it is first called.

    Input paths are mostly measured alone, and their launches should not wait for a model.
    """
    made: list[Callable[..., Any]] = []

    def train_step(x, y):
        if not made:
            model = workload.model()
            made.append(compiled_step(workload, model, workload.optimizer(model)))
        return made[0](x, y)

    return train_step


def operations(dataset: tf.data.Dataset) -> list[str]:
    """Kinds of a pipeline's dataset operations: those inside functions, then source to end."""
    graph = tf.compat.v1.GraphDef.FromString(dataset._as_serialized_graph().numpy())
    nodes = [node for function in graph.library.function for node in function.node_def]
    return [
        node.op.partition("Dataset")[0]
        for node in (*nodes, *graph.node)
        if "Dataset" in node.op and node.op != "OptionsDataset"
    ]


def first_examples(workload: Workload) -> tuple[np.ndarray, np.ndarray]:
    """The first batch of the JPEG files, read and decoded one by one."""
    paths, labels = jpeg_files(workload)
    decode = image_decoder(workload)
    chosen = np.arange(workload.batch_size) % len(paths)
    images = [decode(Path(paths[i]).read_bytes()).numpy() for i in chosen]
    return np.stack(images), labels[chosen]


def same_examples(dataset: tf.data.Dataset, expected: tuple[Any, Any], tolerance: float) -> None:
    """Raise NotEngaged unless the pipeline's first batch holds the expected examples."""
    (x, y), (inputs, targets) = next(iter(dataset)), expected
    if not all(map(_equal, tf.nest.flatten(y), tf.nest.flatten(targets))):
        raise NotEngaged("the first batch is not the expected examples: its targets are others")
    for own, other in zip(tf.nest.flatten(x), tf.nest.flatten(inputs), strict=True):
        if own.dtype != tf.float32:
            if not _equal(own, other):
                raise NotEngaged("the first batch is not the expected examples")
            continue
        if own.shape != other.shape:
            raise NotEngaged(f"the first batch is not the expected examples (shape {own.shape})")
        difference = float(np.abs(np.asarray(own) - other).mean())
        if difference > tolerance:
            raise NotEngaged(f"inputs differ by {difference:.2g} on average, {tolerance:g} allowed")


def places_of(batch: Any, examples: Any) -> list[int]:
    """Where the examples of a batch stand among all (the first of equal ones); -1: nowhere."""
    known: dict[bytes, int] = {}
    for place, key in enumerate(_keys(examples)):
        known.setdefault(key, place)
    return [known.get(key, -1) for key in _keys(batch)]


def _keys(nest: Any) -> list[bytes]:
    arrays = [_plain(array) for array in tf.nest.flatten(nest)]
    return [b"|".join(array[i].tobytes() for array in arrays) for i in range(len(arrays[0]))]


def _equal(own: Any, other: Any) -> bool:
    return np.array_equal(_plain(own), _plain(other))


def _plain(array: Any) -> np.ndarray:
    """An array of numbers, or of the characters that strings hold."""
    found = np.asarray(array)
    if found.dtype.kind == "O":
        found = np.char.decode(found.astype(bytes), "utf-8")
    return found.astype("U256") if found.dtype.kind == "U" else found


def _encoded(workload: Workload) -> list[bytes]:
    encoded = []
    for x in _pictured(workload):
        buffer = BytesIO()
        _enlarged(workload, x).save(buffer, "JPEG", quality=QUALITY)
        encoded.append(buffer.getvalue())
    return encoded


def _pictured(workload: Workload) -> np.ndarray:
    """The training images that files are made of."""
    each = int(np.prod(_large_shape(workload)))
    count = max(workload.batch_size, MOST_BYTES // each)
    return workload.data.x_train[: min(MOST_FILES, count)]


def _enlarged(workload: Workload, x: np.ndarray) -> Any:
    from PIL import Image

    height, width, channels = _large_shape(workload)
    if channels not in (1, 3):
        raise Unsupported(f"JPEG holds 1 or 3 channels, the images have {channels}")
    scale = pixel_scale(workload)
    pixels = np.rint(np.clip(x * (scale / 255.0), 0, 1) * 255).astype(np.uint8)
    image = Image.fromarray(pixels[..., 0] if channels == 1 else pixels)
    return image.resize((width, height), Image.Resampling.BILINEAR)


def _large_shape(workload: Workload) -> tuple[int, int, int]:
    height, width, channels = workload.data.input_shape
    return height * ENLARGED, width * ENLARGED, channels


def _example(image: bytes, label: int) -> bytes:
    features = {
        "image": tf.train.Feature(bytes_list=tf.train.BytesList(value=[image])),
        "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[label])),
    }
    example = tf.train.Example(features=tf.train.Features(feature=features))
    return bytes(example.SerializeToString())
