"""The ground floor: value types, errors, statistics and the run's folder. Imports nothing above."""
