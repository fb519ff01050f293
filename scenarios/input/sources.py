"""Where examples come from: memory, image files, TFRecords, a Python generator."""

import numpy as np
import tensorflow as tf

from scenarios.core import InputPath, Workload, scenario
from scenarios.input.tools.pipelines import (
    image_decoder,
    in_memory,
    input_path,
    jpeg_files,
    parse,
    pixel_scale,
    preprocessed_file,
    tfrecord_file,
)

AUTOTUNE = tf.data.AUTOTUNE


@scenario(needs=("data:images", "data:labels", "trainable"))
def files(workload: Workload) -> InputPath:
    """JPEG files: read, decode, resize and scale in parallel, batch, prefetch."""
    paths, labels = jpeg_files(workload)
    decode = image_decoder(workload)

    def load(path, label):
        return decode(tf.io.read_file(path)), label

    dataset = (
        tf.data.Dataset.from_tensor_slices((paths, labels))
        .map(load, num_parallel_calls=AUTOTUNE)
        .repeat()
        .batch(workload.batch_size, drop_remainder=True)
        .prefetch(AUTOTUNE)
    )
    return input_path(workload, dataset, holds="ParallelMap")


@scenario(baseline="input/files", needs=("data:images", "data:labels", "trainable"))
def tfrecord(workload: Workload) -> InputPath:
    """The same JPEG bytes in one TFRecord file, read in sequence."""
    decode = image_decoder(workload)

    def load(record):
        image, label = parse(record)
        return decode(image), label

    dataset = (
        tf.data.TFRecordDataset(tfrecord_file(workload))
        .map(load, num_parallel_calls=AUTOTUNE)
        .repeat()
        .batch(workload.batch_size, drop_remainder=True)
        .prefetch(AUTOTUNE)
    )
    return input_path(workload, dataset, holds="TFRecord")


@scenario(baseline="input/files", needs=("data:images", "data:labels", "trainable"))
def preprocessed(workload: Workload) -> InputPath:
    """Decoding and resizing moved out: a TFRecord file of 8-bit pixels, only scaled here."""
    shape, scale = workload.data.input_shape, pixel_scale(workload)

    def load(record):
        image, label = parse(record)
        pixels = tf.reshape(tf.io.decode_raw(image, tf.uint8), shape)
        return tf.cast(pixels, tf.float32) / scale, label

    dataset = (
        tf.data.TFRecordDataset(preprocessed_file(workload))
        .map(load, num_parallel_calls=AUTOTUNE)
        .repeat()
        .batch(workload.batch_size, drop_remainder=True)
        .prefetch(AUTOTUNE)
    )
    # Stored pixels are rounded to whole numbers.
    return input_path(workload, dataset, holds="TFRecord", tolerance=0.5 / scale)


@scenario(baseline="input/files", needs=("data:images", "data:labels", "trainable"))
def python_generator(workload: Workload) -> InputPath:
    """A Python generator that reads the files with Pillow, one at a time."""
    from PIL import Image

    paths, labels = jpeg_files(workload)
    height, width, channels = workload.data.input_shape
    scale = pixel_scale(workload)

    def examples():
        for path, label in zip(paths, labels, strict=True):
            with Image.open(path) as image:
                resized = image.resize((width, height), Image.Resampling.BILINEAR)
                pixels = np.asarray(resized, np.float32) / scale
            yield pixels.reshape(height, width, channels), label

    signature = (
        tf.TensorSpec([height, width, channels], tf.float32),
        tf.TensorSpec([], tf.int64),
    )
    dataset = (
        tf.data.Dataset.from_generator(examples, output_signature=signature)
        .repeat()
        .batch(workload.batch_size, drop_remainder=True)
        .prefetch(AUTOTUNE)
    )
    # Pillow averages over all pixels when it makes an image smaller; TensorFlow takes the nearest.
    return input_path(workload, dataset, holds="FlatMap", tolerance=0.1 * 255 / scale)


@scenario(baseline="input/files", needs=("trainable",))
def memory(workload: Workload) -> InputPath:
    """Arrays in memory, sliced into examples and batched."""
    examples, batch = in_memory(workload), workload.batch_size
    dataset = (
        tf.data.Dataset.from_tensor_slices(examples).repeat().batch(batch, drop_remainder=True)
    )
    first = tf.nest.map_structure(lambda array: array[:batch], examples)
    return input_path(workload, dataset, holds="TensorSlice", lacks="Map", expected=first)
