"""Sources of benchmarks: what is compared, and how both sides of it are launched.

A source (`source.py`) gives subjects and their launcher (`bench.guard.comparison.launcher`); the
rest of the guard does not know where a benchmark comes from. `scenarios` are launched from
preloaded processes (`launching`); `code`, a user's functions and suites, each in a process of its
own (`calling`), and `commands` as whole processes.
"""
