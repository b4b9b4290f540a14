"""Ratings of real raters (OASIS), held against scipy, statsmodels and scikit-learn, and krippendorff and sureal if there."""

import contextlib
import io
from itertools import combinations
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import stats
from sklearn.metrics import cohen_kappa_score
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.inter_rater import fleiss_kappa
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import DescrStatsW

from photojury.analysis import agreement, raters, shapes
from photojury.analysis.concordance import concordance
from photojury.analysis.consistency import consistency
from photojury.analysis.distributions import image_distributions
from photojury.analysis.rater_agreement import against_mean
from photojury.analysis.scores.mos import mos
from photojury.analysis.scores.recovery import recover

LEVELS = range(1, 8)


def long(table: pd.DataFrame) -> pd.DataFrame:
    """A ratings table from images x raters; NaN is not rated."""
    image, rater = np.nonzero(table.notna().to_numpy())
    ids = {"image_id": table.index[image], "rater_id": table.columns[rater]}
    return pd.DataFrame({**ids, "value": table.to_numpy(dtype=float)[image, rater]})


def batches(sets: list[pd.DataFrame], count: int) -> pd.DataFrame:
    """Ratings in batches of five raters and ten images, as paper 4 asks them; `count` of each set."""
    rows = []
    for number, table in enumerate(sets):
        for batch in range(count):
            # Neighbouring people, images from the whole set.
            people, step = table.columns[5 * batch : 5 * batch + 5], len(table) // 10
            images = table.index[batch % step :: step][:10]
            rows.append(long(table.loc[images, people]).assign(hit_key=f"set{number}-{batch:03d}"))
    return pd.concat(rows, ignore_index=True)


def test_distributions_are_numpy_s(oasis: pd.DataFrame) -> None:
    """All 900 photographs: counts, mean, median, both deviations, mean absolute deviation, entropy."""
    found = image_distributions(oasis, levels=LEVELS).set_index("image_id")
    values = oasis.groupby("image_id")["value"]
    expected = pd.DataFrame(
        {
            "n": values.size(),
            "mean": values.mean(),
            "median": values.median(),
            "sd": values.std(ddof=0),
            "sd1": values.std(ddof=1),
        }
    )
    pd.testing.assert_frame_equal(found[list(expected)], expected, check_dtype=False, rtol=1e-9)
    assert found["n"].min() == 104 and found["n"].sum() == 170_325
    apart = (oasis["value"] - values.transform("mean")).abs().groupby(oasis["image_id"]).mean()
    assert found["mad"].to_numpy() == pytest.approx(apart.to_numpy(), abs=1e-9)
    counts = found[[f"count_{level}" for level in LEVELS]].to_numpy()
    assert found["entropy"].to_numpy() == pytest.approx(stats.entropy(counts, axis=1), abs=1e-9)


def test_shapes_are_scipy_s(oasis: pd.DataFrame) -> None:
    """SOS by least squares, the normal fit's moments and distance, and Sarle's coefficient of every photograph."""
    table = image_distributions(oasis, levels=LEVELS)
    sos = shapes.sos(table, scale=(1, 7))
    curve = (table["mean"] - 1) * (7 - table["mean"])
    peer = OLS(table["sd1"] ** 2, curve).fit()
    assert (sos.a, sos.r_squared) == pytest.approx((peer.params.iloc[0], peer.rsquared), abs=1e-9)
    fit = shapes.normal_fit(table)
    mean, sd = table["mean"].mean(), table["mean"].std()
    assert fit.distance == pytest.approx(
        stats.kstest(table["mean"], stats.norm(mean, sd).cdf).statistic, abs=1e-9
    )
    assert (fit.skewness, fit.excess_kurtosis) == pytest.approx(
        (table["mean"].skew(), table["mean"].kurt()), abs=1e-9
    )
    found = shapes.bimodality(table)["bimodality"].to_numpy()
    grouped = oasis.groupby("image_id")["value"]
    skew, kurt, n = grouped.skew(), grouped.apply(pd.Series.kurt), grouped.size()
    sarle = (skew**2 + 1) / (kurt + 3 * (n - 1) ** 2 / ((n - 2) * (n - 3)))
    assert found == pytest.approx(sarle.to_numpy(), abs=1e-9, nan_ok=True)
    assert np.isnan(found).sum() == 1  # the one photograph to which all 104 people gave 1


def test_mean_opinion_scores_and_their_intervals(oasis: pd.DataFrame) -> None:
    """Errors and t intervals are statsmodels', Hossfeld's binomial ones its Clopper-Pearson, the bootstrap's scipy's."""
    t = mos(oasis, interval="t").set_index("image_id")
    binomial = mos(oasis, scale=(1, 7), interval="sos-binomial").set_index("image_id")
    groups = oasis.groupby("image_id")["value"]
    ends = np.array([DescrStatsW(values).tconfint_mean() for _, values in groups])
    assert t["standard_error"].to_numpy() == pytest.approx(groups.sem().to_numpy(), abs=1e-9)
    assert t[["low", "high"]].to_numpy() == pytest.approx(ends, abs=1e-9)
    low, high = proportion_confint(groups.sum() - groups.size(), 6 * groups.size(), method="beta")
    assert binomial["low"].to_numpy() == pytest.approx((1 + 6 * low).to_numpy(), abs=1e-9)
    assert binomial["high"].to_numpy() == pytest.approx((1 + 6 * high).to_numpy(), abs=1e-9)
    few = oasis[oasis["image_id"] < "i004"]
    drawn = mos(few, interval="bootstrap", seed=1)
    for row, (_, values) in zip(drawn.to_dict("records"), few.groupby("image_id")["value"], strict=True):
        peer = stats.bootstrap(
            (values,), np.mean, n_resamples=2000, method="percentile", rng=1
        ).confidence_interval
        assert (row["low"], row["high"]) == pytest.approx(
            (peer.low, peer.high), abs=0.1 * (peer.high - peer.low)
        )


def test_agreement_of_unequal_numbers_of_raters(oasis: pd.DataFrame) -> None:
    """ICC(1) from scipy's analysis of variance and Searle's k; split halves give Spearman and Brown's step of it."""
    found = agreement.icc(oasis)
    values = [group.to_numpy() for _, group in oasis.groupby("image_id")["value"]]
    f = stats.f_oneway(*values).statistic
    n = np.array([group.size for group in values])
    k = (n.sum() - (n**2).sum() / n.sum()) / (n.size - 1)
    assert found.k == pytest.approx(k)
    assert found.single == pytest.approx((f - 1) / (f - 1 + k), abs=1e-9)
    assert found.average == pytest.approx(1 - 1 / f, abs=1e-9)
    assert found.low < found.single < found.high
    halves = agreement.split_half(oasis, seed=1, splits=10)
    harmonic = n.size / (1 / n).sum()
    assert halves.value == pytest.approx(agreement.stepped(found.single, times=harmonic), abs=0.003)
    assert halves.low < halves.value < halves.high


def test_kappas_of_complete_tables(oasis_sets: list[pd.DataFrame]) -> None:
    """Fleiss' kappa of 225 photographs and 104 raters is statsmodels'; Cohen's of two people's ratings scikit-learn's."""
    table = oasis_sets[-1]
    assert table.shape == (225, 104)
    counts = np.stack([(table == level).sum(axis=1) for level in LEVELS], axis=1)
    assert agreement.fleiss_kappa(long(table), seed=1).value == pytest.approx(fleiss_kappa(counts), abs=1e-9)
    for one, other in combinations(table.columns[:4], 2):
        for weights in ("none", "linear", "quadratic"):
            ours = agreement.cohen_kappa(table[one], table[other], weights, seed=1).value
            peer = cohen_kappa_score(table[one], table[other], weights=None if weights == "none" else weights)
            assert ours == pytest.approx(peer, abs=1e-9)


@pytest.mark.parametrize("scale", agreement.SCALES)
def test_alpha_is_the_package_s(oasis: pd.DataFrame, scale: agreement.Scale) -> None:
    """Krippendorff's alpha of all 170,325 ratings, on four scales."""
    package = pytest.importorskip(
        "krippendorff", reason="krippendorff is not installed; it is a peer to compare with, under the GPL"
    )
    table, levels = agreement.counts(oasis)
    expected = package.alpha(value_counts=table, value_domain=levels.tolist(), level_of_measurement=scale)
    assert agreement.alpha_of_counts(table, levels, scale) == pytest.approx(expected, abs=1e-9)


def test_concordance_of_all_raters_of_a_set(oasis_sets: list[pd.DataFrame]) -> None:
    """368, 145, 140 and 104 raters of 225 photographs: Friedman's test is scipy's, W follows from it."""
    for table in oasis_sets:
        found = concordance(table)
        chi2, p = stats.friedmanchisquare(*table.to_numpy())
        n, m = table.shape
        assert (found.chi2, found.chi2_p) == pytest.approx((chi2, p), rel=1e-9)
        assert found.w == pytest.approx(chi2 / (m * (n - 1)), rel=1e-9)
        ranks = stats.rankdata(table, axis=0)
        varied = np.ptp(ranks, axis=0) > 0  # a straight-liner agrees with nobody: his correlations are 0
        rho = np.corrcoef(ranks[:, varied].T)
        expected = (rho.sum() - varied.sum()) / (m * (m - 1))
        assert found.mean_rho == pytest.approx(expected, rel=1e-9)


def test_batches_are_scipy_s(oasis_sets: list[pd.DataFrame]) -> None:
    """Eighty batches of ten photographs and five raters: correlations, W's two tests, permutation p, adjusted p."""
    ratings = batches(oasis_sets, 20)
    found = consistency(ratings, seed=1, permutations=1999)
    for row, (_, batch) in zip(found.batches.to_dict("records"), ratings.groupby("hit_key"), strict=True):
        values = batch.pivot(index="rater_id", columns="image_id", values="value").to_numpy()
        rho = [
            stats.spearmanr(*pair).statistic for pair in combinations(values, 2) if np.ptp(pair, axis=1).all()
        ]
        assert row["mean_rho"] == pytest.approx(np.sum(rho) / 10, abs=1e-9)
        chi2, p = stats.friedmanchisquare(*values.T)
        assert row["p_friedman"] == pytest.approx(p, rel=1e-9)
        assert row["w"] == pytest.approx(chi2 / 45, abs=1e-9)
    adjusted = stats.false_discovery_control(found.batches["p"])
    assert found.batches["p_adjusted"].to_numpy() == pytest.approx(adjusted)
    middle = found.batches[found.batches["p"].between(0.01, 0.6)].head(1)
    for key, p in zip(middle["hit_key"], middle["p"], strict=True):
        values = (
            ratings[ratings["hit_key"] == key]
            .pivot(index="rater_id", columns="image_id", values="value")
            .to_numpy()
        )
        peer = stats.permutation_test(
            list(values),
            mean_rho,
            permutation_type="pairings",
            n_resamples=999,
            alternative="greater",
            rng=1,
        ).pvalue
        assert p == pytest.approx(peer, abs=4 * np.sqrt(1.5 * peer * (1 - peer) / 1000))


def mean_rho(*values: NDArray[np.float64]) -> float:
    """The statistic of a batch, by scipy."""
    rho = np.atleast_2d(stats.spearmanr(np.array(values), axis=1).statistic)
    return float(rho[np.triu_indices(len(values), 1)].mean())


def test_every_rater_against_the_mean(oasis: pd.DataFrame) -> None:
    """757 raters: both correlations are scipy's; without the own vote they are lower, by little among so many raters."""
    found = against_mean(oasis).raters.set_index("rater_id")
    groups = oasis.groupby("image_id")["value"]
    total, n = groups.transform("sum"), groups.transform("size")
    table = oasis.assign(mean=total / n, others=(total - oasis["value"]) / (n - 1))
    for column, name in (("mean", "with_own"), ("others", "without_own")):
        peers = {
            rater: stats.spearmanr(rows["value"], rows[column]).statistic
            for rater, rows in table.groupby("rater_id")
            if rows["value"].nunique() > 1
        }
        ours = found[name].dropna()
        assert ours.index.tolist() == list(peers)
        assert ours.to_numpy() == pytest.approx(list(peers.values()), abs=1e-9)
    gap = found["with_own"] - found["without_own"]
    assert (gap.dropna() > 0).mean() > 0.99 and gap.mean() < 0.01


def test_the_panel_of_757_raters(oasis: pd.DataFrame) -> None:
    """Entropy, modal share and longest run of each are those of plain loops over his ratings."""
    table = raters.panel(oasis).set_index("rater_id")
    assert (table["n"] == 225).all() and len(table) == 757
    for rater, rows in list(oasis.groupby("rater_id"))[::25]:
        values = rows["value"].tolist()
        counts = rows["value"].value_counts()
        run = longest = 0
        for before, value in zip([None, *values], values, strict=False):
            run = run + 1 if value == before else 1
            longest = max(longest, run)
        row = table.loc[rater]
        assert row["entropy"] == pytest.approx(stats.entropy(counts), abs=1e-9)
        assert (row["modal_share"], row["longest_run"]) == (counts.max() / 225, longest)


def test_people_asked_twice(shared: Path) -> None:
    """59 people, 45 photographs each, twice: how often they repeat themselves, and kappas of the two times."""
    data = pd.read_csv(shared / "data/oasis_beauty/repeated_measures_long.csv").dropna()
    twice = data.pivot(index=["subjID", "item"], columns="repetition", values="beauty")
    assert len(twice) == 2655 and twice.notna().all().all()
    ratings = data.assign(
        assignment_id=data["subjID"].astype(str),
        rater_id=data["subjID"].astype(str),
        unit_id=data["item"].astype(str) + np.where(data["repetition"] == 2, "again", ""),
        value=data["beauty"],
    )
    items = data["item"].astype(str).unique()
    units = pd.DataFrame({"unit_id": [*items, *(f"{item}again" for item in items)]})
    units["repeat_of"] = [None] * items.size + list(items)
    found = raters.repeats(ratings, units).set_index("rater_id")
    change = (twice[2] - twice[1]).abs().groupby("subjID")
    expected = pd.DataFrame({"same": change.apply(lambda x: (x == 0).mean()), "mean_change": change.mean()})
    expected.index = expected.index.astype(str)
    expected = expected.sort_index()
    assert (found["repeats"] == 45).all()
    assert found[["same", "mean_change"]].to_numpy() == pytest.approx(expected.to_numpy())
    for weights in ("none", "linear", "quadratic"):
        peer = cohen_kappa_score(twice[1], twice[2], weights=None if weights == "none" else weights)
        assert agreement.cohen_kappa(twice[1], twice[2], weights, seed=1).value == pytest.approx(
            peer, abs=1e-9
        )


SUREAL = {
    "p910-standard": "SubjectMLEModelProjectionSolver2",
    "p913": "BiasremvMosModel",
    "bt500": "SubjrejMosModel",
    "p913-bt500": "BiasremvSubjrejMosModel",
    "z-score": "ZscoringMosModel",
}


@pytest.mark.parametrize("method", SUREAL)
@pytest.mark.filterwarnings("ignore::RuntimeWarning:sureal", "ignore:Precision loss:RuntimeWarning")
def test_recovery_is_sureal_s(
    shared: Path, oasis: pd.DataFrame, oasis_sets: list[pd.DataFrame], method: str
) -> None:
    """Scores, errors, biases, inconsistencies and who is left out: on ITU's sample, and on photographs of OASIS."""
    sureal = pytest.importorskip(
        "sureal.subjective_model", reason="sureal is not installed; it is a peer to compare with"
    )
    reader = pytest.importorskip("sureal.dataset_reader")
    sample = pd.read_csv(shared / "data/stats/itut_p910_sample_79x26.csv", header=None)
    sample = sample.rename(index="i{:03d}".format, columns="r{:03d}".format)
    panel = oasis_sets[-1]
    if method == "z-score":  # who says one thing only has none; sureal's are NaN, and with them every score
        panel = panel.loc[:, np.ptp(panel, axis=0) > 0]
    if method == "bt500":  # where all say the same, sureal counts each of them as far above and far below
        panel = panel[np.ptp(panel, axis=1) > 0]
    tables = [sample, panel]
    if method in (
        "p910-standard",
        "p913",
    ):  # with three of four ratings missing: all 757 people, 80 photographs
        few = oasis[oasis["image_id"] <= "i080"]
        tables.append(few.pivot(index="image_id", columns="rater_id", values="value"))
    for table in tables:
        videos = [
            {"content_id": 0, "asset_id": k, "os": list(row), "path": ""}
            for k, row in enumerate(table.to_numpy())
        ]
        dataset = SimpleNamespace(ref_videos=[{"content_id": 0, "path": ""}], dis_videos=videos)
        with contextlib.redirect_stdout(io.StringIO()):
            peer = getattr(sureal, SUREAL[method])(reader.RawDatasetReader(dataset)).run_modeling()
        found = recover(long(table), method)
        score, error = np.array(peer["quality_scores"]), np.array(peer["quality_scores_std"])
        if method == "z-score":  # ours is put back on the ratings' scale
            spread = long(table)["value"].std()
            score, error = np.nanmean(table) + spread * score, spread * error
        assert found.scores["score"].to_numpy() == pytest.approx(score, abs=1e-7)
        assert found.scores["standard_error"].to_numpy() == pytest.approx(error, abs=1e-7)
        if "observer_bias" in peer:
            assert found.raters["bias"].to_numpy() == pytest.approx(peer["observer_bias"], abs=1e-7)
        if "observer_inconsistency" in peer:
            inconsistency = found.raters["inconsistency"].to_numpy()
            assert inconsistency == pytest.approx(peer["observer_inconsistency"], abs=1e-7)
        if "observer_rejected" in peer:
            assert (~found.raters["used"]).tolist() == peer["observer_rejected"]
