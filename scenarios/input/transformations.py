"""What tf.data does between the source and the training step."""

import numpy as np
import tensorflow as tf

from bench.results.errors import NotEngaged
from scenarios.core import InputPath, Workload, scenario
from scenarios.input.tools.pipelines import (
    image_decoder,
    in_memory,
    input_path,
    jpeg_files,
    large_images,
    pixel_scale,
    places_of,
)

AUTOTUNE = tf.data.AUTOTUNE


def decoded_files(workload: Workload, parallel=None):
    """Examples (image, label) of the JPEG files, read and decoded by `map`."""
    paths, labels = jpeg_files(workload)
    decode = image_decoder(workload)
    return tf.data.Dataset.from_tensor_slices((paths, labels)).map(
        lambda path, label: (decode(tf.io.read_file(path)), label), num_parallel_calls=parallel
    )


@scenario(needs=("data:images", "data:labels", "trainable"))
def map_serial(workload: Workload) -> InputPath:
    """JPEG files read and decoded by a serial map; no prefetch."""
    dataset = decoded_files(workload).repeat().batch(workload.batch_size, drop_remainder=True)
    return input_path(workload, dataset, holds="Map", lacks="ParallelMap")


@scenario(baseline="input/map-serial", needs=("data:images", "data:labels", "trainable"))
def map_parallel(workload: Workload) -> InputPath:
    """The same map with num_parallel_calls=AUTOTUNE; no prefetch."""
    dataset = decoded_files(workload, AUTOTUNE)
    dataset = dataset.repeat().batch(workload.batch_size, drop_remainder=True)
    return input_path(workload, dataset, holds="ParallelMap", lacks="Prefetch")


@scenario(baseline="input/map-serial", needs=("data:images", "data:labels", "trainable"))
def prefetch(workload: Workload) -> InputPath:
    """The serial map, its batches made ahead of the step by a prefetch at the end."""
    dataset = decoded_files(workload).repeat().batch(workload.batch_size, drop_remainder=True)
    return input_path(workload, dataset.prefetch(AUTOTUNE), holds="Prefetch", lacks="ParallelMap")


@scenario(baseline="input/map-serial", needs=("data:images", "data:labels", "trainable"))
def cache(workload: Workload) -> InputPath:
    """The serial map's images kept in memory by cache: measured after the first epoch."""
    dataset = decoded_files(workload).cache().repeat()
    dataset = dataset.batch(workload.batch_size, drop_remainder=True)
    epoch = len(jpeg_files(workload)[0]) // workload.batch_size + 1
    return input_path(workload, dataset, holds="Cache", warmup=epoch)


@scenario(
    baseline="input/memory",
    needs=("trainable",),
    variants={
        "b64": {"buffer": 64},
        "b512": {"buffer": 512},
        "all": {"buffer": None},
    },
    suite="full",
)
def shuffle(workload: Workload, buffer: int | None) -> InputPath:
    """Arrays in memory, shuffled through a buffer."""
    examples, batch = in_memory(workload), workload.batch_size
    count = len(workload.train)
    dataset = (
        tf.data.Dataset.from_tensor_slices(examples)
        .shuffle(buffer or count, seed=workload.spec.seed)
        .repeat()
        .batch(batch, drop_remainder=True)
    )
    path = input_path(workload, dataset)

    def proof():
        places = places_of(next(iter(dataset)), examples)
        if places == sorted(places) or -1 in places:
            raise NotEngaged("the first batch is not shuffled examples with their targets")
        return {"buffer": buffer or count, "furthest_example_in_first_batch": max(places)}

    path.proof = proof
    return path


@scenario(
    baseline="input/vectorized-map-elementwise",
    needs=("data:images", "data:labels", "trainable"),
    variants={"": {}, "elementwise": {"batch_first": False, "scenario": {"baseline": None}}},
    suite="full",
)
def vectorized_map(workload: Workload, batch_first: bool = True) -> InputPath:
    """Large images in memory, resized and scaled by batch (batch before map) or one by one."""
    images, labels = large_images(workload)
    size, batch = workload.data.input_shape[:2], workload.batch_size
    scale = pixel_scale(workload)

    def prepare(x, y):
        return tf.image.resize(x, size) / scale, y

    dataset = tf.data.Dataset.from_tensor_slices((images, labels)).repeat()
    if batch_first:
        dataset = dataset.batch(batch, drop_remainder=True).map(prepare)
    else:
        dataset = dataset.map(prepare).batch(batch, drop_remainder=True)
    first = np.arange(batch) % len(images)
    expected = (prepare(images[first], labels[first])[0].numpy(), labels[first])
    return input_path(workload, dataset, holds="Map", expected=expected)
