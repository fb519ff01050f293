"""What runs in a user's own interpreter, beside their code: standard library, and pytest at most.

It is started from a copy under a name of its own (`bench.guard.sources.private`), so that users'
packages may be called `bench`, `reports` or `scenarios`.
"""
