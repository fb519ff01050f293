"""Keras's own training loop, `fit`, and its switches."""

from bench.results.errors import NotEngaged
from scenarios.core import TrainingPath, Workload, scenario
from scenarios.core.training import compile_for_fit
from scenarios.train.tools.fit import fit_function, updates_of_a_call


def fitted(workload: Workload, proof, **compile_options) -> TrainingPath:
    """A path whose step is a call of `fit`: an epoch of the workload's batches, or less."""
    workload.plain_step_only("`fit` makes the step itself")
    model = workload.model()
    optimizer = workload.optimizer(model)
    compile_for_fit(workload, model, optimizer, workload.fit_loss(model), **compile_options)
    callbacks = workload.callbacks()
    dataset = workload.dataset()
    updates = updates_of_a_call(workload, model, compile_options.get("steps_per_execution", 1))

    def call():
        history = model.fit(dataset, steps_per_epoch=updates, verbose=0, callbacks=callbacks)
        return history.history["loss"][-1]

    def engaged():
        call()  # the graph is made by the first
        return proof(model)

    return TrainingPath(
        model,
        call,
        examples=updates * workload.batch_size,
        updates=updates,
        proof=engaged,
    )


@scenario(baseline="train/function", needs=("trainable",), follows="float32")
def fit(workload: Workload) -> TrainingPath:
    """Keras `fit`, a graph for each step."""

    def proof(model):
        return {"traces": fit_function(model).experimental_get_tracing_count()}

    # Keras 3 compiles by XLA unless told not to.
    return fitted(workload, proof, jit_compile=False)


@scenario(baseline="train/fit", needs=("trainable",), follows="float32", suite="full")
def fit_eager(workload: Workload) -> TrainingPath:
    """Keras `fit` run eagerly (run_eagerly=True), as for debugging."""

    def proof(model):
        if not model.run_eagerly:
            raise NotEngaged("fit does not run eagerly")
        return {"run_eagerly": True}

    return fitted(workload, proof, run_eagerly=True, jit_compile=False)


@scenario(baseline="train/fit", needs=("trainable",), follows="float32", suite="full")
def fit_steps_per_execution(workload: Workload) -> TrainingPath:
    """Keras `fit` with several steps in each call of its graph (steps_per_execution)."""

    def proof(model):
        graph = fit_function(model)._list_all_concrete_functions()[0].graph
        loops = [op.name for op in graph.get_operations() if "While" in op.type]
        if not loops:
            raise NotEngaged("the graph holds no loop over steps")
        return {"steps_per_execution": model.steps_per_execution, "loops": len(loops)}

    return fitted(workload, proof, steps_per_execution=10, jit_compile=False)


@scenario(baseline="train/fit", needs=("trainable",), follows="float32", suite="full")
def fit_xla(workload: Workload) -> TrainingPath:
    """Keras `fit` with its step compiled by XLA (jit_compile=True)."""
    workload.no_strings("XLA")
    return fitted(workload, compiled_in_fit, jit_compile=True)


def compiled_in_fit(model) -> dict[str, int]:
    """Proof that XLA compiles the step inside Keras 3's `fit`.

    Raises:
        NotEngaged: No function in the graph of `fit` must be compiled.
    """
    concrete = fit_function(model)._list_all_concrete_functions()
    must = [
        function.signature.name
        for each in concrete
        for function in each.graph.as_graph_def().library.function
        if function.attr["_XlaMustCompile"].b
    ]
    if not must:
        raise NotEngaged("fit's step is not compiled by XLA")
    return {"xla_functions": len(must), "traces": len(concrete)}
