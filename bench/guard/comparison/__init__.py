"""The comparison: probes, timed launches and exact figures of one subject become judgements."""
