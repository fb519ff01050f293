"""The preloaded process: imports TensorFlow once, initialises nothing, and forks launches.

A fork of it costs some 0.02 s, a new interpreter with TensorFlow 5 to 13 s. Run as
`python -m bench.launch.preload FD FACTORY`, FD being one end of a socket pair to the sweep, FACTORY
the name of what makes workloads.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import sys
import tempfile
from typing import Any, NoReturn

from bench.results import extras, loading

MESSAGE_BYTES = 1 << 20
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Sent to all processes of a run at once; this one ends with the sweep, and tidies up."""
PREFIX = "tfbench-launches-"
"""Of the folder that holds the launches' temporary files, and ends with this process."""


def main(fd: int, factory: str = "") -> None:
    """Import, then fork a launch for every request until the sweep closes its end."""
    control = socket.socket(fileno=fd)  # its end is how this process learns that the sweep is gone
    try:
        versions = preload(factory)
    except ModuleNotFoundError as error:
        reason = f"{sys.executable} {extras.lacking(error.name or str(error))}"
        control.send(json.dumps({"error": reason}).encode())
        return
    except ImportError as error:
        control.send(json.dumps({"error": f"cannot import TensorFlow: {error}"}).encode())
        return
    gc.collect()
    gc.freeze()  # or each child's first collection would copy every page
    control.send(json.dumps({"ready": versions}).encode())
    with tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True) as folder:
        os.environ["TMPDIR"] = tempfile.tempdir = folder  # launches are killed, and leave theirs
        serve(control)


def serve(control: socket.socket) -> None:
    """Fork launches and wait for them, as asked."""
    before = {each: signal.signal(each, signal.SIG_IGN) for each in ENDING}
    while True:
        data, fds, _, _ = socket.recv_fds(control, MESSAGE_BYTES, 2)
        if not data:
            return
        request = json.loads(data)
        if "wait" in request:
            _, status = os.waitpid(request["wait"], 0)
            control.send(json.dumps({"status": os.waitstatus_to_exitcode(status)}).encode())
            continue
        read_data(request)
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            for each, handler in before.items():
                signal.signal(each, handler)
            launch(request, parent, control, *fds)
        for fd in fds:
            os.close(fd)
        control.send(json.dumps({"pid": pid}).encode())


def preload(factory: str) -> dict[str, str]:
    """Import what launches need; nothing here may initialise TensorFlow's runtime."""
    import keras
    import tensorflow as tf

    _ = tf.keras.layers  # tf.keras is loaded lazily, tf_keras under TF_USE_LEGACY_KERAS
    from bench.launch import worker, workloads  # noqa: F401

    if factory:
        workloads.factory(factory)
    loading.find_users()
    return {
        "tensorflow": tf.__version__,
        "keras": keras_version(),
        "keras_package": keras.__version__,
        "python": sys.version.split()[0],
    }


def keras_version() -> str:
    """Version of the Keras behind `tf.keras`; tf_keras has none where TensorFlow mounts it."""
    if os.environ.get("TF_USE_LEGACY_KERAS") == "1":
        import tf_keras

        return str(tf_keras.__version__)
    import keras

    return str(keras.__version__)


def read_data(request: dict[str, Any]) -> None:
    """Read the request's data once for all launches: it costs each about a second."""
    from bench.launch import workloads
    from bench.results.as_json import from_json
    from bench.results.values import WorkloadSpec

    spec = from_json(WorkloadSpec, request["workload"])
    workloads.factory(spec.workloads).read(spec)


def launch(
    request: dict[str, Any], parent: int, control: socket.socket, channel: int, log: int
) -> NoReturn:
    """Be the launch: answer the sweep's messages on `channel`, print to `log`."""
    control.close()
    from bench.launch.timing.launch import be
    from bench.launch.worker import LaunchProcess

    be(lambda: LaunchProcess(request), channel, log, parent)


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
