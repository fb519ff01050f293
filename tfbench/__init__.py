"""What users import, and the command line."""
