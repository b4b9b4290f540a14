"""Batch rater consistency, against worked examples, scipy and statsmodels."""

from itertools import combinations, permutations

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import stats
from statsmodels.stats.multitest import multipletests

from photojury.analysis import batch_permutations
from photojury.analysis.consistency import adjusted, consistency
from photojury.errors import InputError

# A drawn batch with ties, ten images (rows) by five raters; expected values by scipy and 10^7 shuffles.
TIES = [
    [4, 4, 3, 4, 3], [3, 3, 5, 4, 4], [1, 3, 1, 2, 2], [3, 2, 4, 2, 2], [2, 2, 2, 3, 1],
    [3, 3, 3, 4, 4], [3, 4, 4, 4, 5], [3, 4, 4, 4, 5], [2, 2, 2, 2, 4], [3, 2, 2, 3, 2],
]  # fmt: skip

# Eight strawberry farms by four judges (influentialpoints.com): W 0.744, chi-square 20.83, p 0.004.
STRAWBERRIES = [
    [8, 7, 8, 8], [4, 3, 2, 3], [2, 1, 5, 4], [3, 4, 6, 2], [5, 5, 7, 5], [1, 2, 1, 1], [6, 6, 4, 6], [7, 8, 3, 7]
]  # fmt: skip

# Benjamini and Hochberg (1995), section 4.
BH_1995 = [
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528,
    0.7590, 1.0,
]  # fmt: skip


def long(images_by_raters: NDArray[np.float64] | list[list[int]], batch: str = "h") -> pd.DataFrame:
    """A ratings table of one batch; NaN is no rating."""
    rows = [
        (batch, f"r{rater}", f"i{image}", float(value))
        for image, line in enumerate(images_by_raters)
        for rater, value in enumerate(line)
        if not np.isnan(value)
    ]
    return pd.DataFrame(rows, columns=["hit_key", "rater_id", "image_id", "value"])


def test_the_worked_batch_with_ties() -> None:
    """Mean rho .579076, W .662363, F p 4.33e-6, Friedman p 4.73e-4, permutation p 8.7e-6."""
    row = consistency(long(TIES), seed=1).batches.iloc[0]
    assert row["mean_rho"] == pytest.approx(0.579076, abs=1e-6)
    assert row["w"] == pytest.approx(0.662363, abs=1e-6)
    assert row["p_kendall_f"] == pytest.approx(4.334415653152234e-06, rel=1e-6)
    assert row["p_friedman"] == pytest.approx(4.7327e-04, rel=1e-4)
    assert row["p"] <= 4e-5  # of 99,999 permutations, 0.87 are expected to be as large


def test_the_strawberry_judges() -> None:
    """Kendall's W .744048, mean Spearman .658730, Friedman p .004025, F p 8.7e-5."""
    row = consistency(long(STRAWBERRIES), seed=1).batches.iloc[0]
    assert (row["w"], row["mean_rho"]) == pytest.approx((0.744048, 0.658730), abs=1e-6)
    assert row["p_friedman"] == pytest.approx(0.004025, abs=1e-6)
    assert row["p_kendall_f"] == pytest.approx(8.712008e-05, rel=1e-5)


def test_correlations_equal_scipys() -> None:
    """Every pair's correlation is scipy's spearmanr, each rater's mean is over his pairs."""
    values = np.random.default_rng(5).integers(1, 6, (10, 5))
    found = consistency(long(values.tolist()), seed=1)
    expected = {
        (i, j): stats.spearmanr(values[:, i], values[:, j]).statistic for i, j in combinations(range(5), 2)
    }
    assert found.pairs["rho"].tolist() == pytest.approx(list(expected.values()))
    for number, row in enumerate(found.raters.to_dict("records")):
        own = [rho for pair, rho in expected.items() if number in pair]
        rest = [rho for pair, rho in expected.items() if number not in pair]
        assert (row["mean_rho"], row["rest_rho"]) == pytest.approx((np.mean(own), np.mean(rest)))


def test_p_is_exact() -> None:
    """For three raters and four images p equals the share of all (4!)^2 arrangements, ties included."""
    values = np.array([[1, 2, 2], [2, 2, 3], [3, 3, 1], [3, 3, 3]], dtype=float)

    def total(table: NDArray[np.float64]) -> float:
        return float(
            np.mean(
                [stats.spearmanr(table[:, i], table[:, j]).statistic for i, j in combinations(range(3), 2)]
            )
        )

    orders = [list(order) for order in permutations(range(4))]
    drawn = [
        total(np.column_stack([values[:, 0], values[one, 1], values[other, 2]]))
        for one in orders
        for other in orders
    ]
    exact = np.mean(np.array(drawn) >= total(values) - 1e-9)
    found = consistency(long(values), seed=2, permutations=40_000).batches["p"].iloc[0]
    assert found == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 40_000))


def test_the_test_holds_its_level() -> None:
    """Of 600 batches of raters without anything in common, about 5 % have p <= .05 (exact binomial test)."""
    generator = np.random.default_rng(8)
    table = pd.concat(long(generator.integers(1, 6, (10, 5)).tolist(), f"h{i:03d}") for i in range(600))
    found = consistency(table, seed=3, permutations=999)
    small = int((found.batches["p"] <= 0.05).sum())
    assert stats.binomtest(small, 600, 0.05).pvalue > 0.001
    assert found.share_significant() < 0.01
    summary = {row["measure"]: row["value"] for row in found.summary().to_dict("records")}
    assert abs(summary["pooled_z"]) < 3.5


def test_agreeing_batches_are_found_among_noise() -> None:
    """Ten batches of raters who see the same quality are all significant; of thirty of noise hardly one is."""
    generator = np.random.default_rng(9)
    batches = []
    for number in range(40):
        quality = generator.normal(size=(10, 1)) if number < 10 else np.zeros((10, 1))
        felt = quality + generator.normal(0, 0.35 if number < 10 else 1, (10, 5))
        batches.append(long(np.digitize(felt, [-1, -0.3, 0.3, 1]).tolist(), f"h{number:02d}"))
    found = consistency(pd.concat(batches), seed=1).batches.set_index("hit_key")["significant"]
    assert found[:10].all()
    assert found[10:].sum() <= 2


def test_a_straight_liner_counts_as_no_correlation() -> None:
    """Two agreeing raters and a constant one: mean rho is 1/3, and the constant one is named."""
    values = [[1, 1, 2], [2, 2, 2], [3, 3, 2], [4, 4, 2], [5, 5, 2]]
    found = consistency(long(values), seed=1)
    assert found.batches["mean_rho"].iloc[0] == pytest.approx(1 / 3)
    assert found.batches["straight_liners"].iloc[0] == 1
    assert found.raters["straight_liner"].tolist() == [False, False, True]
    assert found.raters["mean_rho"].tolist() == pytest.approx([0.5, 0.5, 0.0])


def test_gaps_are_compared_over_common_images() -> None:
    """With missing ratings each pair is scipy's correlation over the images that both rated; p stays a test."""
    values = np.array(TIES, dtype=float)
    values[0, 1] = values[3, 4] = np.nan
    found = consistency(long(values), seed=1)
    expected = []
    for i, j in combinations(range(5), 2):
        both = np.isfinite(values[:, i]) & np.isfinite(values[:, j])
        expected.append(stats.spearmanr(values[both, i], values[both, j]).statistic)
    row = found.batches.iloc[0]
    assert found.pairs["rho"].tolist() == pytest.approx(expected)
    assert row["mean_rho"] == pytest.approx(np.mean(expected))
    assert not row["complete"]
    assert np.isnan(row["w"])
    assert row["p"] == pytest.approx(1e-4, abs=2e-4)


def test_gaps_keep_the_level() -> None:
    """Noise with gaps: p is spread evenly (Kolmogorov-Smirnov on 150 batches)."""
    generator = np.random.default_rng(10)
    batches = []
    for number in range(150):
        values = generator.integers(1, 6, (10, 4)).astype(float)
        values[generator.integers(10), generator.integers(4)] = np.nan
        batches.append(long(values, f"h{number:03d}"))
    found = consistency(pd.concat(batches), seed=1, permutations=499).batches
    assert not found["complete"].any()
    assert stats.kstest(found["p"], "uniform").pvalue > 0.001


def test_what_cannot_be_tested_is_said() -> None:
    """One rater, or three images only: no p, a reason, and the other batches are tested all the same."""
    table = pd.concat(
        [long([[1], [2], [3], [4]], "alone"), long([[1, 1], [2, 2], [3, 3]], "few"), long(TIES)]
    )
    found = consistency(table, seed=1).batches.set_index("hit_key")
    assert found.loc[["alone", "few"], "p"].isna().all()
    assert (found.loc[["alone", "few"], "reason"] != "").all()
    assert found.loc["h", "significant"]
    assert not found.loc["alone", "significant"]


def test_without_permutations_p_is_kendalls() -> None:
    """With 0 permutations p is that of Kendall's F; a batch with gaps has none, and the reason is said."""
    gaps = np.array(TIES, dtype=float)
    gaps[0, 1] = np.nan
    table = pd.concat([long(TIES, "all"), long(gaps, "gaps"), long([[1], [2], [3], [4]], "one")])
    found = consistency(table, seed=1, permutations=0)
    batches = found.batches.set_index("hit_key")
    assert batches.loc["all", "p"] == pytest.approx(4.334415653152234e-06, rel=1e-6)
    assert batches.loc["all", "significant"]
    assert batches.loc[["gaps", "one"], "p"].isna().all()
    assert batches["reason"].str.contains("permutations").tolist() == [False, True, False]
    assert found.odd_raters().empty
    assert found.raters[["own_p", "rest_p"]].isna().all(axis=None)


def test_p_is_refined_where_few_are_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches at the floor of 199 permutations get 1,999, unless there are more of them than the limit."""
    table = pd.concat([long(TIES, "a"), long(TIES, "b")])
    assert (consistency(table, seed=1, permutations=199).batches["p"] == 1 / 2000).all()
    monkeypatch.setattr(batch_permutations, "REFINE_UP_TO", 1)
    assert (consistency(table, seed=1, permutations=199).batches["p"] == 1 / 200).all()


def test_ratings_of_no_batch_do_not_count() -> None:
    """Rows without a hit_key change nothing; where there are only such, that is said."""
    table = pd.concat([long(TIES), long(TIES, "loose").assign(hit_key=None)])
    found, alone = (consistency(rows, seed=1).batches for rows in (table, long(TIES)))
    pd.testing.assert_frame_equal(found, alone, check_dtype=False)
    with pytest.raises(InputError, match="no row has both a hit_key and a rater_id"):
        consistency(long(TIES).assign(hit_key=None), seed=1)


def test_adjusted_p_equals_statsmodels_and_the_published_example() -> None:
    """BH rejects 4 and BY 3 of the fifteen p values of 1995; both equal statsmodels' adjustment."""
    p = np.array(BH_1995)
    assert (adjusted(p) <= 0.05).sum() == 4
    assert (adjusted(p, "by") <= 0.05).sum() == 3
    assert adjusted(p).tolist() == pytest.approx(multipletests(p, method="fdr_bh")[1].tolist())
    assert adjusted(p, "by").tolist() == pytest.approx(multipletests(p, method="fdr_by")[1].tolist())
    assert np.isnan(adjusted(np.array([0.01, np.nan]))).tolist() == [False, True]


def test_the_seed_decides() -> None:
    """Same seed, same p; the order of the rows does not matter."""
    generator = np.random.default_rng(11)
    table = pd.concat(long(generator.integers(1, 6, (10, 5)).tolist(), f"h{i}") for i in range(5))
    one = consistency(table, seed=1, permutations=999).batches
    assert one.equals(consistency(table.sample(frac=1, random_state=0), seed=1, permutations=999).batches)
    assert not one.equals(consistency(table, seed=2, permutations=999).batches)


def test_bad_arguments_are_refused() -> None:
    """A missing column and an impossible alpha are named."""
    with pytest.raises(InputError, match="lacks the column hit_key"):
        consistency(long(TIES).drop(columns="hit_key"), seed=1)
    with pytest.raises(InputError, match="alpha"):
        consistency(long(TIES), seed=1, alpha=0)
