"""Every known answer of the shared table of worked examples, to the digits that it gives.

`CHECKS` names one function for each entry of ../shared/data/stats/expected.json; a new entry without one fails.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats import inter_rater

from photojury.analysis import agreement
from photojury.analysis.concordance import concordance, icc_two_way
from photojury.analysis.consistency import adjusted, consistency
from photojury.analysis.forced_choice import agreement_by_distance
from photojury.analysis.rater_agreement import pair_correlation
from photojury.analysis.scores import dawid_skene, paired
from photojury.analysis.scores.mos import mos
from photojury.analysis.scores.recovery import recover

Known = dict[str, Any]

NOT_REACHABLE = {"crowdkit_joss_tables": "accuracies on data sets that are not in the shared folder"}


def long(values: np.ndarray, batch: str = "h") -> pd.DataFrame:
    """A ratings table from an images x raters matrix; NaN is not rated."""
    image, rater = np.nonzero(~np.isnan(values))
    ids = {"image_id": [f"i{k:03d}" for k in image], "rater_id": [f"r{k:02d}" for k in rater]}
    return pd.DataFrame({**ids, "value": values[image, rater]}).assign(hit_key=batch)


def counted(rows: list[tuple[str, str, float, int]]) -> pd.DataFrame:
    """A comparisons table from (first, second, value, count)."""
    every = [row[:3] for row in rows for _ in range(row[3])]
    return pd.DataFrame(every, columns=["first_id", "second_id", "value"])


def same(found: object, expected: object, digits: int) -> None:
    """Numbers, or lists of them, equal to so many decimals."""
    assert np.asarray(found, dtype=float) == pytest.approx(np.asarray(expected), abs=0.5001 * 10**-digits)


def benjamini_hochberg(known: Known, _: Path) -> None:
    """Fifteen p values of 1995: what three procedures reject, and the adjusted p."""
    p, q = np.array(known["p"]), known["q"]
    assert int((adjusted(p) <= q).sum()) == known["bh_rejects"]
    assert int((adjusted(p, "by") <= q).sum()) == known["by_rejects"]
    assert int((p * p.size <= q).sum()) == known["bonferroni_rejects"]
    same(adjusted(p), known["bh_adjusted"], 6)
    same(adjusted(p, "by"), known["by_adjusted"], 6)
    # Where nothing is cut at 1 or made monotone, BY is BH times the harmonic number.
    assert adjusted(p, "by")[0] / adjusted(p)[0] == pytest.approx(known["harmonic_15"], rel=1e-9)


def krippendorff(known: Known, _: Path) -> None:
    """Three coders, fifteen units with gaps, on four scales."""
    values = np.array(known["data"], dtype=float).T  # None becomes NaN
    for scale in agreement.SCALES:
        found = agreement.alpha(long(values), scale, seed=1)
        same(found.value, known["alpha"][scale], 6)
        assert found.low < found.value < found.high


def fleiss(known: Known, _: Path) -> None:
    """Kappa of a table of counts, and of the same ratings in long form."""
    table = np.array(known["counts_table"])
    same(agreement.fleiss_of_counts(table), known["fleiss_kappa"], 6)
    assert agreement.fleiss_of_counts(table) == pytest.approx(inter_rater.fleiss_kappa(table), abs=1e-12)
    if "published" in known:
        same(agreement.fleiss_of_counts(table), known["published"], 2)
    levels = np.array([np.repeat(np.arange(table.shape[1]), row) for row in table], dtype=float)
    same(agreement.fleiss_kappa(long(levels), seed=1).value, known["fleiss_kappa"], 6)


def shrout_fleiss(known: Known, _: Path) -> None:
    """Six targets, four judges: all six coefficients, and the paper's two digits."""
    values = np.array(known["targets_by_judges"])
    one, two = agreement.icc(long(values)), icc_two_way(values)
    found = {
        "ICC1_1": one.single,
        "ICC1_k": one.average,
        "ICC2_1": two.agreement,
        "ICC2_k": two.agreement_average,
        "ICC3_1": two.consistency,
        "ICC3_k": two.consistency_average,
    }
    assert found.keys() == known["icc"].keys()
    for name, value in found.items():
        same(value, known["icc"][name], 4)
        same(value, known["published"][name], 2)


def strawberries(known: Known, _: Path) -> None:
    """Eight farms, four judges: Kendall's W with both tests, as one table and as one batch."""
    values = np.array(known["items_by_raters"])
    found = concordance(values)
    row = consistency(long(values), seed=1).batches.iloc[0]
    for w, rho in ((found.w, found.mean_rho), (row["w"], row["mean_rho"])):
        same(w, known["W"], 6)
        same(rho, known["mean_spearman"], 6)
    same((found.raters * found.w - 1) / (found.raters - 1), known["identity_check"], 6)
    same(found.chi2, known["friedman_chi2"], 6)
    same([found.chi2_p, row["p_friedman"]], [known["friedman_p"]] * 2, 6)
    same(found.f, known["kendall_F"], 5)
    same(found.f_df, known["kendall_F_df"], 9)
    assert [found.f_p, row["p_kendall_f"]] == pytest.approx([known["kendall_F_p"]] * 2, rel=1e-9)


def rounding_times(known: Known, _: Path) -> None:
    """Twenty-two players, three ways of rounding first base: Friedman's chi-square."""
    found = concordance(np.array(known["blocks_by_treatments"]).T)
    same(found.chi2, known["chi2"], 4)
    same(found.chi2_p, known["p"], 6)


def batch_with_ties(known: Known, _: Path) -> None:
    """Ten images, five raters, 1 to 5 stars: every pair, W, both tests, and the permutation p."""
    values = np.array(known["items_by_raters"], dtype=float)
    found, table = consistency(long(values), seed=1), concordance(values)
    row = found.batches.iloc[0]
    same(found.pairs["rho"], known["pairwise_spearman"], 6)
    same([row["mean_rho"], table.mean_rho], [known["mean_rho"]] * 2, 6)
    same([row["w"], table.w], [known["W_tie_corrected"]] * 2, 6)
    same(table.chi2, known["friedman_chi2"], 6)
    same(table.f, known["kendall_F"], 5)
    assert [row["p_friedman"], table.chi2_p] == pytest.approx([known["friedman_p"]] * 2, rel=1e-9)
    assert [row["p_kendall_f"], table.f_p] == pytest.approx([known["kendall_F_p"]] * 2, rel=1e-9)
    # 99,999 shuffles against a million: of ours one is expected to be as large, four is Poisson's 98 % point.
    assert 1 / 100_000 <= row["p"] <= 5 * known["perm_p_mean_rho_1e6"]


def p910(known: Known, folder: Path) -> None:
    """The reference code's scores, errors, biases and inconsistencies on its own sample, to its eight digits."""
    ratings = long(pd.read_csv(folder / "itut_p910_sample_79x26.csv", header=None).to_numpy())
    found = recover(ratings, "p910-standard")
    assert found.converged and found.warnings == ()
    same(found.scores["score"], known["mos_j"], 8)
    same(found.scores["standard_error"], known["sos_j"], 8)
    same(found.raters["bias"], known["bias_i"], 8)
    same(found.raters["inconsistency"], known["inconsistency_i"], 8)
    same(mos(ratings)["score"].mean(), known["plain_mos_mean"], 12)


def anaesthetists(known: Known, folder: Path) -> None:
    """Dawid and Skene's 45 patients, in both copies of the data: shares, likelihood, classes, confusion."""
    files = {
        "item7_rater1=1,2,2 (dallascard, MIT)": "dawid_skene_1979.csv",
        "item7_rater1=1,1,2 (R rater package)": "dawid_skene_1979_rater_pkg_variant.csv",
    }
    assert files.keys() == known.keys() - {"source"}
    for case, file in files.items():
        data, answer = pd.read_csv(folder / file), known[case]
        ids = {"image_id": data["item"].map("{:03d}".format), "rater_id": data["rater"].astype(str)}
        found = dawid_skene.fit(pd.DataFrame({**ids, "value": data["rating"].astype(float)}))
        assert found.converged
        same(found.shares, answer["class_marginals"], 4)
        same(found.log_likelihood, answer["loglik"], 3)
        assert found.classes["level"].astype(int).tolist() == answer["map_class"]
        same(found.confusion[0], answer["rater1_confusion"], 4)
        same(found.confusion[4], answer["rater5_confusion"], 4)


def puddings(known: Known, folder: Path) -> None:
    """Davidson's example 2, and Rao and Kupper's model on the same data: worths, ties, likelihoods."""
    rows: list[tuple[str, str, float, int]] = []
    data = pd.read_csv(folder / "davidson_1970_pudding.csv")
    for i, j, wins, losses, ties in data[["i", "j", "w_ij", "w_ji", "t_ij"]].itertuples(index=False):
        rows += [(str(i), str(j), 1.0, wins), (str(i), str(j), -1.0, losses), (str(i), str(j), 0.0, ties)]
    for model, answer in (("davidson", known), ("rao-kupper", known["rao_kupper_same_data"])):
        found = paired.fit(counted(rows), model, ridge=0.0)
        worth = np.exp(found.scores["score"].to_numpy())
        assert found.converged
        same(worth / worth.sum(), answer["worth"], 6)
        same(next(iter(found.parameters.values())), answer["tie"], 6)
        same(found.log_likelihood, answer["loglik"], 6)


def baseball(known: Known, folder: Path) -> None:
    """Agresti's American League of 1987: abilities against Baltimore, without and with the advantage of the home."""
    rows: list[tuple[str, str, float, int]] = []
    data = pd.read_csv(folder / "agresti_baseball_1987.csv")
    for at_home, away, wins, losses in data.itertuples(index=False):
        rows += [(at_home, away, 1.0, wins), (at_home, away, -1.0, losses)]
    games = counted(rows).assign(first_shown_left=True)
    for case in ("no_home", "home_advantage"):
        answer, home = known[case], case == "home_advantage"
        found = paired.fit(games, "bradley-terry", task="forced_choice", ridge=0.0, side_effect=home)
        ability = found.scores.set_index("image_id")["score"]
        teams = answer["ability_rel_Baltimore"]
        same([ability[team] - ability["Baltimore"] for team in teams], list(teams.values()), 4)
        same(found.log_likelihood, answer["loglik"], 6)
        same([found.side] if home else [], answer["home"], 4)


def papers(known: Known, _: Path) -> None:
    """What paper 2's and paper 4's tables imply; that they are copied rightly stands in tests/datasets/test_papers."""
    scores = pd.DataFrame({"image_id": ["a", "b"], "score": [0.7, 0.0]})
    for row in known["flickr_var_check"].values():
        above = round(100 * row["mean"])
        votes = counted([("a", "b", 1.0, above), ("a", "b", -1.0, 100 - above)])
        table = agreement_by_distance(votes, scores, seed=1, distances=(0.6,)).table
        same(table["mean"].iloc[0], row["mean"], 2)
        same(table["vote_variance"].iloc[0], row["bernoulli"], 3)
    # The facts page: Table 6's correlations with a mean of five that holds the rater's own vote imply these pairs.
    implied = {">0": 0.318, ">100": 0.365, ">200": 0.382}
    for tier, (_, with_own) in known["aadb_table6"].items():
        same(pair_correlation(5, with_own), implied[tier], 3)
    # No share of 1,000 batches prints as 98.45 %.
    assert not np.isclose(np.round(np.arange(1001) / 1000, 4), known["aadb_bh_significant"]).any()


CHECKS: dict[str, Callable[[Known, Path], None]] = {
    "benjamini_hochberg_1995": benjamini_hochberg,
    "krippendorff_wikipedia_3x15": krippendorff,
    "fleiss_1971_psychiatric": fleiss,
    "fleiss_wikipedia_14raters": fleiss,
    "shrout_fleiss_1979": shrout_fleiss,
    "kendall_w_strawberries": strawberries,
    "friedman_hollander_wolfe_rounding_times": rounding_times,
    "aadb_like_batch_ties": batch_with_ties,
    "itut_p910_alternating_projection": p910,
    "dawid_skene_1979": anaesthetists,
    "davidson_1970_pudding": puddings,
    "agresti_baseball_1987": baseball,
    "paper_tables": papers,
}


@pytest.fixture(scope="module")
def answers(shared: Path) -> dict[str, Known]:
    """The table of known answers."""
    found: dict[str, Known] = json.loads((shared / "data/stats/expected.json").read_text())
    return found


@pytest.mark.parametrize("name", CHECKS)
def test_known_answers(answers: dict[str, Known], shared: Path, name: str) -> None:
    """Our functions give what the entry says."""
    CHECKS[name](answers[name], shared / "data/stats")


def test_no_known_answer_is_left_out(answers: dict[str, Known]) -> None:
    """Each entry has its check, or a reason why it cannot have one."""
    assert answers.keys() == CHECKS.keys() | NOT_REACHABLE.keys()
