"""Comparing two versions of the code or of the environment, and the verdict.

`rule` (statistics alone) <- `comparison` (one subject on both sides, judged) <- `checkouts` (two
versions of the code and their environments), `sources` (what is compared: subjects and how they are
launched), `outputs`, `stored` (baselines from earlier runs) <- `loop` (spends the budget, bisects).
"""
