"""Comparing two versions of the code or of the environment, and the verdict."""
