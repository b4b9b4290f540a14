"""Dawid and Skene's model: simulations, and what it cannot be fitted to."""

import itertools

import numpy as np
import pandas as pd
import pytest

from photojury.analysis.scores.dawid_skene import fit
from photojury.errors import InputError


def simulated(images: int, each: int, accuracy: list[float], seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Ratings on three levels by raters of given accuracies, who else say any level; and the truth."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(3, images, p=[0.5, 0.3, 0.2])
    image = np.repeat(np.arange(images), each)
    rater = np.concatenate([rng.choice(len(accuracy), each, replace=False) for _ in range(images)])
    right = rng.random(image.size) < np.array(accuracy)[rater]
    said = np.where(right, truth[image], (truth[image] + rng.integers(1, 3, image.size)) % 3)
    frame = pd.DataFrame({"image_id": [f"i{k:04d}" for k in image], "rater_id": [f"r{k}" for k in rater]})
    return frame.assign(value=said.astype(float)), truth


def test_it_knows_whom_to_believe() -> None:
    """With good, weak and random raters mixed it names more true levels than the majority, and finds the accuracies."""
    accuracy = [0.95, 0.9, 0.9, 0.6, 0.5, 0.34, 0.33, 0.33]
    ratings, truth = simulated(2000, 5, accuracy, seed=1)
    found = fit(ratings)
    majority = ratings.groupby("image_id")["value"].agg(lambda said: said.mode().iloc[0]).to_numpy()
    ours = (found.classes["level"].to_numpy() == truth).mean()
    assert ours > (majority == truth).mean() + 0.03
    assert np.allclose(found.raters["accuracy"], accuracy, atol=0.06)


def test_the_likelihood_never_falls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped after ever more iterations, the likelihood only grows."""
    ratings, _ = simulated(200, 4, [0.8, 0.7, 0.6, 0.5, 0.4], seed=2)
    values = []
    for number in range(1, 12):
        monkeypatch.setattr("photojury.analysis.scores.dawid_skene.ITERATIONS", number)
        values.append(fit(ratings).log_likelihood)
    assert all(later >= earlier - 1e-9 for earlier, later in itertools.pairwise(values))


def test_smoothing_keeps_probabilities_off_the_ends() -> None:
    """With pseudo-ratings no cell of a confusion matrix is 0 or 1."""
    ratings, _ = simulated(30, 3, [0.9, 0.9, 0.9, 0.9], seed=3)
    confusion = fit(ratings, smoothing=0.5).confusion
    assert 0 < confusion.min() and confusion.max() < 1
    assert np.allclose(confusion.sum(axis=2), 1)


@pytest.mark.parametrize(("values", "number"), [([2.0, 2.0], 1), (list(map(float, range(25))), 25)])
def test_levels_must_be_few_and_more_than_one(values: list[float], number: int) -> None:
    """One level has nothing to be classified, and 25 are no classes."""
    ratings = pd.DataFrame(
        {"image_id": "a", "rater_id": [f"r{k}" for k in range(len(values))], "value": values}
    )
    with pytest.raises(InputError, match=f"needs 2 to 20 different levels, not {number}"):
        fit(ratings)
