"""Deployed forms as files: written out of a path, and run from a bundle, each by its runtime."""
