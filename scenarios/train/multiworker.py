"""Several processes, each with its shard of the data, train one model."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import tensorflow as tf

from bench.results.errors import NotEngaged
from scenarios.core import JobPath, TrainingPath, Workload, quality, scenario
from scenarios.train.tools.cluster import Cluster, free_addresses

WORKERS = 2
STEPS = 5  # in one message: asking a process costs time that training does not
WORKER = "scenarios.train.multiworker:Worker"


class Worker:
    """What each process does: the same program, distinguished by TF_CONFIG alone."""

    def __init__(self, make_workload):
        # Collective operations must be set up before anything else runs.
        self.strategy = tf.distribute.MultiWorkerMirroredStrategy()
        self.resolver = self.strategy.cluster_resolver
        self.workload = make_workload()
        self.start()

    def start(self):
        """A new model, optimizer and step, and the data from the beginning."""
        workload, strategy = self.workload, self.strategy
        with strategy.scope():
            self.model = model = workload.model()
            self.optimizer = optimizer = workload.optimizer(model)
        # A checkpoint of a Keras 3 model leaves out where its dropout's random numbers stand.
        seeds = [v.value for v in model.variables if "seed_generator" in v.path]
        self.checkpoint = tf.train.Checkpoint(model=model, optimizer=optimizer, seeds=seeds)
        self.seek(0)
        replicas = strategy.num_replicas_in_sync
        training = not workload.comparable  # workers have batch statistics of their own

        def replica_step(x, y):
            with tf.GradientTape() as tape:
                loss = workload.loss(y, model(x, training=training)) + sum(model.losses)
                loss = loss / replicas
            gradients = tape.gradient(loss, model.trainable_variables)
            optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
            return loss

        @tf.function
        def train_step(batch):
            losses = strategy.run(replica_step, args=batch)
            return strategy.reduce(tf.distribute.ReduceOp.SUM, losses, axis=None)

        self.step = train_step

    def seek(self, step):
        """Let the data go on from global step `step`; each worker reads its own shard."""
        pairs = self.workload.epoch()
        x, y = tf.nest.map_structure(lambda *arrays: np.concatenate(arrays), *pairs)
        batch = self.workload.batch_size

        def shard(context):
            examples = tf.data.Dataset.from_tensor_slices((x, y)).repeat().skip(step * batch)
            mine = examples.shard(context.num_input_pipelines, context.input_pipeline_id)
            return mine.batch(context.get_per_replica_batch_size(batch), drop_remainder=True)

        self.batches = iter(self.strategy.distribute_datasets_from_function(shard))

    def train(self, steps):
        """Losses of the next updates."""
        return [float(self.step(next(self.batches))) for _ in range(steps)]

    def save(self, folder):
        """All take part in saving, but only the chief writes to the folder that is kept."""
        if self.resolver.task_id == 0:
            return self.checkpoint.write(f"{folder}/model")
        with TemporaryDirectory() as nowhere:
            self.checkpoint.write(f"{nowhere}/model")
        return None

    def restore(self, folder):
        """Go on from a saved state; the number of updates already made."""
        self.checkpoint.read(f"{folder}/model").assert_consumed()
        done = int(self.optimizer.iterations.numpy())
        self.seek(done)
        return done

    def facts(self):
        """What this process knows of the cluster, and its share of the first batch."""
        targets = tf.nest.flatten(next(self.batches)[1])[0]
        labels = self.strategy.experimental_local_results(targets)
        return {
            "task": self.resolver.task_id,
            "workers": self.resolver.cluster_spec().num_tasks("worker"),
            "replicas": self.strategy.num_replicas_in_sync,
            "examples": sum(len(part) for part in labels),
        }


def workers(workload: Workload) -> Cluster:
    """Two processes that each know by TF_CONFIG where all workers are, and which one they are."""
    workload.plain_step_only("each worker's loss counts as its share")
    addresses = free_addresses(WORKERS)
    configs = [
        {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
        for index in range(WORKERS)
    ]
    environments = [{"TF_CONFIG": json.dumps(config)} for config in configs]
    return Cluster(WORKER, workload.spec, workload.threads, environments)


@scenario(baseline="train/single-device", needs=("trainable",), follows="float32", suite="full")
def multiworker(workload: Workload) -> TrainingPath:
    """MultiWorkerMirroredStrategy: two processes on loopback, each with half of each batch."""
    cluster = workers(workload)
    model = workload.model()

    def predict(x):
        with TemporaryDirectory() as folder:
            cluster.call("save", folder=folder)
            tf.train.Checkpoint(model=model).read(f"{folder}/model").expect_partial()
        return quality.predict(model, x)

    def proof():
        seen = cluster.call("facts")
        if [f["task"] for f in seen] != [0, 1] or {f["replicas"] for f in seen} != {WORKERS}:
            raise NotEngaged(f"the workers do not work together: {seen}")
        return {"workers": len(seen), "examples_of_each": [f["examples"] for f in seen]}

    return TrainingPath(
        model,
        lambda: np.array(cluster.call("train", steps=STEPS)[0]),
        examples=STEPS * workload.batch_size,
        updates=STEPS,
        predict=predict,
        proof=proof,
    )


@scenario(needs=("trainable",), unit="job", suite="full")
def multiworker_recovery(workload: Workload) -> JobPath:
    """A worker is killed after a checkpoint; a new cluster restores it and goes on."""
    seen: dict[str, Any] = {}

    def job():
        with TemporaryDirectory() as folder:
            cluster = workers(workload)
            cluster.call("train", steps=STEPS)
            cluster.call("save", folder=folder)
            seen["files"] = sorted(path.name for path in Path(folder).iterdir())
            seen["lost"] = cluster.call("train", steps=STEPS)[0]
            seen["exit_status"] = cluster.kill(WORKERS - 1)
            cluster.close()
            cluster = workers(workload)
            seen["restored"] = cluster.call("restore", folder=folder)
            seen["repeated"] = cluster.call("train", steps=STEPS)[0]
            cluster.close()
        return seen["repeated"]

    def proof():
        if set(seen["restored"]) != {STEPS} or seen["exit_status"] != -9:
            raise NotEngaged(f"no worker was killed, or not all was restored: {seen}")
        if not np.allclose(seen["lost"], seen["repeated"], rtol=1e-4):
            raise NotEngaged(
                f"the repeated steps {seen['repeated']} are not the lost {seen['lost']}"
            )
        return dict(seen)

    return JobPath(job, proof=proof)
