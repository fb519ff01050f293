"""Paths with one known bottleneck each, and one without: what a diagnosis must find.

`python -m tests.explain.planted [TIMES] [NAME...] [--configuration LIST]` diagnoses them, in cpu-1
and cpu-all unless told otherwise, and says how often the verdict was right (some 30 s each).
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import tensorflow as tf

from scenarios.core import InputPath, TrainingPath

FILE_BYTES = 16_384
FILES_A_BATCH = 8
STORAGE_BYTES_PER_S = 4e6
"""A slow network disk: 8 files of 16 kB take 33 ms."""


def path(step, *batch, dataset=None):
    """A path without a Keras model on one constant batch, or on a pipeline's batches."""
    if dataset is not None:
        return InputPath(dataset, examples=8, train=step)
    return TrainingPath(None, step, examples=8, batches=itertools.repeat(batch))


def small_step():
    """A matrix product of some 2 ms."""
    weights = tf.Variable(tf.random.normal([4096, 512]))

    @tf.function
    def step(x):
        return tf.reduce_sum(tf.matmul(tf.reshape(x, [8, 4096]), weights))

    return step


def slow_map(workload):
    """input: the map function computes far longer than the step."""

    def slow(x):
        for _ in range(150):
            x = tf.sin(x) + tf.cos(x)
        return x

    data = np.random.default_rng(0).random((64, 4096), np.float32)
    dataset = tf.data.Dataset.from_tensor_slices(data).map(slow, num_parallel_calls=2)
    step = small_step()
    return path(step, dataset=dataset.batch(8).repeat().prefetch(2).map(lambda x: (x,)))


def small_files(workload):
    """io: many small files on storage that gives 4 MB/s."""
    folder = Path(tempfile.mkdtemp(prefix="tfbench-planted-"))
    names = []
    for number in range(32):
        names.append(str(folder / f"{number}.bin"))
        Path(names[-1]).write_bytes(np.random.default_rng(number).bytes(FILE_BYTES))

    def throttled(name):
        data = Path(name.numpy().decode()).read_bytes()
        time.sleep(len(data) / STORAGE_BYTES_PER_S)
        return np.frombuffer(data, np.float32)

    def read(name):
        x = tf.py_function(throttled, [name], tf.float32)
        return tf.math.is_finite(tf.ensure_shape(x, [FILE_BYTES // 4]))

    dataset = tf.data.Dataset.from_tensor_slices(names).repeat().map(read)
    step = small_step()
    return path(
        lambda x: step(tf.cast(x, tf.float32)), dataset=dataset.batch(8).map(lambda x: (x,))
    )


def large_product(workload):
    """compute: a product of large matrices."""
    weights = tf.random.normal([1024, 1024])

    @tf.function
    def step(x):
        return tf.matmul(tf.matmul(x, weights), weights)

    return path(step, tf.random.normal([1024, 1024]))


def element_wise_chain(workload):
    """memory: sums over arrays of 64 MB, far larger than any cache."""

    @tf.function
    def step(x):
        for _ in range(6):
            x = tf.abs(x - 1.0)
        return x[0, 0]

    return path(step, tf.random.normal([16, 1 << 20]))


def eager_loop(workload):
    """overhead: a Python loop over tiny operations, run eagerly."""

    def step(x):
        for _ in range(200):
            x = x * 1.0001 + 0.001
        return x

    return path(step, tf.random.normal([8, 4]))


def whole_batches(workload):
    """Takes batches of one size alone, so that half of one cannot be timed; not in `PLANTED`."""
    step = tf.function(lambda x: tf.reduce_sum(tf.reshape(x, [32])))
    return path(step, tf.random.normal([8, 4]))


def huge_all_reduce(workload):
    """communication: the dense gradient of a huge embedding, summed over two replicas."""
    strategy = tf.distribute.MirroredStrategy(["cpu:0", "cpu:1"])
    with strategy.scope():
        table = tf.Variable(tf.zeros([200_000, 64]))
    ids = tf.range(8)

    def replica(x):
        dense = tf.broadcast_to(tf.reduce_sum(x), table.shape)
        total = tf.distribute.get_replica_context().all_reduce("sum", dense)
        table.scatter_sub(tf.IndexedSlices(tf.gather(total, ids), ids))
        return total[0, 0]

    @tf.function
    def step(x):
        return strategy.reduce("sum", strategy.run(replica, (x,)), axis=None)

    return path(step, tf.random.normal([8, 4]))


def balanced(workload):
    """balanced: as much time in matrix products as in element-wise work."""
    weights = tf.random.normal([512, 512]) / 16
    left, large = tf.random.normal([512, 512]), tf.random.normal([16, 1 << 20])

    def products(x, count):
        for _ in range(count):
            x = tf.matmul(x, weights)
        return x

    def sums(x, count):
        for _ in range(count):
            x = tf.abs(x - 1.0)
        return x

    one, other = shortest(lambda: products(left, 4)[0, 0], lambda: sums(large, 2)[0, 0])
    count = max(1, round(4 * other / one))

    @tf.function
    def step(a, b):
        first = products(a, count)[0, 0]
        return sums(b + 1e-9 * first, 2)[0, 0]  # one after the other, not side by side

    return path(step, left, large)


def shortest(*calls):
    """Shortest time of each of several calls, s, run in turns."""
    functions = [tf.function(call) for call in calls]
    times = [[] for _ in calls]
    for _ in range(40):  # a neighbour on the memory bus must not decide what is balanced
        for own, function in zip(times, functions, strict=True):
            begun = time.perf_counter()
            function().numpy()
            own.append(time.perf_counter() - begun)
    return [min(own) for own in times]


PLANTED = {
    "slow_map": "input",
    "small_files": "io",
    "large_product": "compute",
    "element_wise_chain": "memory",
    "eager_loop": "overhead",
    "huge_all_reduce": "communication",
    "balanced": "balanced",
}


def main(times: int, names: list[str], configurations: str) -> bool:
    """Diagnose each path `times` times in each configuration; whether all verdicts were right."""
    from bench.explain.diagnose import diagnose
    from bench.results.values import Scenario
    from bench.sweep import settings

    chosen = settings.load(None, {"configuration": configurations})
    right = 0
    for name in names:
        scenario = Scenario(name, "train", "", __file__, name, __file__, 1)
        for configuration in chosen.configurations:
            devices = 2 if name == "huge_all_reduce" else 1
            for _ in range(times):
                begun = time.monotonic()
                found = diagnose(scenario, chosen, configuration, devices).verdict
                right += found.bound == PLANTED[name]
                shares = {k: round(v, 2) for k, v in found.ablation.items() if v >= 0.005}
                print(
                    f"{name:20} {configuration.name:8} {found.bound:14} {found.confidence:7}"
                    f"{found.agreeing_rounds}/{found.rounds} {shares}"
                    f" {time.monotonic() - begun:.0f} s",
                    flush=True,
                )
    total = times * len(names) * len(chosen.configurations)
    print(f"{right} of {total} verdicts right")
    return right == total


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("times", type=int, nargs="?", default=5)
    parser.add_argument("names", nargs="*", metavar="NAME", default=list(PLANTED))
    parser.add_argument("--configuration", default="cpu-1,cpu-all")
    options = parser.parse_args()
    sys.exit(not main(options.times, options.names, options.configuration))
