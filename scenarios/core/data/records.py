"""Examples in TFRecord files."""

from __future__ import annotations

import glob

import numpy as np

from bench.results.errors import UsageError
from scenarios.core.data.folders import size_of
from scenarios.core.data.splitting import pixels, split
from scenarios.core.data.values import Data


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
        sizes = sorted({size_of(image) for image in x})
        raise UsageError(
            f"images of mixed shape in {pattern}: {', '.join(sizes)}; resize them to one size"
        )
    if not x:
        raise UsageError(f"{pattern} holds no examples: write some TFRecords first")
    return split(f"tfrecord:{pattern}", pixels(np.stack(x)), np.array(y), seed)
