"""One function a technique, each a full training, inference or input path on the shared core."""
