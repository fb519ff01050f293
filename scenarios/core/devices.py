"""The devices that replicas run on: GPUs where there are enough, logical CPU devices otherwise."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from bench.results.errors import NotEngaged, Unsupported


def replica_devices(count: int) -> list[str]:
    """Names of `count` devices for a distribution strategy.

    Raises:
        Unsupported: There are neither that many GPUs nor that many logical CPU devices.
    """
    for kind in ("GPU", "CPU"):
        if len(tf.config.list_logical_devices(kind)) >= count:
            return [f"/{kind}:{i}" for i in range(count)]
    raise Unsupported(
        f"needs {count} GPUs, or {count} logical CPU devices set before TensorFlow runs"
    )


def each_replica(strategy: Any, x: Any, y: Any) -> Any:
    """A batch (x, y) cut into one part for each replica, already on its device."""
    count = strategy.num_replicas_in_sync

    def part(context: Any) -> Any:
        i = context.replica_id_in_sync_group
        size = len(y) // count
        return tf.constant(x[i * size : (i + 1) * size]), tf.constant(y[i * size : (i + 1) * size])

    return strategy.experimental_distribute_values_from_function(part)


def replicas(strategy: Any, model: Any) -> dict[str, Any]:
    """Proof that every variable has one copy on each of several devices.

    Raises:
        NotEngaged: There is only one replica, or a variable has no copies.
    """
    copies = {len(getattr(w.value, "values", (0,))) for w in model.trainable_variables}
    count = strategy.num_replicas_in_sync
    if count < 2 or copies != {count}:
        raise NotEngaged(f"{count} replicas with {sorted(copies)} copies of each variable")
    devices = list(strategy.extended.worker_devices)
    kind = "GPU" if "GPU" in devices[0] else "logical CPU devices of one machine"
    return {"replicas": count, "devices": devices, "device_kind": kind}
