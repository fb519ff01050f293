"""The zoo: other people's models, each through the whole quick suite at the smoke profile."""
