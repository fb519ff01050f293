"""Training paths, one function a scenario."""
