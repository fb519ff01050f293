"""The benchmark of the benchmark: how often tfbench and its rivals are right, on known effects."""
