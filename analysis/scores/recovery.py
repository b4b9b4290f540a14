"""Scores of images when raters differ: in how high they rate, how widely, and how carelessly.

Takes in ratings with rater ids, in long form; gives out a `Recovered`: one row per image, one per rater.

| method | what it does | source |
| --- | --- | --- |
| p910 | u = score + bias of the rater + inconsistency of the rater times noise, by alternating projection, with a prior on the inconsistency | the model: ITU-T P.910 (2023), Annex E; the prior: ours |
| p910-standard | the same without the prior, to the letter | the same |
| p913 | each rater's mean difference from the mean scores is taken away, then the mean | ITU-T P.913 (2021), 12.4 |
| bt500 | raters who often lie far from an image's mean, on both sides, are left out, then the mean | ITU-R BT.500-14, A1-2.3.1 |
| p913-bt500 | p913's biases are taken away, then bt500 (what sureal calls P.913) | both |
| z-score | each rater's ratings are standardised, then the mean, put back on the ratings' scale | common usage |

The standard P.910 fit has no maximum where raters share few images, as in crowds: one rater's inconsistency goes to
zero and his images' scores become his ratings. The prior counts as `PRIOR` further ratings of average inconsistency
for every rater, v^2 = (SS + nu s0^2) / (n (1 - 1/k) + nu), which lets it converge, and is the default.

    >>> import pandas as pd
    >>> rows = [(image, rater, float(i + r)) for i, image in enumerate("abcd") for r, rater in enumerate("xyz")]
    >>> found = recover(pd.DataFrame(rows, columns=["image_id", "rater_id", "value"]), "p913")
    >>> found.scores["score"].tolist(), found.raters["bias"].tolist()
    ([1.0, 2.0, 3.0, 4.0], [-1.0, 0.0, 1.0])
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from photojury.analysis import votes as votes_module
from photojury.analysis.overlap import overlap
from photojury.analysis.scores.squarem import leap
from photojury.errors import InputError, require_columns, unknown_name

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

METHODS = ("p910", "p910-standard", "p913", "bt500", "p913-bt500", "z-score")
PRIOR = 10.0
"""Ratings that the prior on a rater's inconsistency counts for; 10 in simulations of 5 to 24 raters an image."""
ITERATIONS = 1_000
TOLERANCE = 1e-8
# BT.500: a share of ratings off the mean, and how lopsided they may be.
_OFTEN, _LOPSIDED = 0.05, 0.3


@dataclass(frozen=True)
class Recovered:
    """Scores and raters.

    Attributes:
        scores: image_id, method, score, standard_error, low, high (95 %: normal for p910, Student's t with n - 1
            degrees of freedom for means of few ratings), n, note; sorted by image_id.
        raters: rater_id, n, bias, inconsistency, inconsistency_low, inconsistency_high (95 %, chi-square: of the
            standard's n degrees of freedom for p910-standard, of those that scores and biases leave for p910), used;
            NaN where the method has no such thing.
        converged, iterations: of p910; True and 1 for methods without iterations.
        warnings: one sentence each.
    """

    scores: pd.DataFrame
    raters: pd.DataFrame
    converged: bool
    iterations: int
    warnings: tuple[str, ...]


def recover(ratings: pd.DataFrame, method: str = "p910", *, attribute: str = "overall") -> Recovered:
    """Scores by one of METHODS.

    Args:
        ratings: columns image_id, rater_id, value (attribute where there are several).

    Raises:
        InputError: a missing column, an empty table, a value that is missing or infinite, an unknown method; one
            rater only, or raters of one rating each, since differences between raters are what these methods are about;
            all ratings equal.
    """
    if method not in METHODS:
        raise unknown_name("method", method, METHODS)
    table = _Table.of(ratings, attribute)
    found = _recovered(table, method)
    if method == "bt500":
        return found  # takes no bias off
    shared = overlap(table.raters, table.images)
    if shared.single == shared.raters:
        raise InputError(
            f"ratings: each of the {shared.raters} raters gave one rating, so no rater can be told from the images; use mos"
        )
    return replace(found, warnings=(*found.warnings, *shared.sentences))


def _recovered(table: "_Table", method: str) -> Recovered:
    if method.startswith("p910"):
        return _p910(table, method, prior=PRIOR if method == "p910" else 0.0)
    if method == "z-score":
        return _z_scores(table)
    bias = used = None
    values = table.values
    if method.startswith("p913"):
        bias = table.by_rater(values - table.image_mean(values)[table.images])
        values = values - bias[table.raters]
    if method.endswith("bt500"):
        used = ~_outlying(table, values)
        if not used.any():
            used[:] = True  # BT.500 has no word for it; without anyone left there would be no scores
    return _means(table, method, values, bias=bias, used=used)


@dataclass(frozen=True)
class _Table:
    """Ratings with integer codes, sorted by image."""

    image_ids: "pd.Series[str]"
    rater_ids: "pd.Index[str]"
    images: IntArray
    raters: IntArray
    values: FloatArray
    starts: IntArray

    @classmethod
    def of(cls, ratings: pd.DataFrame, attribute: str) -> "_Table":
        require_columns(ratings.columns, ["image_id", "rater_id", "value"], "ratings")
        votes = votes_module.of_ratings(ratings, attribute=attribute)
        raters, ids = pd.factorize(votes.frame["rater_id"], sort=True)
        if len(ids) < 2:
            raise InputError("ratings: there is one rater only; use mos, which needs no more")
        if np.ptp(votes.values) == 0:
            raise InputError("ratings: all are equal, so they tell neither images nor raters apart; use mos")
        order = np.argsort(votes.codes, kind="stable")
        return cls(
            votes.items["image_id"],
            ids,
            votes.codes[order],
            raters.astype(np.int64)[order],
            votes.values[order],
            np.flatnonzero(np.diff(votes.codes[order], prepend=-1)),
        )

    def image_sum(self, values: FloatArray) -> FloatArray:
        """(images,) the sum of a number for each rating."""
        return np.asarray(np.add.reduceat(values, self.starts), dtype=np.float64)

    def image_mean(self, values: FloatArray) -> FloatArray:
        """(images,) the mean of a number for each rating."""
        return self.image_sum(values) / np.diff(self.starts, append=self.images.size)

    def by_rater(self, values: FloatArray) -> FloatArray:
        """(raters,) the mean of a number for each rating."""
        n = len(self.rater_ids)
        total: FloatArray = np.bincount(self.raters, values, n) / np.bincount(self.raters, minlength=n)
        return total

    def counts(self) -> tuple[IntArray, IntArray]:
        """(images,) and (raters,) how many ratings each has."""
        return (
            np.bincount(self.images, minlength=len(self.image_ids)),
            np.bincount(self.raters, minlength=len(self.rater_ids)),
        )


def _p910(table: _Table, method: str, *, prior: float) -> Recovered:
    of_image, of_rater = table.counts()
    score = table.image_mean(table.values)
    bias = table.by_rater(table.values - score[table.images])
    typical = float(np.mean((table.values - score[table.images]) ** 2)) or 1.0
    # A rater's residuals are smaller than his noise, since he has a part in the scores that they are taken from.
    kept = of_rater * (1 - 1 / of_image.mean()) if prior else of_rater.astype(np.float64)
    moved, number = np.inf, 0
    trail = [score]
    while moved >= TOLERANCE and number < ITERATIONS:
        number += 1
        residual = table.values - score[table.images] - bias[table.raters]
        if prior:
            squares = np.bincount(table.raters, residual**2, of_rater.size)
            inconsistency = np.sqrt((squares + prior * typical) / (kept + prior))
        else:
            # The reference code's standard deviation is about the rater's own mean residual.
            centred = residual - table.by_rater(residual)[table.raters]
            inconsistency = np.sqrt(table.by_rater(centred**2))
        weights = (1 / (inconsistency**2 + 1e-8))[table.raters]
        before = score
        score = table.image_sum(weights * (table.values - bias[table.raters])) / table.image_sum(weights)
        moved = float(np.linalg.norm(score - before))
        trail.append(score)
        if prior and len(trail) == 3 and moved >= TOLERANCE:
            score = leap(*trail)
            trail = [score]
        bias = table.by_rater(table.values - score[table.images])
    # Only the sum of score and bias is determined: the biases' mean is 0.
    score, bias = score + bias.mean(), bias - bias.mean()
    residual = table.values - score[table.images] - bias[table.raters]
    if prior:
        share = weights / table.image_sum(weights)[table.images]
        # A rater's bias is known to v / sqrt(n) only, which matters where he has few ratings.
        unsure = np.bincount(table.images, share**2 * (inconsistency**2 / of_rater)[table.raters])
        error = np.sqrt(1 / table.image_sum(weights) + unsure)
        # A rater's part in the scores takes that much of his residuals away, his bias one more.
        free = np.maximum(np.bincount(table.raters, 1 - share, of_rater.size) - 1, 1.0)
        total = table.by_rater(residual**2) * of_rater
    else:
        centred = residual - table.image_mean(residual)[table.images]
        error = np.sqrt(table.image_mean(centred**2) / of_image)
        free, total = of_rater.astype(np.float64), of_rater * inconsistency**2
    raters = _rater_table(table, bias=bias, inconsistency=inconsistency)
    raters["inconsistency_low"] = np.sqrt(total / stats.chi2.ppf(0.975, free))
    raters["inconsistency_high"] = np.sqrt(total / stats.chi2.ppf(0.025, free))
    warnings = []
    if moved >= TOLERANCE:
        warnings.append(f"{method} did not converge in {ITERATIONS} iterations" + _cure(method))
    vanished = table.rater_ids[inconsistency < 1e-3 * np.median(inconsistency)]
    if len(vanished):
        warnings.append(
            f"the inconsistency of {len(vanished)} raters went to zero ({', '.join(map(str, vanished[:3]))}): "
            f"their images have their ratings as scores{_cure(method)}"
        )
    return _result(
        table, method, score, error, raters, converged=moved < TOLERANCE, iterations=number, warnings=warnings
    )


def _cure(method: str) -> str:
    return "; use p910, whose prior prevents it" if method == "p910-standard" else ""


def _means(
    table: _Table,
    method: str,
    values: FloatArray,
    *,
    bias: FloatArray | None = None,
    used: NDArray[np.bool_] | None = None,
) -> Recovered:
    weights = np.ones(values.size) if used is None else used[table.raters].astype(np.float64)
    n = np.bincount(table.images, weights, len(table.image_ids))
    with np.errstate(invalid="ignore", divide="ignore"):
        score = np.bincount(table.images, weights * values, n.size) / n
        squares = np.bincount(table.images, weights * (values - score[table.images]) ** 2, n.size)
        error = np.sqrt(squares / np.where(n > 1, n - 1, np.nan) / n)
    raters = _rater_table(table, bias=bias, used=used)
    warnings = []
    if (n == 0).any():
        warnings.append(f"{int((n == 0).sum())} images were rated by rejected raters only and have no score")
    free = np.where(n > 1, n - 1, np.nan)
    return _result(table, method, score, error, raters, n=n.astype(np.int64), free=free, warnings=warnings)


def _z_scores(table: _Table) -> Recovered:
    mean = table.by_rater(table.values)
    centred = table.values - mean[table.raters]
    n = table.counts()[1]
    spread = np.sqrt(np.bincount(table.raters, centred**2, n.size) / np.maximum(n - 1, 1))
    flat = (spread == 0) | (n < 2)
    z = centred / np.where(flat, 1.0, spread)[table.raters]
    # Back on the ratings' scale, so that scores of all methods can be read side by side.
    values = table.values.mean() + z * np.std(table.values, ddof=1)
    found = _means(table, "z-score", values, used=~flat)
    if not flat.any():
        return found
    sentence = f"{int(flat.sum())} raters gave one rating, or the same to all images, and are left out"
    return Recovered(
        found.scores, found.raters, found.converged, found.iterations, (*found.warnings, sentence)
    )


def _outlying(table: _Table, values: FloatArray) -> NDArray[np.bool_]:
    """(raters,) whom BT.500 leaves out: more than 5 % of his ratings lie far off, on both sides alike."""
    centred = values - table.image_mean(values)[table.images]
    second, fourth = table.image_mean(centred**2), table.image_mean(centred**4)
    with np.errstate(invalid="ignore", divide="ignore"):
        kurtosis = fourth / second**2
    width = np.where((kurtosis >= 2) & (kurtosis <= 4), 2.0, np.sqrt(20.0)) * np.sqrt(second)
    agreed = (second <= 1e-12 * second.max())[table.images]
    above = np.bincount(table.raters, (centred >= width[table.images]) & ~agreed, len(table.rater_ids))
    below = np.bincount(table.raters, (centred <= -width[table.images]) & ~agreed, len(table.rater_ids))
    off = above + below
    lopsided = np.abs(above - below) / np.maximum(off, 1)
    outlying: NDArray[np.bool_] = (off / table.counts()[1] > _OFTEN) & (lopsided < _LOPSIDED)
    return outlying


def _rater_table(
    table: _Table,
    *,
    bias: FloatArray | None = None,
    inconsistency: FloatArray | None = None,
    used: NDArray[np.bool_] | None = None,
) -> pd.DataFrame:
    n = table.counts()[1]
    unknown = np.full(n.size, np.nan)
    return pd.DataFrame(
        {
            "rater_id": table.rater_ids,
            "n": n,
            "bias": unknown if bias is None else bias,
            "inconsistency": unknown if inconsistency is None else inconsistency,
            "inconsistency_low": unknown,
            "inconsistency_high": unknown,
            "used": True if used is None else used,
        }
    )


def _result(
    table: _Table,
    method: str,
    score: FloatArray,
    error: FloatArray,
    raters: pd.DataFrame,
    *,
    n: IntArray | None = None,
    free: FloatArray | None = None,
    converged: bool = True,
    iterations: int = 1,
    warnings: list[str],
) -> Recovered:
    reach = (stats.norm.ppf(0.975) if free is None else stats.t.ppf(0.975, free)) * error
    scores = pd.DataFrame(
        {"image_id": table.image_ids, "method": method, "score": score, "standard_error": error}
    )
    scores = scores.assign(low=score - reach, high=score + reach, n=table.counts()[0] if n is None else n)
    scores["note"] = np.where(scores["n"] == 0, "rated by rejected raters only", "")
    return Recovered(scores, raters, converged, iterations, tuple(warnings))
