"""The pytest plugin: effects measured inside tests."""
