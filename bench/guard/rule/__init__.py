"""The rule: limits, evidence of launches, and what it decides. Statistics alone."""
