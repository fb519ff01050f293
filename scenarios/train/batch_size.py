"""The plain training step at batch sizes from 8 to 512."""

from bench.results.errors import Unsupported
from scenarios.core import TrainingPath, Workload, scenario
from scenarios.core.training import compiled_path


@scenario(
    baseline="train/batch-b32",
    needs=("trainable",),
    suite="full",
    variants={
        "b8": {"batch": 8},
        "b16": {"batch": 16},
        "b32": {"batch": 32, "scenario": {"baseline": None}},
        "b64": {"batch": 64},
        "b128": {"batch": 128},
        "b256": {"batch": 256},
        "b512": {"batch": 512},
    },
)
def batch(workload: Workload, batch: int) -> TrainingPath:
    """The compiled step with a batch of another size; throughput is per example."""
    examples = len(workload.train)
    if batch > examples:
        raise Unsupported(f"needs {batch} training examples for one batch; there are {examples}")
    return compiled_path(
        workload, workload.model(), batch=batch, proof=lambda: {"examples_per_step": batch}
    )
