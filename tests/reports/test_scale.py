import pytest

from reports.facts import scale


@pytest.mark.parametrize(
    ("factor", "arrows"),
    [
        (1.0, 0), (1.19, 0), (1.2, 1), (1.99, 1), (2.0, 2), (3.99, 2), (4.0, 3), (7.9, 3),
        (8.0, 4), (100.0, 4), (1 / 1.19, 0), (1 / 1.2, -1), (0.5, -2), (0.25, -3), (0.125, -4),
    ],
)  # fmt: skip
def test_an_edge_belongs_to_its_arrow(factor, arrows):
    assert scale.arrow_count(factor) == arrows


def test_a_ratio_that_is_four_up_to_rounding_is_four():
    assert scale.arrow_count(4 - 1e-12) == 3


@pytest.mark.parametrize("factor", [0.0, -1.0, float("inf"), float("nan")])
def test_what_is_no_factor_has_no_arrows(factor):
    with pytest.raises(ValueError, match="no arrows"):
        scale.arrow_count(factor)


def test_faster_points_up_and_smaller_points_down():
    assert scale.speed_arrows(2.5) == "↑↑"
    assert scale.size_arrows(2.5) == "↓↓"
    assert scale.speed_arrows(0.4) == "↓↓"
    assert scale.size_arrows(0.4) == "↑↑"
    assert scale.speed_arrows(1.0) == scale.size_arrows(1.0) == "-"


@pytest.mark.parametrize(
    ("delta_pp", "word"),
    [
        (1.0, "none"), (0.0, "none"), (-0.01, "tiny"), (-0.5, "tiny"), (-0.51, "small"),
        (-2.0, "small"), (-2.01, "large"),
    ],
)  # fmt: skip
def test_words_of_accuracy_loss_at_their_edges(delta_pp, word):
    assert scale.loss_word(delta_pp) == word


def test_the_legend_is_made_of_the_scale():
    for edge in scale.ARROW_FACTORS:
        assert f"from {edge:g}×" in scale.legend()
    assert f"up to {scale.TINY_PP:g} pp" in scale.legend()
