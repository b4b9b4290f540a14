"""Comparisons of real observers, held against choix, statsmodels, scipy's optimisers, and sureal if there."""

from collections.abc import Iterator
from pathlib import Path

import choix
import numpy as np
import pandas as pd
import pytest
import torch
from numpy.typing import NDArray
from scipy import optimize, sparse, stats
from statsmodels.discrete.discrete_model import Logit, Probit
from statsmodels.genmod.families import Poisson
from statsmodels.genmod.generalized_linear_model import GLM
from statsmodels.miscmodels.ordinal_model import OrderedModel

from photojury.analysis.distributions import pair_distributions
from photojury.analysis.forced_choice import agreement_by_distance
from photojury.analysis.raters import side_bias
from photojury.analysis.scores.paired import Paired, fit

SCENES = ("Barcelona", "Blob", "Toys")


def codes(comparisons: pd.DataFrame) -> tuple[NDArray[np.int64], NDArray[np.int64], list[str]]:
    """Positions of both images among the sorted ids, and these."""
    ids = sorted(set(comparisons["first_id"]) | set(comparisons["second_id"]))
    first, second = (pd.Index(ids).get_indexer(comparisons[name]) for name in ("first_id", "second_id"))
    return first.astype(np.int64), second.astype(np.int64), ids


def design(comparisons: pd.DataFrame) -> NDArray[np.float64]:
    """(rows, images - 1): 1 for the first image and -1 for the second; the first id's score is held at 0."""
    first, second, ids = codes(comparisons)
    table = np.zeros((len(comparisons), len(ids)))
    rows = np.arange(len(comparisons))
    table[rows, first], table[rows, second] = 1.0, -1.0
    return table[:, 1:]


def centred(free: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scores with mean 0 from those against the first."""
    scores = np.concatenate([[0.0], free])
    return np.asarray(scores - scores.mean(), dtype=np.float64)


def centred_errors(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Standard errors of scores with mean 0 from the covariance of those against the first."""
    n = len(covariance) + 1
    full = np.zeros((n, n))
    full[1:, 1:] = covariance
    centre = np.eye(n) - 1 / n
    return np.asarray(np.sqrt(np.diag(centre @ full @ centre)), dtype=np.float64)


def winners(comparisons: pd.DataFrame) -> list[tuple[int, int]]:
    """(winner, loser) for choix."""
    first, second, _ = codes(comparisons)
    won = comparisons["value"].to_numpy() > 0
    return list(
        zip(np.where(won, first, second).tolist(), np.where(won, second, first).tolist(), strict=True)
    )


def graded(oasis_set: pd.DataFrame, images: int, raters: int) -> pd.DataFrame:
    """Five-level comparisons out of ratings: how far apart a person put two photographs, at most two levels."""
    values = oasis_set.iloc[:: len(oasis_set) // images, :raters].iloc[:images]
    rows = []
    for k, one in enumerate(values.index):
        for step in (1, 2, 5):  # each photograph with three others
            other = values.index[(k + step) % images]
            apart = (values.loc[one] - values.loc[other]).clip(-2, 2)
            rows.append(pd.DataFrame({"first_id": one, "second_id": other, "value": apart}))
    return pd.concat(rows, ignore_index=True)


@pytest.mark.parametrize("scene", SCENES)
def test_bradley_terry_is_that_of_choix_and_statsmodels(pwcmp: pd.DataFrame, scene: str) -> None:
    """Light fields of one scene by maximum likelihood: two algorithms of choix, and Logit with its standard errors."""
    rows = pwcmp[pwcmp["scene"] == scene]
    found = fit(rows, "bradley-terry", task="forced_choice", ridge=0.0)
    assert found.converged and found.warnings == ()
    scores = found.scores["score"].to_numpy()
    assert scores == pytest.approx(choix.ilsr_pairwise(25, winners(rows), tol=1e-10), abs=1e-6)
    if scene == SCENES[0]:  # hundreds of loops over the votes
        assert scores == pytest.approx(choix.mm_pairwise(25, winners(rows), tol=1e-10), abs=1e-6)
    peer = Logit(rows["value"] > 0, design(rows)).fit(disp=0)
    assert scores == pytest.approx(centred(peer.params.to_numpy()), abs=1e-6)
    assert found.log_likelihood == pytest.approx(peer.llf, abs=1e-6)
    errors = centred_errors(peer.cov_params().to_numpy())
    assert found.scores["standard_error"].to_numpy() == pytest.approx(errors, abs=1e-6)


def test_a_ridge_is_choix_s(pwcmp: pd.DataFrame) -> None:
    """All 26,580 comparisons at once, 14 scenes that no pair joins, as choix fits three of the scenes alone; it penalises
    the squares by half our ridge."""
    found = fit(pwcmp, "bradley-terry", task="forced_choice", ridge=0.1)
    assert found.scores["n"].sum() == 2 * 26_580
    score = found.scores.set_index("image_id")["score"]
    for scene in SCENES:
        rows = pwcmp[pwcmp["scene"] == scene]
        peer = choix.opt_pairwise(25, winners(rows), alpha=0.05, tol=1e-10)
        assert score[codes(rows)[2]].to_numpy() == pytest.approx(peer, abs=1e-6)
    assert "14 groups that no pair joins" in found.warnings[0]


def test_a_side_effect_is_a_constant(pwcmp: pd.DataFrame) -> None:
    """The advantage of standing first is statsmodels' intercept."""
    rows = pwcmp[pwcmp["scene"] == "Blob"]
    found = fit(rows, "bradley-terry", task="forced_choice", ridge=0.0, side_effect=True)
    peer = Logit(rows["value"] > 0, np.column_stack([np.ones(len(rows)), design(rows)])).fit(disp=0)
    assert found.side == pytest.approx(peer.params.iloc[0], abs=1e-6)
    assert found.scores["score"].to_numpy() == pytest.approx(centred(peer.params.to_numpy()[1:]), abs=1e-6)


@pytest.mark.parametrize("scene", SCENES)
def test_thurstone_is_a_probit(pwcmp: pd.DataFrame, scene: str) -> None:
    """Scores and standard errors of statsmodels' Probit, and in JOD as pwcmp has them: 75 % at 1."""
    rows = pwcmp[pwcmp["scene"] == scene]
    found = fit(rows, "thurstone", task="forced_choice", ridge=0.0)
    peer = Probit(rows["value"] > 0, design(rows)).fit(disp=0)
    expected, errors = centred(peer.params.to_numpy()), centred_errors(peer.cov_params().to_numpy())
    assert found.scores["score"].to_numpy() == pytest.approx(expected, abs=1e-6)
    assert found.scores["standard_error"].to_numpy() == pytest.approx(errors, abs=1e-6)
    jod = fit(rows, "thurstone", task="forced_choice", ridge=0.0, jod=True).scores["score"].to_numpy()
    assert jod == pytest.approx(expected / stats.norm.ppf(0.75), abs=1e-6)


def test_each_observer_s_side(pwcmp: pd.DataFrame) -> None:
    """29 observers: share of the first shown and its exact binomial p, by scipy."""
    found = side_bias(pwcmp).set_index("rater_id")
    assert len(found) == 29 and found["n"].sum() == 26_580
    for observer, rows in pwcmp.groupby("rater_id"):
        test = stats.binomtest(int((rows["value"] > 0).sum()), len(rows))
        row = found.loc[observer]
        assert (row["left"], row["p"]) == pytest.approx((test.statistic, test.pvalue))
    assert found["p_adjusted"].to_numpy() == pytest.approx(stats.false_discovery_control(found["p"]))


def test_observers_who_follow_the_scores_less(pwcmp: pd.DataFrame) -> None:
    """With a slope for each observer: given the scores, the slopes with mean 1 that scipy finds likeliest."""
    rows = pwcmp[pwcmp["scene"].isin(SCENES)]
    found = fit(rows, "bradley-terry", task="forced_choice", ridge=0.5, rater_slopes=True)
    assert found.converged
    score, slopes = found.scores["score"].to_numpy(), found.raters["slope"].to_numpy()
    first, second, _ = codes(rows)
    d = np.where(rows["value"] > 0, 1.0, -1.0) * (score[first] - score[second])
    observers = pd.Index(found.raters["rater_id"]).get_indexer(rows["rater_id"])

    def loss(s: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        # The prior of a slope: normal around 1, standard deviation 1 / 2.
        total = np.logaddexp(0, -s[observers] * d).sum() + 2 * ((s - 1) ** 2).sum()
        pull = np.bincount(observers, -d / (1 + np.exp(s[observers] * d)), s.size) + 4 * (s - 1)
        return float(total), pull

    mean = {"type": "eq", "fun": lambda s: s.mean() - 1, "jac": lambda s: np.full(s.size, 1 / s.size)}
    peer = optimize.minimize(
        loss, np.ones(slopes.size), jac=True, method="SLSQP", constraints=mean, options={"ftol": 1e-14}
    )  # type: ignore[call-overload]
    assert slopes.mean() == pytest.approx(1)
    assert slopes == pytest.approx(peer.x, abs=1e-3)


@pytest.mark.parametrize(
    ("model", "distribution"),
    [("cumulative", "logit"), ("cumulative-probit", "probit"), ("rao-kupper", "logit")],
)
def test_graded_models_are_ordered_regressions(
    oasis_sets: list[pd.DataFrame], model: str, distribution: str
) -> None:
    """Five levels, and their signs with ties: statsmodels' OrderedModel, each comparison also turned round, since our
    cut points are symmetric."""
    rows = graded(oasis_sets[-1], images=12, raters=60)
    found = fit(rows, model, ridge=0.0)
    level = rows["value"] if model != "rao-kupper" else np.sign(rows["value"])
    x = design(rows)
    peer = OrderedModel(np.r_[level, -level], np.vstack([x, -x]), distr=distribution).fit(
        method="bfgs", disp=0, gtol=1e-8, maxiter=500
    )
    assert found.scores["score"].to_numpy() == pytest.approx(centred(peer.params[:11]), abs=5e-6)
    assert found.log_likelihood == pytest.approx(peer.llf / 2, abs=1e-6)
    cuts = peer.model.transform_threshold_params(peer.params)[1:-1]
    parameters = list(found.parameters.values())
    ours = np.log(parameters) if model == "rao-kupper" else np.array(parameters)
    assert ours == pytest.approx(cuts[len(cuts) // 2 :], abs=5e-6)


@pytest.mark.parametrize("model", ["adjacent", "davidson"])
def test_adjacent_categories_are_log_linear(oasis_sets: list[pd.DataFrame], model: str) -> None:
    """Five levels, and Davidson's ties: the same scores from counts by pair and level, as a Poisson model with a
    constant for each pair (Fienberg and Larntz 1976)."""
    rows = graded(oasis_sets[-1], images=12, raters=60)
    found = fit(rows, model, ridge=0.0)
    level = rows["value"] if model == "adjacent" else np.sign(rows["value"])
    levels = np.unique(level)
    wide = rows.assign(value=level).groupby(["first_id", "second_id", "value"]).size().unstack(fill_value=0)
    table = wide.reset_index().melt(["first_id", "second_id"], var_name="value", value_name="count")
    table["value"] = table["value"].astype(float)
    step = 1.0 if model == "adjacent" else 0.5
    apart = design(table) * step * table["value"].to_numpy()[:, None]
    inner = [np.abs(table["value"]) == size for size in np.unique(np.abs(levels))[:-1]]
    pairs = pd.get_dummies(table["first_id"] + table["second_id"], dtype=float)
    peer = GLM(table["count"], np.column_stack([apart, *inner, pairs]), family=Poisson()).fit(tol=1e-12)
    scores = found.scores["score"].to_numpy()
    assert scores == pytest.approx(centred(peer.params.to_numpy()[:11]), abs=1e-6)
    weights = peer.params.to_numpy()[11 : 11 + len(inner)]
    ours = np.array(list(found.parameters.values()))
    assert (np.log(ours) if model == "davidson" else ours) == pytest.approx(weights, abs=1e-6)
    errors = centred_errors(peer.cov_params().to_numpy()[:11, :11])
    assert found.scores["standard_error"].to_numpy() == pytest.approx(errors, abs=1e-6)


def torch_maximum(comparisons: pd.DataFrame, model: str, ridge: float) -> tuple[NDArray[np.float64], float]:
    """Scores and log likelihood by scipy's trust region method on the likelihood written in torch."""
    one, other, ids = codes(comparisons)
    first, second = torch.tensor(one), torch.tensor(other)
    level = torch.tensor(comparisons["value"].to_numpy(dtype=np.int64) + 2)
    n = len(ids)

    def log_likelihood(x: torch.Tensor) -> torch.Tensor:
        d = x[first] - x[second]
        if model == "adjacent":
            weight = torch.stack([torch.zeros(()), x[n + 1], x[n], x[n + 1], torch.zeros(())])
            logits = d[:, None] * torch.arange(-2.0, 3.0, dtype=torch.float64) + weight
            return torch.log_softmax(logits, 1)[torch.arange(len(d)), level].sum()
        inner = x[n].exp()
        outer = inner + x[n + 1].exp()
        far = torch.tensor(1e3, dtype=torch.float64)
        bounds = torch.stack([-far, -outer, -inner, inner, outer, far])
        return (torch.sigmoid(bounds[level + 1] - d) - torch.sigmoid(bounds[level] - d)).log().sum()

    def value(x: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        at = torch.tensor(x, requires_grad=True)
        loss = ridge / 2 * (at[:n] ** 2).sum() - log_likelihood(at)
        (gradient,) = torch.autograd.grad(loss, at)
        return loss.item(), gradient.numpy()

    def curve(x: NDArray[np.float64], along: NDArray[np.float64]) -> NDArray[np.float64]:
        at = torch.tensor(x, requires_grad=True)
        loss = ridge / 2 * (at[:n] ** 2).sum() - log_likelihood(at)
        (gradient,) = torch.autograd.grad(loss, at, create_graph=True)
        (product,) = torch.autograd.grad(gradient @ torch.tensor(along), at)
        return np.asarray(product.numpy(), dtype=np.float64)

    found = optimize.minimize(
        value, np.zeros(n + 2), jac=True, hessp=curve, method="trust-krylov", options={"gtol": 1e-7}
    )
    return found.x[:n] - found.x[:n].mean(), log_likelihood(torch.tensor(found.x)).item()


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Torch's operations here are too small to be shared out: four times as fast on one thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("model", ["cumulative", "adjacent"])
def test_street_views_on_five_levels(street_views: pd.DataFrame, model: str) -> None:
    """1,200 street views, 8,085 answers of Mechanical Turk workers: scores and likelihood of a general optimiser."""
    found = fit(street_views, model, ridge=0.5)
    scores, log_likelihood = torch_maximum(street_views, model, ridge=0.5)
    assert found.converged and len(found.scores) == 1200
    assert found.scores["score"].to_numpy() == pytest.approx(scores, abs=1e-6)
    assert found.log_likelihood == pytest.approx(log_likelihood, abs=1e-5)


def test_street_views_pair_by_pair(street_views: pd.DataFrame, shared: Path) -> None:
    """Each pair's answers as pandas counts them; the slider's ends are the source's own sign."""
    found = pair_distributions(street_views)
    grouped = street_views.groupby(["first_id", "second_id"])["value"]
    expected = grouped.agg(["size", "mean"]).reset_index()
    both = found.merge(expected, on=["first_id", "second_id"], suffixes=("", "_peer"))
    turned = street_views.rename(columns={"first_id": "second_id", "second_id": "first_id"})
    once = ~expected.set_index(["first_id", "second_id"]).index.isin(
        turned.set_index(["first_id", "second_id"]).index
    )
    assert len(both) >= once.sum() > 7_000
    assert (both["n"] >= both["size"]).all() and found["n"].sum() == len(street_views)
    source = pd.read_csv(shared / "data/perceptions_mturk/mechTurkRecords.csv.gz")["binary_outcome_beauty"]
    clear = street_views["value"] != 0
    assert ((street_views["value"] > 0) == (source == 1))[clear].all()


@pytest.fixture(scope="module")
def triage(shared: Path) -> pd.DataFrame:
    """Which of two photographs of a series: 64,488 votes on 4,505 series, with the side each stood on."""
    data = pd.read_csv(shared / "data/photo_triage/votes_matched_to_pairlist.csv.gz")
    series = data["series"].map("{:05d}".format)
    one, other = (series + "-" + data[f"photo_{side}"].map("{:02d}".format) for side in "ij")
    parts = []
    for left, winner in (("i", "i"), ("i", "j"), ("j", "i"), ("j", "j")):
        votes = data[f"{left}_left_{winner}_wins"]
        table = pd.DataFrame({"first_id": one, "second_id": other, "value": 1.0 if winner == "i" else -1.0})
        table = table.assign(
            first_shown_left=left == "i", released=data["released_pref_i_over_j"], series=series
        )
        parts.append(table.loc[table.index.repeat(votes)])
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def triaged(triage: pd.DataFrame) -> Paired:
    """All 4,505 series in one fit."""
    return fit(triage, "bradley-terry", task="series", ridge=0.1)


def test_series_of_photographs_are_fitted_as_released(triage: pd.DataFrame, triaged: Paired) -> None:
    """The preferences that Chang et al. released for 4,505 series are Bradley-Terry's of the votes, nearly."""
    assert len(triage) == 64_488
    found = triaged
    assert found.converged and found.scores["component"].nunique() == triage["series"].nunique() == 4_505
    score = found.scores.set_index("image_id")["score"]
    pairs = triage.drop_duplicates(["first_id", "second_id"])
    d = score[pairs["first_id"]].to_numpy() - score[pairs["second_id"]].to_numpy()
    released = pairs["released"].to_numpy()
    ours = 0.01 + 0.98 / (1 + np.exp(-d))
    assert np.corrcoef(ours, released)[0, 1] > 0.98
    assert np.median(np.abs(ours - released)) < 0.03


def test_each_series_is_choix_s(triage: pd.DataFrame, triaged: Paired) -> None:
    """Sixty series fitted alone by choix have the scores that they have among all 4,505."""
    found = triaged.scores.set_index("image_id")["score"]
    for _, rows in list(triage.groupby("series"))[::75]:
        _, _, ids = codes(rows)
        peer = choix.opt_pairwise(len(ids), winners(rows), alpha=0.05, tol=1e-10)
        assert found[ids].to_numpy() == pytest.approx(peer, abs=1e-6)


def test_the_left_one_s_advantage(triage: pd.DataFrame) -> None:
    """Three hundred series: scores and the side's effect are scipy's maximum of the same likelihood, written anew."""
    rows = triage[triage["series"] < "00300"]
    found = fit(rows, "bradley-terry", task="series", ridge=0.1, side_effect=True)
    first, second, ids = codes(rows)
    n, ones, at = len(ids), np.ones(len(rows)), np.arange(len(rows))
    side = np.where(rows["first_shown_left"], 1.0, -1.0)
    entries = (np.r_[ones, -ones, side], (np.r_[at, at, at], np.r_[first, second, np.full(len(rows), n)]))
    x = sparse.csr_array(entries, shape=(len(rows), n + 1))
    y = np.where(rows["value"] > 0, 1.0, -1.0)
    ridge = np.r_[np.full(n, 0.1), 0.0]

    def gradient(p: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(x.T @ (-y / (1 + np.exp(y * (x @ p)))) + ridge * p, dtype=np.float64)

    def curve(p: NDArray[np.float64], along: NDArray[np.float64]) -> NDArray[np.float64]:
        unlikely = 1 / (1 + np.exp(x @ p))
        return np.asarray(x.T @ (unlikely * (1 - unlikely) * (x @ along)) + ridge * along, dtype=np.float64)

    peer = optimize.minimize(
        lambda p: float(np.logaddexp(0, -y * (x @ p)).sum() + (ridge * p**2).sum() / 2),
        np.zeros(n + 1),
        jac=gradient,
        hessp=curve,
        method="trust-krylov",
        options={"gtol": 1e-9},
    )  # type: ignore[call-overload]
    assert found.side == pytest.approx(peer.x[-1], abs=1e-6)
    assert found.scores["score"].to_numpy() == pytest.approx(peer.x[:-1], abs=1e-6)


def test_votes_follow_distance(triage: pd.DataFrame) -> None:
    """Paper 2's table on series votes: the higher released preference wins, bin by bin, as plain pandas counts it."""
    score: dict[str, float] = {}
    pairs = triage.drop_duplicates(["first_id", "second_id"])
    for one, other, released in zip(pairs["first_id"], pairs["second_id"], pairs["released"], strict=True):
        # Each series' first photograph is at 0, the others where their released preference against it puts them.
        if one.endswith("-01"):
            score[one], score[other] = 0.0, float(np.log((1 - released) / released))
    scores = pd.DataFrame({"image_id": list(score), "score": list(score.values())})
    found = agreement_by_distance(triage, scores, seed=1, distances=(0.5, 1.0, 2.0), repeats=10).table
    gap = triage["first_id"].map(score).to_numpy(dtype=float) - triage["second_id"].map(score).to_numpy(
        dtype=float
    )
    follows = triage["value"].to_numpy() * gap > 0
    pair = triage["first_id"] + triage["second_id"]
    for row in found.to_dict("records"):
        inside = (np.abs(gap) > row["low"]) & (np.abs(gap) <= row["high"])
        shares = pd.Series(follows[inside]).groupby(pair[inside].to_numpy()).mean()
        assert (row["n_votes"], row["n_pairs"]) == (inside.sum(), len(shares))
        m = follows[inside].mean()
        assert (row["mean"], row["vote_variance"]) == pytest.approx((m, m * (1 - m)))
        assert row["between_pair_variance"] == pytest.approx(shares.var())
    cumulative = found[found["kind"] == "cumulative"]["mean"]
    assert cumulative.is_monotonic_increasing and cumulative.iloc[0] > 0.6
