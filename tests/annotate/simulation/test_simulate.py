"""Simulated raters: what they answer follows from their taste; what they do is marked."""

import numpy as np
import pytest
from scipy import stats

from photojury.annotate.simulation.simulate import CARELESS, Rater, answer, panel
from photojury.datasets.streams import stream

CAREFUL = Rater("careful", bias=0, noise=0.4, seconds=2.5, left=0)


def page(kind: str, values: list[int], units: int) -> dict[str, object]:
    """The data of a page with units of one picture (stars) or two."""
    count = 1 if kind == "stars" else 2
    return {
        "kind": kind,
        "choices": [{"value": value} for value in values],
        "units": [
            {"unit": f"u{i}", "pictures": [f"/images/{count * i + j}.png" for j in range(count)]}
            for i in range(units)
        ],
    }


def qualities(images: int) -> dict[str, float]:
    return {str(i): float(q) for i, q in enumerate(stream(3, "quality").normal(size=images))}


def test_stars_follow_the_quality() -> None:
    """With noise 0.4 the stars of 3,000 pictures correlate with their quality, and the levels are even."""
    quality = qualities(3000)
    items = answer(page("stars", [1, 2, 3], 3000), CAREFUL, quality, stream(1, "test"))
    values = [item["value"] for item in items]
    truth = [quality[item["shown"][0]] for item in items]
    assert stats.spearmanr(values, truth).statistic > 0.8
    assert stats.chisquare(np.bincount(values)[1:]).pvalue > 0.001
    assert sorted(item["position"] for item in items) == list(range(3000))


@pytest.mark.parametrize(("kind", "values"), [("five_level", [2, 1, 0, -1, -2]), ("forced_choice", [1, -1])])
def test_pairs_follow_thurstone(kind: str, values: list[int]) -> None:
    """The share of choices of the better picture is Thurstone's: Phi(difference / (sqrt(2) noise))."""
    quality = {str(i): 0.5 if i % 2 == 0 else 0.0 for i in range(8000)}
    items = answer(page(kind, values, 4000), CAREFUL, quality, stream(1, "test"))
    toward = [item["value"] * (1 if quality[item["shown"][0]] > 0 else -1) for item in items]
    assert set(np.abs(toward)) <= {abs(value) for value in values}
    # A five-level tie hides the sign, so there only differences beyond the first cut point (0.3) count.
    cut = 0.3 if kind == "five_level" else 0.0
    wins = sum(value > 0 for value in toward)
    expected = stats.norm.sf(cut, 0.5, 0.4 * np.sqrt(2))
    assert stats.binomtest(wins, 4000, expected).pvalue > 0.001


def test_sides_are_drawn_by_lot() -> None:
    """Each picture of a pair is on the left half of the time, and a preference for the left shows."""
    quality = dict.fromkeys(map(str, range(8000)), 0.0)
    data = page("forced_choice", [1, -1], 4000)
    items = answer(data, CAREFUL, quality, stream(1, "test"))
    lefts = sum(int(item["shown"][0]) % 2 == 0 for item in items)
    assert stats.binomtest(lefts, 4000).pvalue > 0.001
    fond = Rater("fond", bias=0, noise=0.4, seconds=2.5, left=0.4)
    left_wins = sum(item["value"] == 1 for item in answer(data, fond, quality, stream(1, "test")))
    assert stats.binomtest(left_wins, 4000, stats.norm.cdf(0.4 / (0.4 * np.sqrt(2)))).pvalue > 0.001


@pytest.mark.parametrize("kind", CARELESS)
def test_careless_raters_do_not_look(kind: str) -> None:
    """Their answers are independent of the quality; only the fast ones come sooner than 400 ms."""
    careless = Rater("careless", bias=0, noise=0.4, seconds=2.5, left=0, careless=kind)
    quality = qualities(2000)
    items = answer(page("stars", [1, 2, 3], 2000), careless, quality, stream(1, "test"))
    truth = [quality[item["shown"][0]] for item in items]
    assert stats.spearmanr([item["value"] for item in items], truth).pvalue > 0.001
    assert (np.median([item["ms"] for item in items]) < 400) == (kind == "fast")


def test_one_button_or_any() -> None:
    """One-sided raters press left nine times of ten or more, straight ones a button of their own, others any."""
    data = page("forced_choice", [1, -1], 2000)
    quality = dict.fromkeys(map(str, range(4000)), 0.0)
    share = {}
    for kind in CARELESS:
        rater = Rater("one", bias=0, noise=0.4, seconds=2.5, left=0, careless=kind)
        values = [item["value"] for item in answer(data, rater, quality, stream(1, "test"))]
        share[kind] = values.count(1) / 2000
    # 0.9 + 0.1 / 2; three standard errors of 2,000 draws are 0.015; four of a half are 0.045.
    assert abs(share["side"] - 0.95) < 0.015
    assert abs(max(share["straight"], 1 - share["straight"]) - 0.95) < 0.015
    assert abs(share["random"] - 0.5) < 0.045 > abs(share["fast"] - 0.5)


def test_a_panel_is_seeded() -> None:
    """The same seed makes the same people; a fifth of twenty are careless, one of each kind."""
    assert panel(20, seed=1) == panel(20, seed=1) != panel(20, seed=2)
    assert [rater.careless for rater in panel(20, seed=1, careless=0.2)] == [""] * 16 + list(CARELESS)
