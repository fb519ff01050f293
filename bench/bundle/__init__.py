"""Bundles: a deployable form with a claim that can be measured again; written, and verified."""
