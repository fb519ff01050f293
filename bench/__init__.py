"""Measures what TensorFlow optimization techniques do: launches, turns, effects and guards."""
