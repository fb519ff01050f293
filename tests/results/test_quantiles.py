"""Quantiles against SciPy's, and against 40 digits where SciPy's are less exact."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from bench.results.quantiles import beta, normal, normal_below, student, student_below

EXACT = 1e-10
SHARES = st.one_of(
    st.floats(1e-12, 0.49), st.floats(0.51, 0.9999), st.sampled_from([0.025, 0.95, 0.975, 0.995])
)
FREEDOMS = st.one_of(st.integers(1, 2000).map(float), st.floats(1, 1e4))
SIZES = st.one_of(st.integers(1, 20_000).map(float), st.floats(0.5, 1e4))


def same(found: float, right: float) -> None:
    assert found == pytest.approx(float(right), rel=EXACT, abs=0)


@settings(max_examples=400, deadline=None)
@given(FREEDOMS, SHARES)
def test_students_quantile_is_scipys_and_turns_back(freedom: float, share: float) -> None:
    found = student(freedom, share)
    same(found, special.stdtrit(freedom, share))
    same(student_below(freedom, found), share)


@settings(max_examples=400, deadline=None)
@given(FREEDOMS, st.floats(1e-3, 30), st.sampled_from([-1, 1]))
def test_students_share_below_is_scipys(freedom: float, value: float, sign: int) -> None:
    same(student_below(freedom, sign * value), special.stdtr(freedom, sign * value))


@settings(max_examples=400, deadline=None)
@given(SIZES, SIZES, SHARES)
def test_betas_quantile_is_scipys(a: float, b: float, share: float) -> None:
    same(beta(a, b, share), special.betaincinv(a, b, share))


@settings(max_examples=400, deadline=None)
@given(st.floats(-37, 8), st.floats(1e-300, 1 - 1e-16))
def test_the_normal_distribution_is_scipys(value: float, share: float) -> None:
    same(normal_below(value), special.ndtr(value))
    assert normal(share) == pytest.approx(float(special.ndtri(share)), rel=EXACT, abs=1e-15)


def test_the_whole_grid_is_scipys() -> None:
    for freedom in (*range(1, 40), 63, 127, 500, 999, 1e4, 1e5, 1e6):
        for share in np.geomspace(1e-12, 0.49, 25):
            same(student(float(freedom), float(share)), special.stdtrit(freedom, share))
    for a in np.geomspace(0.5, 1e4, 15):
        for b in np.geomspace(0.5, 1e4, 15):
            for share in (1e-4, 0.005, 0.025, 0.5, 0.975, 0.995):
                same(beta(float(a), float(b), share), special.betaincinv(a, b, share))


@pytest.mark.parametrize(
    ("found", "right"),
    [
        (student(1.5, 0.025), -6.0166631044279317),
        (student(7, 0.005), -3.4994832973504939),
        (student(23, 1e-9), -9.4984931954113613),
        (student(4, 0.4999999), -2.6666666667433879e-7),  # SciPy: 4e-4 off
        (student(1e5, 0.025), -1.9599877075346096),
        (student_below(791234.2618981326, -2.8942661247167516), 0.0019002814362689719),
        (student_below(1, -1e-6), 0.5 - math.atan(1e-6) / math.pi),  # SciPy: 3e-11 off
        (beta(981, 20, 0.025), 0.9704875983749022),
        (beta(9801, 200, 0.975), 0.98265346467338666),
        (beta(1000, 1e6, 0.995), 0.0010822053827229983),  # SciPy: 2e-8 off
        (beta(99001, 1000, 0.025), 0.98937419335574791),
        (beta(5e5, 5e5, 0.025), 0.49902001870387459),
    ],
)
def test_figures_are_right_to_fourteen_digits(found: float, right: float) -> None:
    """Right ones: densities integrated, and roots refined, with 40 digits (mpmath 1.4)."""
    assert found == pytest.approx(right, rel=1e-14, abs=0)


def test_ends_and_middles() -> None:
    assert (student(5, 0), student(5, 0.5), student(5, 1)) == (-math.inf, 0, math.inf)
    assert student_below(5, 0) == 0.5
    assert (beta(2, 3, 0), beta(2, 3, 1)) == (0, 1)
    assert student(5, 0.975) == -student(5, 1 - 0.975)


def test_what_is_no_distribution_has_no_quantile() -> None:
    for found in (
        student(0, 0.9), student(math.nan, 0.9), student(3, math.nan), student(3, 1.1),
        student_below(-1, 0.3), student_below(3, math.nan), beta(0, 1, 0.5), beta(1, -1, 0.5),
    ):  # fmt: skip
        assert math.isnan(found)
