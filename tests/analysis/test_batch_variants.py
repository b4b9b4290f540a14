"""The variants of the batch test against scipy, batch by batch; and who is the odd one in a batch that failed."""

from itertools import combinations, permutations

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import stats

from photojury.analysis import batch_variants
from photojury.analysis.batch_variants import VARIANTS
from photojury.analysis.concordance import concordance
from photojury.analysis.consistency import Consistency, consistency


def batches(values: NDArray[np.float64]) -> pd.DataFrame:
    """A ratings table from (batches, raters, images); NaN is not rated."""
    batch, rater, image = np.nonzero(np.isfinite(values))
    names = {"hit_key": [f"h{k:04d}" for k in batch], "rater_id": [f"r{k}" for k in rater]}
    return pd.DataFrame(
        {**names, "image_id": [f"i{k:02d}" for k in image], "value": values[batch, rater, image]}
    )


def drawn(
    *, agreeing: float, count: int, raters: int = 5, images: int = 10, seed: int = 1
) -> NDArray[np.float64]:
    """Ratings from 1 to 5 whose latent values correlate at `agreeing` between raters."""
    rng = np.random.default_rng(seed)
    common = np.sqrt(agreeing) * rng.normal(size=(count, 1, images))
    own = np.sqrt(1 - agreeing) * rng.normal(size=(count, raters, images))
    return np.asarray(1.0 + np.searchsorted([-1.2, -0.5, 0.5, 1.2], common + own), dtype=np.float64)


@pytest.fixture(scope="module")
def mixed() -> tuple[NDArray[np.float64], Consistency]:
    """Forty batches of weak agreement."""
    values = drawn(agreeing=0.25, count=40)
    return values, consistency(batches(values), seed=1, permutations=999)


def test_each_variant_is_scipy_s(mixed: tuple[NDArray[np.float64], Consistency]) -> None:
    """Fisher, Stouffer, smallest and mean p of scipy's one-sided pairs; both F and chi-square of scipy's Friedman."""
    values, found = mixed
    table = found.variants().set_index("hit_key")
    assert list(table) == ["permutation", *VARIANTS]
    for row, ratings in zip(table.to_dict("records"), values, strict=True):
        m, n = ratings.shape
        pairs = [stats.spearmanr(*pair, alternative="greater") for pair in combinations(ratings, 2)]
        p, rho = np.array([pair.pvalue for pair in pairs]), np.mean([pair.statistic for pair in pairs])
        chi2, chi2_p = stats.friedmanchisquare(*ratings.T)
        f = (m - 1) * chi2 / (m * (n - 1) - chi2)
        one = n - 1 - 2 / m
        expected = {
            "kendall_f": stats.f.sf(f, one, (m - 1) * one),
            "iman_davenport": stats.f.sf(f, n - 1, (m - 1) * (n - 1)),
            "friedman": chi2_p,
            "normal": stats.norm.sf(rho * np.sqrt((n - 1) * m * (m - 1) / 2)),
            "fisher": stats.combine_pvalues(p, "fisher").pvalue,
            "stouffer": stats.combine_pvalues(p, "stouffer").pvalue,
            "min_p_bonferroni": min(1.0, p.min() * p.size),
            "min_p": p.min(),
            "mean_p": p.mean(),
            "twice_mean_p": min(1.0, 2 * p.mean()),
        }
        assert {name: row[name] for name in expected} == pytest.approx(expected, rel=1e-8)


def test_the_summary_holds_every_variant(mixed: tuple[NDArray[np.float64], Consistency]) -> None:
    """One table: a share for each variant, by scipy's adjustment; centres, pooled z, Storey's share, straight lines."""
    values, found = mixed
    summary = found.summary().set_index("measure")
    p, value = found.variants(), summary["value"].to_dict()
    for name in VARIANTS:
        share = (stats.false_discovery_control(p[name]) <= 0.05).mean()
        assert value[f"significant_{name}"] == pytest.approx(share)
    assert value["median_rho"] == pytest.approx(np.median(found.batches["mean_rho"]))
    assert value["median_w"] == pytest.approx(np.median([concordance(ratings.T).w for ratings in values]))
    assert value["pooled_z"] == pytest.approx(found.batches["mean_rho"].mean() * np.sqrt(90 * 40))
    assert value["null_share"] == pytest.approx((found.batches["p"] > 0.5).mean() / 0.5)
    assert summary["n"].to_dict()["pair_share"] == 400
    assert summary["n"].to_dict()["straight_liners"] == 200


def test_noise_tells_the_variants_apart() -> None:
    """Of 2,000 batches of noise at .05: Kendall's F holds its level, Stouffer and the normal are too bold, the best pair
    passes some 40 % and the mean p none."""
    found = consistency(batches(drawn(agreeing=0.0, count=2000)), seed=1, permutations=999)
    share = (found.variants().drop(columns="hit_key") <= 0.05).mean().to_dict()
    assert share["kendall_f"] == pytest.approx(0.05, abs=0.015)
    assert 0.05 < share["stouffer"] < 0.09 and 0.05 < share["normal"] < 0.09
    assert 0.35 < share["min_p"] < 0.50
    assert share["mean_p"] == 0 and share["friedman"] < share["kendall_f"]


def test_own_p_is_exact() -> None:
    """Three raters, five images with ties: each rater's p equals the share of all 5! orders of his answers."""
    values = np.array([[1, 2, 2, 3, 5], [2, 1, 3, 3, 4], [3, 2, 1, 3, 2]], dtype=float)
    found = batch_variants.own_p(values[None], seed=1)[0]
    gaps = batch_variants.own_p_with_gaps(values, 4, seed=1)
    for rater in range(3):
        others = [values[other] for other in range(3) if other != rater]

        def total(
            order: tuple[int, ...], rater: int = rater, others: list[NDArray[np.float64]] = others
        ) -> float:
            own = values[rater][list(order)]
            return float(sum(stats.spearmanr(own, other).statistic for other in others))

        observed = total((0, 1, 2, 3, 4))
        exact = np.mean([total(order) >= observed - 1e-9 for order in permutations(range(5))])
        noise = 4 * np.sqrt(exact * (1 - exact) / 999) + 0.001
        assert found[rater] == pytest.approx(exact, abs=noise)
        assert gaps[rater] == pytest.approx(exact, abs=noise)


def test_the_rest_is_the_batch_without_him() -> None:
    """rest_p equals Kendall's F of the table without the rater; of two raters nobody is left."""
    values = drawn(agreeing=0.4, count=3)
    for ratings, row in zip(values, batch_variants.rest_p(values), strict=True):
        expected = [concordance(np.delete(ratings, rater, axis=0).T).f_p for rater in range(5)]
        assert row == pytest.approx(expected)
    assert np.isnan(batch_variants.rest_p(values[:, :2])).all()


def test_one_who_does_not_look_is_to_blame() -> None:
    """In batches of four who agree and one at random, failed ones name him four times in five; among pure noise hardly anybody is named."""
    values = drawn(agreeing=0.55, count=200, seed=2)
    values[:, 3] = np.random.default_rng(3).integers(1, 6, (200, 10))
    noise = drawn(agreeing=0.0, count=600, seed=4)
    found = consistency(batches(np.concatenate([values, noise])), seed=1, permutations=999)
    odd = found.odd_raters()
    failed = found.batches.loc[~found.batches["significant"], "hit_key"]
    assert odd["hit_key"].tolist() == sorted(failed)
    first = odd[odd["hit_key"] < "h0200"]
    blamed = first[first["to_blame"]]
    assert len(blamed) > 20 and (blamed["rater_id"] == "r3").mean() > 0.8
    assert odd.loc[odd["hit_key"] >= "h0200", "to_blame"].mean() < 0.06
    passed = found.raters["hit_key"].isin(found.batches.loc[found.batches["significant"], "hit_key"])
    assert found.raters["own_p"].isna().equals(passed)


def test_gaps_and_straight_lines_have_their_place() -> None:
    """A failed batch with a gap has own_p and no rest_p; a straight-liner agrees with nobody: p is 1."""
    values = drawn(agreeing=0.0, count=1, seed=5)
    values[0, 1] = 3
    whole = consistency(batches(values), seed=1, permutations=99).raters.set_index("rater_id")
    assert whole["own_p"].to_dict()["r1"] == 1
    values[0, 2, 0] = np.nan
    gap = consistency(batches(values), seed=1, permutations=99)
    assert gap.raters["own_p"].notna().all() and gap.raters["rest_p"].isna().all()
    assert not gap.odd_raters()["to_blame"].any()
    variants = gap.variants().iloc[0]
    assert np.isnan([variants["kendall_f"], variants["normal"]]).all() and 0 < variants["fisher"] < 1
