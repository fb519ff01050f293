"""Sources of benchmarks: what is compared, and how both sides of it are launched.

A source gives subjects and their launcher (`bench.guard.comparison.launcher`); the rest of the
guard does not know where a benchmark comes from. There is one source: scenarios, in configurations.
"""
