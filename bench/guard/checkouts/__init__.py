"""The two sides of a comparison: versions of the code, and the environments they run in."""
