"""A deployed model under load, by MLPerf's load generator."""
