"""Runs inference scenarios in one process and prints what came of them as JSON.

    python -m tests.scenarios.infer_contract KERAS CACHE

Importing TensorFlow costs seconds and Keras's version belongs to a process, so that the tests
share two such processes.
"""

import importlib
import importlib.util
import json
import sys
import traceback

DATA = "synthetic:8x8x3"
KERAS_3 = [
    ("execution", "function", {}),
    ("execution", "function", {"batch": 8}),
    ("execution", "eager", {}),
    ("execution", "predict", {}),
    ("execution", "xla", {}),
    ("execution", "savedmodel", {}),
    ("execution", "frozen", {}),
    ("litert", "litert_float32", {}),
    ("litert", "litert_float32", {"batch": 8}),
    ("litert", "litert_dynamic", {}),
    ("litert", "litert_float16", {}),
    ("litert", "litert_int8", {}),
    ("litert", "litert_int8_full", {}),
    ("litert", "litert_int16x8", {}),
    ("onnxruntime", "onnxruntime", {}),
    ("onnxruntime", "onnxruntime_int8", {}),
    ("openvino", "openvino", {}),
    ("openvino", "openvino_int8", {}),
    ("architecture", "separable", {}),
    ("architecture", "residual", {}),
    ("architecture", "squeeze_excitation", {}),
    ("combined", "separable_int8", {}),
    ("tensorrt", "tensorrt", {}),
    ("tensorrt", "tensorrt_onnx", {"precision": "INT8"}),
    # These change the process's policy, so they come last.
    ("execution", "mixed_float16", {}),
    ("execution", "bfloat16", {}),
]
KERAS_2 = [
    ("compression", "pruned", {}),
    ("compression", "pruned_2_4", {}),
    ("compression", "clustered", {}),
    ("quantization", "qat_int8", {}),
    ("quantization", "pruned_int8", {}),
    ("quantization", "pcqat_int8", {}),
    ("sparse", "sparse", {}),
    ("sparse", "sparse_xnnpack", {}),
    ("combined", "distilled", {}),
    ("combined", "combined", {}),
]


def tried(workload, module, function, arguments):
    """One scenario built, stepped, asked to predict and to prove itself."""
    from bench.launch.analysis import files
    from bench.results.errors import LaunchError

    try:
        path = getattr(importlib.import_module(f"scenarios.infer.{module}"), function)(
            workload, **arguments
        )
        path.advance()
        scores = path.predict(workload.data.x_test[:20])
        return {
            "outcome": "ok",
            "shape": list(scores.shape),
            "outputs": scores[:8].ravel().tolist(),
            "proof": path.proof(),
            "examples": path.examples,
            "bytes": files.size_bytes(path.artifact) if path.artifact else None,
            "parameters": int(path.model.count_params()) if path.model is not None else None,
        }
    except LaunchError as error:
        return {"outcome": type(error).__name__, "reason": str(error)}
    except Exception:
        return {"outcome": "crashed", "reason": traceback.format_exc()}


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
    from scenarios.infer.tools import onnx, tflite

    plain = execution.function(workload)
    file = litert.litert_float32(workload).artifact
    int8 = litert.litert_int8(workload).artifact
    return {
        "sparsity": proof_refused(lambda: compression.sparsity(plain.artifact, 0.79)),
        "2:4": proof_refused(lambda: compression.two_of_four(plain.artifact)),
        "clusters": proof_refused(lambda: compression.distinct_values(plain.artifact)),
        "int8": proof_refused(lambda: tflite.int8_operations(file)),
        "weights": proof_refused(lambda: tflite.weights_of_type(file, "float16")),
        "zeros": proof_refused(lambda: tflite.zeros(int8, 0.79)),
        "clusters in int8": proof_refused(lambda: tflite.clusters(int8, 16)),
        "stored sparse": proof_refused(lambda: tflite.sparse_kernels(file)),
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


def main(keras, cache):
    """Run the scenarios of a Keras version and print one JSON object."""
    from bench.results.values import WorkloadSpec
    from scenarios.core import Workload, training
    from scenarios.infer import sparse

    workload = Workload(WorkloadSpec(data=DATA, epochs=1, cache=cache))
    training.check_converged = lambda *_: None  # one epoch need not converge
    training.prepare(workload)
    answer = {}
    if keras == "3":
        answer["refusals"] = refusals(workload)
    for module, function, arguments in KERAS_3 if keras == "3" else KERAS_2:
        name = "-".join([function, *(str(v) for v in arguments.values())])
        answer[name] = tried(workload, module, function, arguments)
    if keras == "2":  # on a processor without sparse kernels: all but their use
        sparse.xnnpack_has_sparse_kernels = lambda: None
        answer["sparse_xnnpack forced"] = tried(workload, "sparse", "sparse_xnnpack", {})
    print("ANSWER" + json.dumps(answer, default=str))


if __name__ == "__main__":
    main(*sys.argv[1:])
