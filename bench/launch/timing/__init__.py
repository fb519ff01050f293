"""What times: set-up, warm-up, turns and memory pages, with the standard library alone."""
