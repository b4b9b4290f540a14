"""Scores from comparisons: simulations with a known truth, and answers that are no answers."""

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, special

from photojury.analysis.scores.links import Adjacent, Cumulative, Link
from photojury.analysis.scores.newton import Comparisons, maximise, standard_errors
from photojury.analysis.scores.paired import MODELS, fit
from photojury.errors import InputError

LINKS = [
    Cumulative(2),
    Cumulative(2, probit=True),
    Cumulative(3),
    Cumulative(4, probit=True),
    Cumulative(5),
    Cumulative(5, probit=True),
    Adjacent(2),
    Adjacent(3, step=0.5),
    Adjacent(5),
]


def table(rows: list[tuple[str, str, float, int]]) -> pd.DataFrame:
    """A comparisons table from (first, second, value, count)."""
    long = [row[:3] for row in rows for _ in range(row[3])]
    return pd.DataFrame(long, columns=["first_id", "second_id", "value"])


def simulated(
    images: int, votes: int, *, seed: int = 0, side: float = 0.0
) -> tuple[pd.DataFrame, np.ndarray]:
    """Five-level comparisons of a cumulative logit model with cuts 0.5 and 1.8, and the true scores."""
    rng = np.random.default_rng(seed)
    theta = rng.normal(size=images)
    first = rng.integers(0, images, votes)
    second = (first + rng.integers(1, images, votes)) % images
    left = rng.random(votes) < 0.5
    latent = theta[first] - theta[second] + side * np.where(left, 1, -1) + rng.logistic(size=votes)
    frame = pd.DataFrame(
        {
            "first_id": [f"i{k:05d}" for k in first],
            "second_id": [f"i{k:05d}" for k in second],
            "value": np.searchsorted([-1.8, -0.5, 0.5, 1.8], latent) - 2.0,
            "first_shown_left": left,
            "rater_id": [f"r{k}" for k in rng.integers(0, 8, votes)],
        }
    )
    return frame, theta - theta.mean()


@pytest.mark.parametrize("link", LINKS, ids=str)
def test_derivatives_are_those_of_the_probabilities(link: Link) -> None:
    """Each derivative equals the central difference; the levels' probabilities add up to 1."""
    rng = np.random.default_rng(3)
    codes, d = rng.integers(0, link.levels, 40), rng.normal(size=40) * 2
    counts = rng.integers(1, 4, 40).astype(float)
    at = link.start() + 0.1 * rng.random(link.start().size)
    parts, h = link.evaluate(codes, d, at, counts), 1e-5
    up, down = link.evaluate(codes, d + h, at, counts), link.evaluate(codes, d - h, at, counts)
    assert np.allclose((up.log_p - down.log_p) / (2 * h), parts.by_d, atol=1e-7)
    assert np.allclose((up.by_d - down.by_d) / (2 * h), parts.by_dd, atol=1e-7)
    for number in range(at.size):
        step = h * (np.arange(at.size) == number)
        up, down = link.evaluate(codes, d, at + step, counts), link.evaluate(codes, d, at - step, counts)
        assert parts.by_g[number] == pytest.approx(counts @ (up.log_p - down.log_p) / (2 * h), abs=1e-6)
        assert np.allclose((up.by_d - down.by_d) / (2 * h), parts.by_dg[:, number], atol=1e-7)
        assert np.allclose((up.by_g - down.by_g) / (2 * h), parts.by_gg[number], atol=1e-5)
    total = sum(np.exp(link.evaluate(np.full(40, k), d, at, counts).log_p) for k in range(link.levels))
    assert np.allclose(total, 1)


def test_the_far_tail_keeps_its_digits() -> None:
    """At a difference of 30 the log probability of the unlikely answer is log F(-30), not minus infinity."""
    parts = Cumulative(2).evaluate(np.array([0]), np.array([30.0]), np.zeros(0), np.ones(1))
    assert parts.log_p[0] == pytest.approx(-30.0, abs=1e-9)


def test_the_maximum_is_that_of_a_general_optimiser() -> None:
    """Scores, cuts and side of the penalised cumulative model equal scipy's BFGS on the same function, written anew."""
    frame, _ = simulated(12, 600, side=0.4)
    found = fit(frame, "cumulative", ridge=0.5, side_effect=True)
    names = sorted(set(frame.first_id) | set(frame.second_id))
    first = frame.first_id.map(names.index).to_numpy()
    second = frame.second_id.map(names.index).to_numpy()
    sign = np.where(frame.first_shown_left, 1.0, -1.0)
    level = frame.value.to_numpy().astype(int) + 2

    def objective(x: np.ndarray) -> float:
        a1 = np.exp(x[12])
        a2 = a1 + np.exp(x[13])
        d = x[first] - x[second] + x[14] * sign
        bounds = np.array([-np.inf, -a2, -a1, a1, a2, np.inf])
        p = special.expit(bounds[level + 1] - d) - special.expit(bounds[level] - d)
        return float(-np.log(p).sum() + 0.25 * (x[:12] ** 2).sum())

    peer = optimize.minimize(
        objective, np.r_[np.zeros(12), 0.5, 0.0, 0.0], method="BFGS", options={"gtol": 1e-6}
    )
    assert np.allclose(found.scores["score"], peer.x[:12] - peer.x[:12].mean(), atol=1e-4)
    assert found.parameters["cut_1"] == pytest.approx(np.exp(peer.x[12]), abs=1e-4)
    assert found.side == pytest.approx(peer.x[14], abs=1e-4)
    # The cuts and the side are estimated too, which the scores' standard errors allow for.
    h, steps = 1e-3, np.eye(15) * 1e-3
    curve = np.array(
        [
            [
                sum(a * b * objective(peer.x + a * one + b * other) for a in (1, -1) for b in (1, -1))
                for other in steps
            ]
            for one in steps
        ]
    ) / (4 * h**2)
    centre = np.eye(12) - 1 / 12
    covariance = centre @ np.linalg.inv(curve)[:12, :12] @ centre
    assert np.allclose(found.scores["standard_error"], np.sqrt(np.diag(covariance)), rtol=1e-3)


@pytest.mark.parametrize("model", MODELS)
def test_every_model_finds_the_order(model: str) -> None:
    """With 100 answers an image each model's scores correlate with the truth above 0.95."""
    frame, theta = simulated(60, 3000)
    found = fit(frame, model)
    assert found.converged and found.warnings == ()
    assert np.corrcoef(found.scores["score"], theta)[0, 1] > 0.95
    assert found.scores["score"].mean() == pytest.approx(0, abs=1e-9)


def test_five_levels_tell_more_than_signs() -> None:
    """The graded model is nearer to the truth than Bradley-Terry on the same answers, over ten studies."""
    better = 0
    for seed in range(10):
        frame, theta = simulated(50, 600, seed=seed)
        graded, signs = (
            np.corrcoef(fit(frame, name).scores["score"], theta)[0, 1]
            for name in ("cumulative", "bradley-terry")
        )
        better += graded > signs
    assert better >= 9


def test_intervals_cover_the_truth() -> None:
    """Of 95 % intervals with a ridge as wide as the truth's prior, 93 % to 97 % cover it (2,000 scores)."""
    covered = []
    for seed in range(20):
        frame, theta = simulated(100, 2000, seed=seed)
        scores = fit(frame, "cumulative", ridge=1.0).scores
        covered += ((scores["low"] <= theta) & (theta <= scores["high"])).tolist()
    assert 0.93 < np.mean(covered) < 0.97


def test_estimated_standard_errors_are_near_the_exact_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """Above the dense limit the errors come from random vectors: within 10 % each, 1 % on average."""
    rng = np.random.default_rng(5)
    first = rng.integers(0, 800, 8000)
    second = (first + rng.integers(1, 800, 8000)) % 800
    data = Comparisons(first, second, rng.integers(0, 2, 8000), np.ones(8000), 800)
    found = maximise(data, Cumulative(2), ridge=0.04)
    exact = standard_errors(found, ridge=0.04, seed=1)
    monkeypatch.setattr("photojury.analysis.scores.information.DENSE", 10)
    ratio = standard_errors(found, ridge=0.04, seed=1) / exact
    assert 0.9 < ratio.min() and ratio.max() < 1.1
    assert ratio.mean() == pytest.approx(1, abs=0.01)


def test_careless_raters_get_small_slopes() -> None:
    """A rater who answers at random has a slope near 0, and the scores gain by knowing it."""
    frame, theta = simulated(80, 4000)
    rng = np.random.default_rng(1)
    careless = frame.rater_id.isin(["r0", "r1", "r2"]).to_numpy()
    frame.loc[careless, "value"] = rng.integers(-2, 3, int(careless.sum())).astype(float)
    plain, with_slopes = fit(frame), fit(frame, rater_slopes=True)
    slopes = with_slopes.raters.set_index("rater_id")["slope"]
    assert slopes[["r0", "r1", "r2"]].abs().max() < 0.4
    assert slopes.drop(["r0", "r1", "r2"]).min() > 1
    gain = [np.corrcoef(found.scores["score"], theta)[0, 1] for found in (plain, with_slopes)]
    assert gain[1] > gain[0]


def test_a_jod_is_three_of_four() -> None:
    """Two images one JOD apart: the better one is preferred by 75 %, whatever the link."""
    rows = [("a", "b", 1.0, 300), ("a", "b", -1.0, 100)]
    for model in ("bradley-terry", "thurstone"):
        scores = fit(table(rows), model, task="forced_choice", ridge=0.0, jod=True).scores["score"]
        assert scores[0] - scores[1] == pytest.approx(1, abs=1e-6)


def test_groups_that_no_pair_joins_are_named() -> None:
    """Two islands: a warning, a component for each image, and scores all the same."""
    rows = [("a", "b", 1.0, 2), ("a", "b", -1.0, 1), ("c", "d", 1.0, 1), ("c", "d", -1.0, 2)]
    found = fit(table(rows), "bradley-terry", task="forced_choice")
    assert found.scores["component"].tolist() == [0, 0, 1, 1]
    assert "2 groups that no pair joins" in found.warnings[0]


def test_an_image_that_never_lost_is_named() -> None:
    """With the prior its score is finite and the note says why; without, the fit says that it is infinite."""
    rows = [("a", "b", 1.0, 3), ("b", "c", 1.0, 2), ("c", "b", 1.0, 1)]
    found = fit(table(rows), "bradley-terry", task="forced_choice")
    assert found.scores["note"].tolist() == ["won every comparison", "", ""]
    assert "finite only by the prior" in found.warnings[0]
    assert "infinite" in " ".join(fit(table(rows), "bradley-terry", task="forced_choice", ridge=0.0).warnings)


def test_ties_are_dropped_and_counted_by_models_without_them() -> None:
    """Bradley-Terry leaves them out and says how many; with nothing else it is an error that names davidson."""
    rows = [("a", "b", 1.0, 1), ("a", "b", -2.0, 1), ("a", "b", 0.0, 5)]
    assert fit(table(rows), "bradley-terry").dropped == 5
    with pytest.raises(InputError, match="all 5 answers are ties"):
        fit(table(rows[2:]), "bradley-terry")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"model": "elo"}, "unknown model 'elo'"),
        ({"task": "stars"}, "unknown task 'stars'"),
        (
            {"model": "cumulative", "task": "forced_choice"},
            "cumulative is for 5 levels, and forced_choice has 2",
        ),
        ({"ridge": -1.0}, "ridge must be 0 or more"),
        ({"side_effect": True}, "comparisons lacks the column first_shown_left"),
        ({"rater_slopes": True}, "comparisons lacks the column rater_id"),
    ],
)
def test_what_cannot_be_fitted_is_said(change: dict[str, object], sentence: str) -> None:
    """Each mistake has its sentence."""
    rows = table([("a", "b", 1.0, 1), ("a", "b", -1.0, 1)])
    with pytest.raises(InputError, match=sentence):
        fit(rows, **change)  # type: ignore[arg-type]
