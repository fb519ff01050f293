"""Examples in TFRecord files."""

from __future__ import annotations

import glob

import numpy as np

from bench.results.errors import UsageError
from bench.results.values import WorkloadSpec
from scenarios.core.data.assembly import assembled
from scenarios.core.data.resizing import to_one_size
from scenarios.core.data.values import Data, Part


def tfrecord(pattern: str, spec: WorkloadSpec) -> Data:
    """Examples with `image` (an encoded JPEG or PNG, 8 or 16 bits) and `label` (an integer)."""
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
            x.append(tf.io.decode_image(example["image"]).numpy())
            y.append(int(example["label"]))
            if spec.take and len(x) >= spec.take:
                break
    except tf.errors.OpError as error:
        first = str(error.message).splitlines()[0]
        raise UsageError(
            f"{pattern}: not TFRecords of `image` (JPEG or PNG) and `label`: {first}"
        ) from None
    if not x:
        raise UsageError(f"{pattern} holds no examples: write some TFRecords first")
    images, notes = to_one_size(x)
    return assembled(f"tfrecord:{pattern}", Part(images, np.array(y)), None, spec, "images", notes)
