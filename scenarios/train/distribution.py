"""One training step spread over the devices of one machine."""

import itertools

import tensorflow as tf

from bench.results.errors import NotEngaged, Unsupported
from scenarios.core import TrainingPath, Workload, scenario
from scenarios.core.graphs import traced_once
from scenarios.core.training import compiled_step


@scenario(needs=("trainable",))
def single_device(workload: Workload) -> TrainingPath:
    """One device sees the whole batch at once: what mirroring and accumulation compare with.

    Replicas and small batches have batch statistics of their own, so losses are compared on the
    running ones, with which a batch's loss is the mean of its parts' losses.
    """
    model = workload.model()
    training = not workload.comparable
    step = compiled_step(workload, model, workload.optimizer(model), training)

    def proof():
        step(*next(workload.batches()))
        return traced_once(step)

    return TrainingPath(model, step, workload.batch_size, batches=workload.batches(), proof=proof)


@scenario(
    baseline="train/single-device",
    needs=("trainable",),
    devices=2,
    follows="float32",
    variants={
        "": {},
        "per-replica": {"batch_each": True, "scenario": {"follows": None, "suite": "full"}},
    },
)
def mirrored(workload: Workload, batch_each: bool = False) -> TrainingPath:
    """MirroredStrategy: the batch shared out to two replicas, or a whole batch for each."""
    strategy = tf.distribute.MirroredStrategy(replica_devices(workload.devices))
    batches = strategy.num_replicas_in_sync if batch_each else 1
    return shared_out(workload, strategy, workload.batch_size * batches)


@scenario(baseline="train/single-device", needs=("trainable", "tpu"), suite="full")
def tpu(workload: Workload) -> TrainingPath:
    """TPUStrategy: the batch shared out to the cores of a TPU."""
    resolver = tf.distribute.cluster_resolver.TPUClusterResolver(tpu="local")
    tf.config.experimental_connect_to_cluster(resolver)
    tf.tpu.experimental.initialize_tpu_system(resolver)
    return shared_out(workload, tf.distribute.TPUStrategy(resolver), workload.batch_size)


def shared_out(workload: Workload, strategy, batch: int) -> TrainingPath:
    """A path whose step gives each replica its part of the batch, and sums their gradients."""
    workload.plain_step_only("each replica's loss counts as its share")
    count = strategy.num_replicas_in_sync
    if batch % count:
        raise Unsupported(f"a batch of {batch} does not divide into {count} equal parts")
    training = not workload.comparable  # replicas have batch statistics of their own
    with strategy.scope():
        model = workload.model()
        optimizer = workload.optimizer(model)

    def replica_step(x, y):
        with tf.GradientTape() as tape:
            loss = workload.loss(y, model(x, training=training)) + sum(model.losses)
            loss = loss / count  # gradients are summed over the replicas
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    @tf.function
    def train_step(parts):
        losses = strategy.run(replica_step, args=parts)
        return strategy.reduce(tf.distribute.ReduceOp.SUM, losses, axis=None)

    parts = [(each_replica(strategy, x, y),) for x, y in workload.epoch(batch)]

    def proof():
        train_step(*parts[0])
        return traced_once(train_step) | replicas(strategy, model)

    return TrainingPath(
        model, train_step, examples=batch, batches=itertools.cycle(parts), proof=proof
    )


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


def each_replica(strategy, x, y):
    """A batch (x, y) cut into one part for each replica, already on its device."""
    count = strategy.num_replicas_in_sync

    def part(context):
        i = context.replica_id_in_sync_group

        def mine(array):
            size = len(array) // count
            return tf.constant(array[i * size : (i + 1) * size])

        return tf.nest.map_structure(mine, (x, y))

    return strategy.experimental_distribute_values_from_function(part)


def replicas(strategy, model) -> dict[str, object]:
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
