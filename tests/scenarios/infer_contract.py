"""Runs scenarios of one Keras version in one process and prints what came of them as JSON.

Its arguments: KERAS CACHE ID ...
"""

import importlib
import importlib.util
import json
import sys
import tempfile
import time
import traceback
from pathlib import Path

DATA = "synthetic:8x8x3"


def tried(workload, scenario):
    """One scenario built, stepped, asked to predict and to prove itself."""
    import tensorflow as tf

    from bench.launch.analysis import files
    from bench.launch.devices import missing
    from bench.results.errors import LaunchError

    lacking = missing(scenario.needs)
    if lacking:
        return {"outcome": "missing", "reason": lacking}
    tf.keras.mixed_precision.set_global_policy("float32")  # a scenario may have set another
    begun = time.perf_counter()
    try:
        make = getattr(importlib.import_module(scenario.module), scenario.function)
        path = make(workload, **scenario.arguments)
        path.advance()
        scores = path.predict(workload.data.x_test[:20])
        artifact, model = (getattr(path, name, None) for name in ("artifact", "model"))
        return {
            "outcome": "ok",
            "shape": list(scores.shape),
            "outputs": scores[:8].ravel().tolist(),
            "proof": path.proof(),
            "examples": path.examples,
            "bytes": files.size_bytes(artifact) if artifact else None,
            "parameters": int(model.count_params()) if model is not None else None,
        }
    except LaunchError as error:
        return {"outcome": type(error).__name__, "reason": str(error)}
    except Exception:
        return {"outcome": "crashed", "reason": traceback.format_exc()}
    finally:
        print(f"{scenario.id}: {time.perf_counter() - begun:.1f} s", file=sys.stderr)


def proof_refused(prove):
    """The reason with which a proof refuses, "" if it accepts."""
    from bench.results.errors import NotEngaged

    try:
        prove()
    except NotEngaged as error:
        return str(error)
    return ""


def refusals(workload):
    """Proofs asked about models that the technique was not applied to."""
    import tensorflow as tf

    from scenarios.core import graphs
    from scenarios.infer import combined, compression, execution, litert, onnxruntime, tensorrt
    from scenarios.infer.tools import onnx, stored, tflite

    plain = execution.function(workload)
    file = litert.litert_float32(workload).artifact
    int8 = litert.litert_int8(workload).artifact
    return {
        "sparsity": proof_refused(lambda: compression.sparsity(plain.artifact, 0.79)),
        "2:4": proof_refused(lambda: compression.two_of_four(plain.artifact)),
        "clusters": proof_refused(lambda: compression.distinct_values(plain.artifact)),
        "int8": proof_refused(lambda: tflite.int8_operations(file)),
        "weights": proof_refused(lambda: stored.weights_of_type(file, "float16")),
        "zeros": proof_refused(lambda: stored.zeros(int8, 0.79)),
        "clusters in int8": proof_refused(lambda: stored.clusters(int8, 16)),
        "stored sparse": proof_refused(lambda: stored.sparse_kernels(file)),
        "student": proof_refused(lambda: combined.smaller(workload, workload.model())),
        "xla": proof_refused(lambda: graphs.compiled_by_xla(plain.infer, plain.inputs[0])),
        "onnx int8": (
            proof_refused(lambda: onnxruntime.int8_products(onnx.exported(workload), 1))
            if importlib.util.find_spec("tf2onnx")
            else None
        ),
        "trt": proof_refused(lambda: tensorrt.engines(plain.infer.get_concrete_function(), "FP16")),
        "retraced": proof_refused(lambda: graphs.traced_once(tf.function(lambda x: x))),
    }


def pieces(workload):
    """What the pieces of this Keras version do on models of a user's kind."""
    import numpy as np
    import tensorflow as tf

    from scenarios.core import artifacts
    from scenarios.infer.compression import stored_kernels
    from scenarios.infer.tools.deploy import export

    layers = tf.keras.layers

    class Scaled(tf.keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(2)
            self.scale = self.add_weight(name="scale", shape=(2,), initializer="random_normal")

        def call(self, x):
            return self.dense(x) * self.scale

    one, other = Scaled(), Scaled()
    x = tf.ones([1, 3])
    one(x), other(x)
    depthwise = tf.keras.Sequential(
        [
            layers.Input((8, 8, 3)),
            layers.Conv2D(4, 3),
            layers.DepthwiseConv2D(3),
            layers.Conv2D(1, 3),
            layers.Flatten(),
            layers.Dense(5),
        ]
    )
    with tempfile.TemporaryDirectory() as folder:
        artifacts.save_weights(one, Path(folder) / "weights.npz")
        artifacts.load_weights(other, Path(folder) / "weights.npz")
        export(workload, Path(folder) / "model", depthwise)
        kernels = stored_kernels(Path(folder) / "model").values()
        return {
            "same outputs": bool(np.array_equal(one(x), other(x))),
            "kernels": sorted(list(kernel.shape) for kernel in kernels),
        }


def main(keras, cache, *ids):
    """Run scenarios and print one JSON object of what came of them, by id."""
    from bench.results.values import WorkloadSpec
    from bench.sweep.discovery import discover
    from scenarios.core import Workload, training
    from scenarios.infer import sparse

    workload = Workload(WorkloadSpec(data=DATA, epochs=1, cache=cache))
    training.prepare(workload)
    answer = {f"pieces of Keras {keras}": pieces(workload)}
    if keras == "3":
        answer["refusals"] = refusals(workload)
    scenarios = discover()
    for id in ids:
        answer[id] = tried(workload, scenarios[id])
    if "infer/sparse-xnnpack" in ids:  # on a processor without sparse kernels: all but their use
        sparse.xnnpack_has_sparse_kernels = lambda: None
        answer["sparse-xnnpack forced"] = tried(workload, scenarios["infer/sparse-xnnpack"])
    print(json.dumps(answer, default=str))


if __name__ == "__main__":
    main(*sys.argv[1:])
