"""Input pipelines, one function a scenario."""
