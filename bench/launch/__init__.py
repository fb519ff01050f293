"""What runs inside a launch, the child process: the only part of bench that imports TensorFlow."""
