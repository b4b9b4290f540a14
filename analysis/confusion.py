"""Global against pairwise ratings: paper 1's confusion table (section 3.3, Table 1), decided exactly.

Takes in a ratings and a comparisons table, gives out a `Confusion`. Two images are equal by their global
ratings if |mean_1 - mean_2| <= c_g, by their pairwise ratings if |mean| <= c_p; both are decided in whole
numbers, since means of ten ratings differ by 0.1 and floats get |a - b| <= 0.3 wrong. The sign is one for
both: positive means that the first image is better (the paper's section 3.3 says the opposite of its
section 3.2). The paper does not say which rating is the row of its table; `rows` names it, pairwise unless
told otherwise.

    >>> import pandas as pd
    >>> ratings = pd.DataFrame({"image_id": ["a", "a", "b", "b"], "value": [3.0, 3.0, 1.0, 2.0]})
    >>> pairs = pd.DataFrame({"first_id": ["a", "a"], "second_id": ["b", "b"], "value": [2.0, 1.0]})
    >>> confusion(ratings, pairs).counts.loc["better", "better"]
    np.int64(1)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from photojury.analysis import pair_intervals
from photojury.analysis import votes as votes_module
from photojury.analysis.metrics import exact
from photojury.analysis.votes import PairVotes, Votes
from photojury.errors import InputError

Rows = Literal["pairwise", "global"]
Better = Literal["first", "second"]
Threshold = str | float | Fraction

OUTCOMES = ("better", "equal", "worse")
"""What one of the two ratings says of a pair's first image, in the paper's order."""

GLOBAL_SWEEP = ("0", "0.1", "0.2", "0.3", "0.4", "0.5", "0.6")
PAIRWISE_SWEEP = ("0", "0.2", "0.4", "0.6", "0.8", "1")

_TRANSPOSED = np.arange(9).reshape(3, 3).T.ravel()
_MIRRORED = np.arange(9)[::-1]


@dataclass(frozen=True)
class Confusion:
    """A 3 x 3 table of pairs and what follows from it.

    Attributes:
        counts: pairs by what the two ratings say; index (rows) and columns are better, equal, worse.
        rows: the rating that stands in the rows, pairwise or global; the other one is in the columns.
        c_g, c_p: the thresholds, as decimal fractions.
        n: pairs in the table.
        without_ratings: compared pairs left out because an image of theirs has no global rating.
        agreement, agreement_low, agreement_high: share on the diagonal, with a 95 % interval that allows for pairs
            that share an image (see pair_intervals).
        opposite, opposite_low, opposite_high: share of pairs where one rating says better and the other worse,
            likewise.
        kappa, weighted_kappa: Cohen's, without weights and with linear weights, each with a 95 % interval
            (kappa_low .. weighted_kappa_high): Fleiss, Cohen and Everitt's (1969) large-sample variance, allowing for
            shared images. All NaN where both ratings say one and the same of all pairs; the interval also where
            its formula has no width, as in full agreement.
        bowker, bowker_df, bowker_p: test that cell (i, j) equals cell (j, i): fires when one rating is
            systematically more lenient, or more often equal, than the other. Cells that are empty on
            both sides do not count in the degrees of freedom; NaN when all are.
        mirror, mirror_df, mirror_p: the same chi-square of cell (i, j) against cell (4 - i, 4 - j): with the
            order of the pairs randomised these are equal in expectation, so a small p means that being
            first mattered (paper 1's table is far from its mirror image).
    """

    counts: pd.DataFrame
    rows: Rows
    c_g: str
    c_p: str
    n: int
    without_ratings: int
    agreement: float
    agreement_low: float
    agreement_high: float
    opposite: float
    opposite_low: float
    opposite_high: float
    kappa: float
    kappa_low: float
    kappa_high: float
    weighted_kappa: float
    weighted_kappa_low: float
    weighted_kappa_high: float
    bowker: float
    bowker_df: int
    bowker_p: float
    mirror: float
    mirror_df: int
    mirror_p: float

    def row_shares(self) -> pd.DataFrame:
        """Each row divided by its sum, as the paper prints it; NaN in an empty row."""
        totals = self.counts.sum(axis=1)
        return self.counts.div(totals.where(totals > 0), axis=0)

    def column_shares(self) -> pd.DataFrame:
        """Each column divided by its sum: the paper's table, were its rows the other rating; NaN in an empty column."""
        totals = self.counts.sum(axis=0)
        return self.counts.div(totals.where(totals > 0), axis=1)

    def symmetrised(self) -> pd.DataFrame:
        """Mean of the counts and their mirror image: the table with every pair asked in both orders."""
        table = self.counts.to_numpy()
        return pd.DataFrame((table + table[::-1, ::-1]) / 2, self.counts.index, self.counts.columns)


def confusion(
    ratings: pd.DataFrame,
    comparisons: pd.DataFrame,
    *,
    c_g: Threshold = "0.3",
    c_p: Threshold = "0.2",
    rows: Rows = "pairwise",
    positive_means: Better = "first",
    attribute: str = "overall",
) -> Confusion:
    """Confusion of global against pairwise ratings over all compared pairs.

    Args:
        ratings: columns image_id and value (and attribute, where there are several).
        comparisons: columns first_id, second_id, value in -2..2 (and task; five_level is read).
        c_g: global means at most this far apart are equal; a decimal fraction, a float is read as it prints.
        c_p: pairwise means at most this far from 0 are equal.
        rows: the rating in the rows.
        positive_means: the image that a positive pairwise value prefers; second is paper 1's section 3.3 to the
            letter, against the labels that its raters saw.
        attribute: the attribute of the ratings.

    Raises:
        InputError: a missing column or a broken value, or no compared pair has both its images rated.
    """
    _check_named("rows", rows, get_args(Rows))
    _check_named("positive_means", positive_means, get_args(Better))
    judged = _Judged.of(ratings, comparisons, attribute)
    by_ratings, by_pairs = judged.by_ratings(exact(c_g, "c_g")), judged.by_pairs(exact(c_p, "c_p"))
    if positive_means == "second":
        by_pairs = 2 - by_pairs
    row, column = (by_pairs, by_ratings) if rows == "pairwise" else (by_ratings, by_pairs)
    table = np.bincount(3 * row + column, minlength=9).reshape(3, 3)
    return Confusion(
        pd.DataFrame(table, pd.Index(OUTCOMES, name=rows), list(OUTCOMES)),
        rows,
        str(c_g),
        str(c_p),
        int(table.sum()),
        judged.without_ratings,
        *judged.share(row == column),
        *judged.share(np.abs(row - column) == 2),
        *judged.kappa(row, column, 1.0 - np.eye(3)),
        *judged.kappa(row, column, np.abs(np.subtract.outer(np.arange(3), np.arange(3)))),
        *_balance(table, _TRANSPOSED),
        *_balance(table, _MIRRORED),
    )


def sweep(
    ratings: pd.DataFrame,
    comparisons: pd.DataFrame,
    *,
    c_g: Sequence[Threshold] = GLOBAL_SWEEP,
    c_p: Sequence[Threshold] = PAIRWISE_SWEEP,
    attribute: str = "overall",
) -> pd.DataFrame:
    """Agreement over a grid of thresholds (paper 1: about 60 % to 75 %).

    Returns:
        c_g, c_p (as text), agreement, opposite, n; one row per pair of thresholds.
    """
    judged = _Judged.of(ratings, comparisons, attribute)
    by_pairs = [(second, judged.by_pairs(exact(second, "c_p"))) for second in c_p]
    found = []
    for first in c_g:
        one = judged.by_ratings(exact(first, "c_g"))
        for second, other in by_pairs:
            found.append(
                {
                    "c_g": str(first),
                    "c_p": str(second),
                    "agreement": float((one == other).mean()),
                    "opposite": float((np.abs(one - other) == 2).mean()),
                    "n": one.size,
                }
            )
    return pd.DataFrame(found)


@dataclass(frozen=True)
class _Judged:
    """Pairs with both kinds of rating: their images, exact sums (in whole steps) and numbers of votes."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    sums: tuple[NDArray[np.int64], NDArray[np.int64]]
    sizes: tuple[NDArray[np.int64], NDArray[np.int64]]
    rating_step: int
    pair_sums: NDArray[np.int64]
    pair_sizes: NDArray[np.int64]
    pair_step: int
    without_ratings: int

    @classmethod
    def of(cls, ratings: pd.DataFrame, comparisons: pd.DataFrame, attribute: str) -> "_Judged":
        images = votes_module.of_ratings(ratings, attribute=attribute)
        pairs = votes_module.of_comparisons(comparisons, task="five_level")
        first, second = _positions(images, pairs)
        both = (first >= 0) & (second >= 0)
        if not both.any():
            raise InputError(
                "confusion: no compared pair has both its images rated; rate the images of the pairs"
            )
        sums, step = images.whole_sums()
        sizes = images.counts()
        pair_sums, pair_step = pairs.whole_sums()
        first, second = first[both], second[both]
        return cls(
            first,
            second,
            (sums[first], sums[second]),
            (sizes[first], sizes[second]),
            step,
            pair_sums[both],
            pairs.counts()[both],
            pair_step,
            int((~both).sum()),
        )

    def by_ratings(self, c_g: Fraction) -> NDArray[np.int64]:
        """0 better, 1 equal, 2 worse for each pair, by the ratings of its images."""
        crossed = self.sums[0] * self.sizes[1] - self.sums[1] * self.sizes[0]
        return _outcome(crossed, self.sizes[0] * self.sizes[1] * self.rating_step, c_g)

    def by_pairs(self, c_p: Fraction) -> NDArray[np.int64]:
        """The same by its pairwise ratings."""
        return _outcome(self.pair_sums, self.pair_sizes * self.pair_step, c_p)

    def share(self, counted: NDArray[np.bool_]) -> tuple[float, float, float]:
        """A share of the pairs with its interval."""
        found = pair_intervals.share(counted.astype(np.int64), np.ones(counted.size), self.first, self.second)
        return found.value, found.low, found.high

    def kappa(
        self, row: NDArray[np.int64], column: NDArray[np.int64], apart: NDArray[np.number]
    ) -> tuple[float, float, float]:
        """Cohen's kappa with its interval; `apart` (3, 3) is how far two outcomes are from each other."""
        p = np.bincount(3 * row + column, minlength=9).reshape(3, 3) / row.size
        rows, columns = p.sum(axis=1), p.sum(axis=0)
        observed, expected = float((apart * p).sum()), float(rows @ apart @ columns)
        if p.diagonal().max() == 1:  # both ratings say the same of every pair: kappa is 0/0
            return np.nan, np.nan, np.nan
        # What a pair in each cell adds to kappa's error: kappa's derivative by the cell's share.
        by_cell = observed * ((apart @ columns)[:, None] + rows @ apart) / expected**2 - apart / expected
        parts = (by_cell - (by_cell * p).sum())[row, column] / row.size
        found = pair_intervals.around(1 - observed / expected, parts, self.first, self.second)
        return found.value, float(np.maximum(found.low, -1)), float(np.minimum(found.high, 1))


def _outcome(above: NDArray[np.int64], below: NDArray[np.int64], threshold: Fraction) -> NDArray[np.int64]:
    """Compare the fractions above/below with +-threshold, exactly: 0 where larger, 1 where within, 2 where smaller."""
    largest = max(int(np.abs(above).max()) * threshold.denominator, int(below.max()) * threshold.numerator)
    kind = np.int64 if largest < 2**62 else object  # Python's integers where 64 bits would not do
    left = np.abs(above).astype(kind) * threshold.denominator
    equal = (left <= below.astype(kind) * threshold.numerator).astype(bool)
    return np.where(equal, 1, np.where(above > 0, 0, 2)).astype(np.int64)


def _positions(images: Votes, pairs: PairVotes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    place = pd.Index(images.items["image_id"]).get_indexer(pairs.images).astype(np.int64)
    return place[pairs.ends[:, 0]], place[pairs.ends[:, 1]]


def _balance(table: NDArray[np.int64], partner: NDArray[np.int64]) -> tuple[float, int, float]:
    """Chi-square of each cell against its partner under an exchange of cells: statistic, df, p."""
    cells = table.ravel()
    others = cells[partner]
    used = (np.arange(9) < partner) & (cells + others > 0)  # each couple once, empty couples never
    df = int(used.sum())
    if df == 0:
        return np.nan, 0, np.nan
    statistic = float((np.square(cells - others)[used] / (cells + others)[used]).sum())
    return statistic, df, float(stats.chi2.sf(statistic, df))


def _check_named(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise InputError(f"{name} must be {' or '.join(known)}, not {value!r}")
