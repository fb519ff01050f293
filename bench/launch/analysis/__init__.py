"""What analyses, apart from timing: counting, replaying, ceilings, traces, storage."""
