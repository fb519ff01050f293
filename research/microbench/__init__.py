"""pytest-benchmark on scenario steps and on the hot paths of the harness."""
