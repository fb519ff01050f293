"""TensorFlow's side of a launch: threads and devices, what is missing, when a result exists."""

from __future__ import annotations

import importlib.util
from typing import Any

from bench.launch.timing.turns import read
from bench.results import extras
from bench.results.needs import OF_WORKLOAD, alternatives, other_tensorflow
from bench.results.values import Configuration


def set_up(configuration: Configuration, devices: int) -> None:
    """Set threads and logical devices; must come before TensorFlow's runtime is initialised."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(configuration.threads)
    tf.config.threading.set_inter_op_parallelism_threads(configuration.threads)
    if configuration.device == "cpu":
        tf.config.set_visible_devices([], "GPU")
    gpus = tf.config.get_visible_devices("GPU")
    if devices > max(1, len(gpus)):
        cpu = tf.config.list_physical_devices("CPU")[0]
        logical = [tf.config.LogicalDeviceConfiguration() for _ in range(devices)]
        tf.config.set_logical_device_configuration(cpu, logical)


def missing(needs: tuple[str, ...]) -> str:
    """What this machine or environment lacks of a scenario's needs, "" when nothing.

    The sweep has settled beforehand what the workload must be.
    """
    for need in needs:
        ways = alternatives(need)
        reasons = [_missing(way) for way in ways if way not in OF_WORKLOAD]
        if len(reasons) == len(ways) and all(reasons):
            return reasons[0]
    return ""


def _missing(need: str) -> str:
    import tensorflow as tf

    if need == "gpu":
        found = tf.config.list_physical_devices("GPU")
        return "" if found else "needs a GPU that TensorFlow can see; none is visible here"
    if need == "tpu":
        found = tf.config.list_physical_devices("TPU")
        return "" if found else "needs a TPU; none is visible here (run it on a Cloud TPU VM)"
    kind, _, name = need.partition(":")
    if kind == "package":
        found = importlib.util.find_spec(name)
        return "" if found else extras.lacking(name)
    return other_tensorflow(need, tf.__version__)


def finish(result: Any) -> None:
    """Block until a result exists: read it back, and let every device finish its queue."""
    read(result)
    _sync_devices()


def _sync_devices() -> None:
    global _gpus
    if _gpus is None:
        import tensorflow as tf

        _gpus = bool(tf.config.list_logical_devices("GPU"))
    if _gpus:
        import tensorflow as tf

        tf.test.experimental.sync_devices()


_gpus: bool | None = None
