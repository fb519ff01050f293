"""A comparison for people, pull requests and programs."""
