"""What a person sees in the terminal, or in the log where there is none."""
