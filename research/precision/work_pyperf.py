"""The work as a pyperf script; run by `rivals`."""

import pyperf

from research.precision.work import step

if __name__ == "__main__":
    runner = pyperf.Runner()
    runner.bench_func("step", step())
