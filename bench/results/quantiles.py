"""Quantiles of distributions. SciPy is loaded with the first: a refusal must not wait for it."""

from __future__ import annotations


def student(freedom: float, share: float) -> float:
    """Of Student's t with so many degrees of freedom."""
    from scipy import special

    return float(special.stdtrit(freedom, share))


def normal(share: float) -> float:
    """Of the standard normal distribution."""
    from scipy import special

    return float(special.ndtri(share))


def beta(a: float, b: float, share: float) -> float:
    """Of the beta distribution."""
    from scipy import special

    return float(special.betaincinv(a, b, share))
