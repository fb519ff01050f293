"""What runs in the parent: discovery, settings, preloaded processes, groups and the schedule."""
