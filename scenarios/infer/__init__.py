"""Inference, compression and deployment paths, one function a scenario."""
