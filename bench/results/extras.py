"""Optional packages: which extra of this installation brings each, and how to ask for it."""

from __future__ import annotations

import importlib.metadata

DISTRIBUTION = "tensorflow-optimization-bench"
"""This project's name on a package index; there, `tfbench` is another project."""
EXTRAS = {
    "tensorflow": "tensorflow",
    "tf_keras": "tensorflow",
    "keras": "tensorflow",
    "tensorflow_model_optimization": "tensorflow",
    "ai_edge_litert": "tensorflow",
    "sklearn": "tensorflow",
    "PIL": "tensorflow",
    "scipy": "tensorflow",
    "tensorboard": "tensorflow",
    "xprof": "tensorflow",
    "keras_tuner": "tuner",
    "pytest": "pytest",
    "pytest_benchmark": "pytest",
    "onnxruntime": "onnx",
    "tf2onnx": "onnx",
    "onnx": "onnx",
    "openvino": "openvino",
    "nncf": "openvino",
    "mlperf_loadgen": "serve",
    "matplotlib": "plots",
    "pandas": "notebook",
    "pyarrow": "parquet",
    "altair": "interactive",
    "vl_convert": "interactive",
}
"""Name of the import → extra."""
OTHERS = {"tensorflow": ("tensorflow-cpu", "tf-nightly", "tf-nightly-cpu")}
"""Distributions that bring the same package as the one that is usual."""


def version(distribution: str) -> str | None:
    """Installed version of a distribution, or of one that takes its place; None: there is none."""
    for name in (distribution, *OTHERS.get(distribution, ())):
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return None


def lacking(package: str) -> str:
    """One line that says which package is missing and what to install.

    Args:
        package: Name of the import; of `a.b`, `a` counts.
    """
    name = package.partition(".")[0]
    extra = EXTRAS.get(name)
    if extra is None:
        return f"needs the package {name}: python -m pip install {name}"
    return (
        f"needs the package {name}: install the extra `{extra}` in tfbench's folder "
        f"(python -m pip install -c constraints.txt '.[{extra}]')"
    )
