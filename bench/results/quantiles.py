"""Student's t, the normal and the beta distribution: quantiles, and shares below a value.

One function carries them: the regularized incomplete beta function I(x; a, b), in logarithms so
that no tail underflows, and of the logit of x, along which it and its complement are log-concave
(the logit's density a·u - (a + b)·ln(1 + exp u) + const is). Newton's method on a quantile
therefore converges from any start.
"""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist

MOST_TERMS = 100_000
"""Of the continued fraction, which takes some √max(a, b) of them."""
MOST_STEPS = 200
CLOSE = 1e-11
"""Newton's last step: the error that it leaves is of the order of its square."""
ROUNDING = 4e-16
_TINY = 1e-300
"""Stands for a 0 below a fraction's bar."""
_STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156)
"""DLMF 5.11.1: their sum over z^(2k + 1) is off by less than 1e-16 from z = 10 on."""


@lru_cache(maxsize=4096)
def student(freedom: float, share: float) -> float:
    """Quantile of Student's t with so many degrees of freedom; NaN where there is none.

    P(|t| > T) = I(f / (f + T²); f/2, 1/2) (DLMF 8.17.6 and Abramowitz and Stegun 26.7.1).
    """
    if not (0 < freedom < math.inf and 0 <= share <= 1):
        return math.nan
    tail = min(share, 1 - share)
    if tail == 0:
        return math.copysign(math.inf, share - 0.5)
    if share == 0.5:
        return 0.0
    logit = _quantile(freedom / 2, 0.5, 2 * tail, 1 - 2 * tail)
    return math.copysign(math.sqrt(freedom) * math.exp(-logit / 2), share - 0.5)


def student_below(freedom: float, value: float) -> float:
    """P(t <= value) for Student's t with so many degrees of freedom; NaN where there is none."""
    if not (0 < freedom < math.inf) or math.isnan(value):
        return math.nan
    if value == 0:
        return 0.5
    logit = math.log(freedom) - 2 * math.log(abs(value))  # of f / (f + T²)
    outside, inside = _log_shares(freedom / 2, 0.5, logit)
    return math.exp(outside) / 2 if value < 0 else 0.5 + math.exp(inside) / 2


def normal(share: float) -> float:
    """Quantile of the standard normal distribution (Wichura's AS 241, to 16 digits)."""
    return NormalDist().inv_cdf(share)


def normal_below(value: float) -> float:
    """P(z <= value) for the standard normal distribution; DLMF 7.2.2, exact far below 0, too."""
    return math.erfc(-value / math.sqrt(2)) / 2


@lru_cache(maxsize=4096)
def beta(a: float, b: float, share: float) -> float:
    """Quantile of the beta distribution; NaN where there is none."""
    if not (0 < a < math.inf and 0 < b < math.inf and 0 <= share <= 1):
        return math.nan
    if share in (0, 1):
        return float(share)
    return math.exp(_log_logistic(_quantile(a, b, share, 1 - share)))


def _quantile(a: float, b: float, below: float, above: float) -> float:
    """Logit of the x whose I(x; a, b) is `below`; `above` is the rest of 1, exact where small."""
    logit, lower = math.log(a / b), below <= above
    wanted = math.log(below if lower else above)
    for _ in range(MOST_STEPS):
        shares = _log_shares(a, b, logit)
        have = shares[0] if lower else shares[1]
        slope = math.exp(_log_power(a, b, logit) - have)
        step = (wanted - have) / slope if lower else (have - wanted) / slope
        logit += step
        if abs(step) <= CLOSE:
            return logit
    raise ArithmeticError(f"no quantile of the beta distribution {a}, {b} at {below}")


def _log_shares(a: float, b: float, logit: float) -> tuple[float, float]:
    """Logs of I(x; a, b) and 1 - I(x; a, b); DLMF 8.17.4: 1 - I(x; a, b) = I(1 - x; b, a)."""
    x = math.exp(_log_logistic(logit))
    if x > (a + 1) / (a + b + 2):
        above = _log_incomplete(b, a, -logit)
        return _log_rest(above), above
    below = _log_incomplete(a, b, logit)
    return below, _log_rest(below)


def _log_incomplete(a: float, b: float, logit: float) -> float:
    """Log of I(x; a, b) for x up to (a + 1) / (a + b + 2), by a continued fraction.

    The even part of DLMF 8.17.22 (DiDonato and Morris 1992, Algorithm 708, BFRAC), in which the
    difference of n·x and a is not rounded, by Lentz's method as modified by Thompson and Barnett
    (1986).
    """
    x, y, gap = _sides(a, b, logit)
    d = 0.0
    fraction = c = a * (1 - gap) / (a + 1) or _TINY
    for m in range(1, MOST_TERMS):
        place = a + 2 * m
        over = m * (a + m - 1) * (a + b + m - 1) * (b - m) * (x / (place - 1)) ** 2
        under = m + m * (b - m) * x / (place - 1)
        under += (a + m) * (1 - gap + m * (1 + y)) / (place + 1)
        d = 1 / (under + over * d or _TINY)
        c = under + over / c or _TINY
        fraction *= c * d
        if abs(c * d - 1) < ROUNDING:
            return _log_power(a, b, logit) - math.log(fraction)
    raise ArithmeticError(f"I({x}; {a}, {b}) did not converge")


def _log_power(a: float, b: float, logit: float) -> float:
    """Log of x^a·(1 - x)^b / B(a, b), which is also the derivative of I along the logit.

    With Γ(z) = √(2π/z)·(z/e)^z·exp δ(z) the large powers cancel before they are rounded (Loader
    2000, Fast and accurate computation of binomial probabilities): what is left is
    √(ab / 2πn)·(xn/a)^a·((1 - x)n/b)^b·exp(δ(n) - δ(a) - δ(b)), with n = a + b.
    """
    n = a + b
    _, _, gap = _sides(a, b, logit)
    powers = a * _bent(gap / a, _log_logistic(logit), n / a)
    powers += b * _bent(-gap / b, _log_logistic(-logit), n / b)
    return powers + math.log(a * b / n / math.tau) / 2 + _rest(n) - _rest(a) - _rest(b)


def _sides(a: float, b: float, logit: float) -> tuple[float, float, float]:
    """The x of a logit, 1 - x, and n·x - a, which their rounding does not reach."""
    x, y = math.exp(_log_logistic(logit)), math.exp(_log_logistic(-logit))
    return x, y, x * b - y * a


def _bent(excess: float, log_x: float, scale: float) -> float:
    """ln(1 + e) - e, where 1 + e is also x·scale, which is the more exact far from 1."""
    log = math.log1p(excess) if abs(excess) < 0.5 else log_x + math.log(scale)
    return log - excess


def _rest(z: float) -> float:
    """δ(z): what Stirling's formula leaves of ln Γ(z)."""
    if z < 10:
        return math.lgamma(z) - (z - 0.5) * math.log(z) + z - math.log(math.tau) / 2
    return sum(term / z ** (2 * k + 1) for k, term in enumerate(_STIRLING))


def _log_logistic(logit: float) -> float:
    """Ln x of a logit; of its negative: ln(1 - x)."""
    return min(logit, 0.0) - math.log1p(math.exp(-abs(logit)))


def _log_rest(log: float) -> float:
    """ln(1 - exp log), without rounding what is close to 0 or 1."""
    return math.log(-math.expm1(log)) if log > -0.7 else math.log1p(-math.exp(log))
