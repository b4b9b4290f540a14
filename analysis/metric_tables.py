"""Tables of metrics with intervals over images: of predicted scores, of predicted distributions, and what to hold them against.

Takes in what people gave and what was predicted, a row for each image; gives out a table with a row for each metric. Two
references stand beside every prediction of distributions: the constant one (the mean distribution of the training images,
for all alike), which any network must beat, and one half of the votes predicting the other, which few can.

    >>> table = of_scores([1.0, 2.0, 3.0, 4.0], [1.1, 2.3, 2.9, 3.8], seed=1, repeats=100)
    >>> table.set_index("metric")["value"].round(3).to_dict()
    {'srcc': 1.0, 'plcc': 0.992, 'krcc': 1.0, 'rmse': 0.194}
"""

from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from photojury.analysis import bootstrap, metrics
from photojury.analysis import distribution_metrics as distributions
from photojury.analysis.distribution_metrics import BoolArray, Direction, FloatArray, Ties

OF_SCORES: dict[str, Callable[..., float]] = {
    "srcc": metrics.srcc,
    "plcc": metrics.plcc,
    "krcc": metrics.krcc,
    "rmse": metrics.rmse,
}
"""Metrics of scores, each of (what people gave, what was predicted); no curve is fitted before any of them."""


def of_scores(
    truth: ArrayLike, predicted: ArrayLike, *, seed: int, repeats: int = bootstrap.REPEATS
) -> pd.DataFrame:
    """Metrics of predicted scores.

    Args:
        truth, predicted: (images,) finite numbers.
        seed, repeats: of the bootstrap over images, see `bootstrap.interval`.

    Returns:
        metric (srcc, plcc, krcc, rmse), value, low, high (95 %), n (images), note.

    Raises:
        InputError: unequal lengths, no images, or a value that is missing.
    """
    given, said = np.asarray(truth, dtype=np.float64), np.asarray(predicted, dtype=np.float64)
    metrics.rmse(given, said)  # refuses what is no pair of vectors
    rows = {
        name: bootstrap.interval(metric, given, said, seed=seed, repeats=repeats)
        for name, metric in OF_SCORES.items()
    }
    return _table(rows)


def of_distributions(
    counts: ArrayLike,
    predicted: ArrayLike,
    *,
    levels: Sequence[float],
    threshold: str | float | Fraction,
    seed: int,
    ties: Ties = "low",
    direction: Direction = "truth||predicted",
    floor: float = 0.0,
    repeats: int = bootstrap.REPEATS,
) -> pd.DataFrame:
    """Metrics of predicted distributions, as papers on AVA print them.

    Args:
        counts: (images, levels) whole numbers of votes.
        predicted: (images, levels) counts or shares, or one row for all images; each row is made shares.
        levels: what the columns stand for, one step apart.
        threshold: between low and high images, as a decimal fraction; the truth is decided in whole numbers, and so is
            the prediction where it is counts.
        seed, repeats: of the bootstrap over images.
        ties: what an image on the threshold is, in truth and prediction; the note of accuracy counts such images.
        direction, floor: of KL, see `distribution_metrics.kl_divergence`.

    Returns:
        metric (kl, cd_loss, emd_r1, emd_r2, mse of the mean, srcc, plcc, krcc, rmse of the mean, accuracy), value, low,
        high (95 %), n (images), note.

    Raises:
        InputError: shapes that do not match, counts that are none, an image without votes.
    """
    votes = np.atleast_2d(np.asarray(counts))
    truth, said = distributions.shares(votes), distributions.shares(predicted)
    of_each: dict[str, FloatArray] = {
        "kl": distributions.kl_divergence(truth, said, direction=direction, floor=floor),
        "cd_loss": distributions.cd_loss(truth, said),
        "emd_r1": distributions.emd(truth, said, r=1),
        "emd_r2": distributions.emd(truth, said, r=2),
    }
    given = distributions.means(votes, levels)
    guessed = np.broadcast_to(distributions.means(predicted, levels), given.shape)
    of_each["mse"] = np.square(given - guessed)
    high = distributions.is_high(votes, levels, threshold=threshold, ties=ties)
    right = high == _said_high(predicted, levels, threshold, ties)
    accuracy = _table({"accuracy": _mean(right.astype(np.float64), seed, repeats)})
    tied = int(distributions.on_threshold(votes, levels, threshold=threshold).sum())
    if tied:
        accuracy["note"] = f"{tied} images have a mean of exactly {threshold}, and count as {ties}"
    return pd.concat(
        [
            _table({name: _mean(values, seed, repeats) for name, values in of_each.items()}),
            of_scores(given, guessed, seed=seed, repeats=repeats),
            accuracy,
        ],
        ignore_index=True,
    )


def references(
    counts: ArrayLike,
    training: ArrayLike,
    *,
    levels: Sequence[float],
    threshold: str | float | Fraction,
    seed: int,
    ties: Ties = "low",
    direction: Direction = "truth||predicted",
    repeats: int = bootstrap.REPEATS,
) -> pd.DataFrame:
    """What stands beside any model: the constant predictor and the votes' own halves.

    Args:
        counts: (images, levels) whole numbers of votes of the test images.
        training: the same of the training images, whose mean distribution is predicted for every test image.
        levels, threshold, seed, ties, direction, repeats: as in `of_distributions`.

    Returns:
        The columns of `of_distributions` after `predictor`: constant, and split_half (the ceiling at half the raters).
        The constant predictor has no correlations; the halves mostly have no KL, since one half has levels that nobody
        of the other gave.

    Raises:
        InputError: as `of_distributions`; a test image has fewer than two votes.
    """
    constant = distributions.shares(training).mean(axis=0)
    first, second = distributions.split_halves(counts, seed=seed)
    tables = []
    for name, truth, said in (("constant", counts, constant), ("split_half", first, second)):
        table = of_distributions(
            truth,
            said,
            levels=levels,
            threshold=threshold,
            seed=seed,
            ties=ties,
            direction=direction,
            repeats=repeats,
        )
        table.insert(0, "predictor", name)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def _said_high(
    predicted: ArrayLike, levels: Sequence[float], threshold: str | float | Fraction, ties: Ties
) -> BoolArray:
    """The predicted class, in whole numbers where the prediction is counts."""
    table = np.atleast_2d(np.asarray(predicted, dtype=np.float64))
    if (table == np.floor(table)).all():
        return distributions.is_high(table, levels, threshold=threshold, ties=ties)
    guessed, limit = distributions.means(table, levels), float(Fraction(str(threshold)))
    return np.asarray(guessed > limit if ties == "low" else guessed >= limit, dtype=np.bool_)


def _mean(values: FloatArray, seed: int, repeats: int) -> bootstrap.Estimate:
    return bootstrap.interval(lambda rows: float(rows.mean()), values, seed=seed, repeats=repeats)


def _table(rows: dict[str, bootstrap.Estimate]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "metric": name,
                "value": row.value,
                "low": row.low,
                "high": row.high,
                "n": row.n,
                "note": row.note,
            }
            for name, row in rows.items()
        ]
    )
