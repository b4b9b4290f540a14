"""Popularity: paper 2's score S(i) of a photo, from how often it was seen and how often it was marked a favourite.

Takes in tables of counters and of images; gives out a score in 0 to 1 for each image with its standard error, what
is odd about each, and how far the scores are from uniform. Unknown counters are never taken for 0.

    >>> seen = pd.DataFrame({"source": "flickr", "source_id": ["a", "b"], "seen_at": 0.0,
    ...                      "views": [100, 10_000], "favs": [10, 0]})
    >>> popularity(seen, form="paper")[["source_id", "score", "flag"]].values.tolist()
    [['a', 0.5, ''], ['b', nan, 'no_favs']]

Three forms of S, of F favourites in V views:

* `paper`: log F / log V (Schwarz, Wieschollek, Lensch 2018, equation 1). Any base of the logarithm gives the same.
  It has no value for F = 0, whose photos the paper leaves out, nor for V < 2; and F = 1 is 0 whatever V is.
* `smoothed`, the default: log(F + 1) / log(V + 1). The paper derives S from dF/dt = r F and dV/dt = r V, which only
  start where F = V = 1; counters start at 0, and dF/dt = r (F + 1) with F(0) = 0 has this form as its solution.
  F = 0 is 0, F = 1 is more, and for large counters it is the paper's.
* `age`: the smoothed form less what the age of the photo explains of it, by least squares on log(1 + days); as if
  all were of the median age. The paper takes S for free of time. But most photos get most of their favourites in
  their first week (Valafar, Rejaie, Willinger 2009, WOSN, abstract) and half of their views in two days (van Zwol
  2007, WI, abstract), and then go on to be seen; popularity is otherwise divided by time (Khosla, Das Sarma, Hamid
  2014, WWW), which in a ratio of logarithms would leave a share of favourites. `age_effect` says what it amounts to.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from photojury.errors import InputError, require_columns, unknown_name

FORMS = ("smoothed", "paper", "age")
METHODS = {"smoothed": "popularity", "paper": "popularity-paper", "age": "popularity-age"}
"""What each form is called in the table of scores."""

FLAGS = {
    "unknown": "the source told no views or no favourites",
    "few_views": "too few views for a score: less than 1, in the paper's form less than 2",
    "no_favs": "no favourites: no score in the paper's form, which leaves these out",
    "favs_exceed_views": "more favourites than views, which cannot be: one of the counters is wrong",
    "no_age": "when it was uploaded is not known, or lies after it was seen",
}
"""Why a row does not count, in the order in which they are looked for."""

FAR = 0.1
"""Ours: at this Kolmogorov-Smirnov distance some score has a tenth more of the images below it than if uniform."""

BINS = 20
CONFIDENCE = 0.95
LEAST_FOR_AGE = 10
"""Ours: images that a line through their ages needs at least."""

DAY = 86_400.0

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class AgeEffect:
    """The line of the smoothed score on x = log(1 + age in days).

    Attributes:
        slope, standard_error: change of the score per unit of x.
        explained: share of the scores' variance that age explains (R squared).
        rank_correlation: Spearman's, of score and age.
        reference_days: the median age, to which `form="age"` brings all scores.
        n: images.
    """

    slope: float
    standard_error: float
    explained: float
    rank_correlation: float
    reference_days: float
    n: int


@dataclass(frozen=True)
class Spread:
    """How scores are distributed, beside the uniform distribution that paper 2 found (section 4.1, figure 4).

    Attributes:
        n, mean, sd: of the scores; sd divides by n.
        low, high: the 5th and 95th percentile.
        distance, p: Kolmogorov and Smirnov's test against the uniform distribution on 0 to 1.
        distance_on_range: the same distance on the range from the smallest to the largest score.
        counts: scores in each of 20 bins between 0 and 1.
    """

    n: int
    mean: float
    sd: float
    low: float
    high: float
    distance: float
    p: float
    distance_on_range: float
    counts: tuple[int, ...]

    @property
    def warning(self) -> str:
        """A sentence where the scores are far from uniform, else empty."""
        if self.distance < FAR:
            return ""
        return (
            f"S(i) is far from uniform on 0 to 1: nine in ten lie between {self.low:.2f} and {self.high:.2f}, "
            f"Kolmogorov-Smirnov distance {self.distance:.2f} (paper 2, section 4.1: mostly uniform). Distances of "
            "scores do not mean what they mean in the paper; draw pairs and triplets by rank, or collect photos of "
            "more different success"
        )


def popularity(
    observations: pd.DataFrame, images: pd.DataFrame | None = None, *, form: str = "smoothed"
) -> pd.DataFrame:
    """Score every image by its newest counters.

    Args:
        observations: source, source_id, seen_at (seconds), views, favs; several rows for an image are visits.
        images: source, source_id, and where there are any image_id and uploaded_at (seconds); only these images
            are scored, those without observations with the flag `unknown`. Needed for form="age".
        form: smoothed, paper or age.

    Returns:
        image_id (if given), source, source_id, seen_at, views, favs, age_days (of the photo when it was seen),
        score, standard_error, low, high (95 %), flag (empty, or a name of FLAGS: the row does not count). The
        score of `favs_exceed_views` is above 1, without error; other flagged rows have none.

        Each view is taken to end in a favourite with the same chance, independently, and V as given: F is
        binomial. The standard error is the delta method's, with Laplace's (F + 1) / (V + 2) for the chance, so that
        no favourites in few views do not look certain; low and high carry Jeffreys' interval for the chance (Brown,
        Cai, DasGupta 2001, Statistical Science 16, 101) through the formula. People who look twice make both too
        narrow.

    Raises:
        InputError: a missing column, a counter that is no number or negative; for form="age", too few images
            with an age.
    """
    if form not in FORMS:
        raise unknown_name("form of S(i)", form, FORMS)
    table = _joined(newest(observations), images)
    table["age_days"] = _age(table)
    views, favs = (table[name].to_numpy(dtype=np.float64) for name in ("views", "favs"))
    table["flag"] = _flags(views, favs, paper=form == "paper")
    shift = 0.0 if form == "paper" else 1.0
    table["score"] = _ratio(favs + shift, views + shift, table["flag"].isin(["", "favs_exceed_views"]))
    good = table["flag"].eq("").to_numpy()
    table["standard_error"], table["low"], table["high"] = _errors(views, favs, good, shift)
    if form == "age":
        _take_age_out(table)
    first = [name for name in ("image_id", "source", "source_id", "seen_at", "views", "favs", "age_days")]
    last = ["score", "standard_error", "low", "high", "flag"]
    return table[[name for name in first if name in table.columns] + last]


def newest(observations: pd.DataFrame) -> pd.DataFrame:
    """The newest observation of each image that tells both views and favourites, else its newest of all.

    Args:
        observations: as for `popularity`.

    Raises:
        InputError: a missing column, or a counter that is no number or negative.
    """
    require_columns(observations.columns, ["source", "source_id", "seen_at", "views", "favs"], "observations")
    table = observations[["source", "source_id", "seen_at", "views", "favs"]].copy()
    for name in ("seen_at", "views", "favs"):
        table[name] = _numbers(table[name], name)
    table["whole"] = table[["views", "favs"]].notna().all(axis=1)
    table = table.sort_values(["whole", "seen_at"], kind="stable")
    last = table.drop_duplicates(["source", "source_id"], keep="last").drop(columns="whole")
    return last.sort_values(["source", "source_id"], ignore_index=True)


def age_effect(table: pd.DataFrame) -> AgeEffect:
    """What the age of photos explains of their scores; the paper says nothing.

    Args:
        table: of `popularity`, form smoothed or paper.

    Raises:
        InputError: fewer than 10 images with a score and an age, or all of one age.
    """
    require_columns(table.columns, ["score", "age_days", "flag"], "scores")
    used = table[table["flag"].eq("") & table["age_days"].notna()]
    if len(used) < LEAST_FOR_AGE or used["age_days"].nunique() < 2:
        raise InputError(
            f"{len(used)} images have a score and a known age (uploaded_at); what age does to S(i) needs "
            f"{LEAST_FOR_AGE} or more, of different ages. Use the form smoothed"
        )
    days, score = (used[name].to_numpy(dtype=np.float64) for name in ("age_days", "score"))
    line = stats.linregress(np.log1p(days), score)
    # A constant score has no rank correlation; age explains nothing of it.
    rank = float(stats.spearmanr(days, score).statistic) if np.ptp(score) else 0.0
    explained = float(line.rvalue) ** 2 if np.ptp(score) else 0.0
    return AgeEffect(
        float(line.slope), float(line.stderr), explained, rank, float(np.median(days)), len(used)
    )


def spread(scores: "pd.Series[float] | FloatArray") -> Spread:
    """How scores are distributed, and how far that is from uniform; missing scores are left out.

    Raises:
        InputError: there is no score, or one is infinite.
    """
    values = np.asarray(scores, dtype=np.float64)
    values = values[~np.isnan(values)]
    if not values.size or not np.isfinite(values).all():
        raise InputError("S(i) has no value for any image; views and favourites are needed of one or more")
    test = stats.kstest(values, "uniform")
    low, width = float(values.min()), float(np.ptp(values))
    on_range = float(stats.kstest((values - low) / width, "uniform").statistic) if width else 1.0
    counts, _ = np.histogram(values.clip(0, 1), bins=BINS, range=(0, 1))
    fifth, last = np.percentile(values, [5, 95])
    return Spread(
        n=values.size,
        mean=float(values.mean()),
        sd=float(values.std()),
        low=float(fifth),
        high=float(last),
        distance=float(test.statistic),
        p=float(test.pvalue),
        distance_on_range=on_range,
        counts=tuple(int(count) for count in counts),
    )


def _numbers(column: "pd.Series[float]", name: str) -> "pd.Series[float]":
    try:
        numbers = pd.to_numeric(column).astype("float64")
    except (ValueError, TypeError):
        raise InputError(f"observations: the column {name} holds something else than numbers") from None
    wrong = numbers.lt(0) | np.isinf(numbers)
    if wrong.any():
        row = int(wrong.to_numpy().argmax())
        raise InputError(f"observations, row {row}: {name} is {numbers.iloc[row]:g}; a count is 0 or more")
    return numbers


def _joined(seen: pd.DataFrame, images: pd.DataFrame | None) -> pd.DataFrame:
    if images is None:
        return seen
    require_columns(images.columns, ["source", "source_id"], "images")
    names = [name for name in ("image_id", "source", "source_id", "uploaded_at") if name in images.columns]
    return images[names].merge(seen, how="left", on=["source", "source_id"])


def _age(table: pd.DataFrame) -> "pd.Series[float]":
    if "uploaded_at" not in table.columns:
        return pd.Series(np.nan, index=table.index)
    days = (table["seen_at"] - pd.to_numeric(table["uploaded_at"]).astype("float64")) / DAY
    return days.where(days >= 0)


def _flags(views: FloatArray, favs: FloatArray, *, paper: bool) -> NDArray[np.object_]:
    unknown = np.isnan(views) | np.isnan(favs)
    cases = [unknown, ~unknown & (favs > views), views < (2 if paper else 1), (favs < 1) & paper]
    names = ["unknown", "favs_exceed_views", "few_views", "no_favs"]
    return np.select(cases, names, default="").astype(object)


def _ratio(favs: FloatArray, views: FloatArray, wanted: "pd.Series[bool]") -> FloatArray:
    """log favs / log views where wanted and defined, else NaN."""
    ok = wanted.to_numpy() & (favs > 0) & (views > 1)
    result = np.full(favs.shape, np.nan)
    result[ok] = np.log(favs[ok]) / np.log(views[ok])
    return result


def _errors(
    views: FloatArray, favs: FloatArray, good: NDArray[np.bool_], shift: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Standard error, low and high of log(F + shift) / log(V + shift)."""
    found = np.full((3, views.size), np.nan)
    v, f = views[good], favs[good]
    chance = (f + 1) / (v + 2)
    found[0, good] = np.sqrt(v * chance * (1 - chance)) / ((f + shift) * np.log(v + shift))
    tail = (1 - CONFIDENCE) / 2
    least = np.where(f > 0, stats.beta.ppf(tail, f + 0.5, v - f + 0.5), 0.0)
    most = np.where(f < v, stats.beta.ppf(1 - tail, f + 0.5, v - f + 0.5), 1.0)
    for row, limit in ((1, least), (2, most)):
        found[row, good] = np.log(v * limit + shift) / np.log(v + shift)
    return found[0], found[1], found[2]


def _take_age_out(table: pd.DataFrame) -> None:
    effect = age_effect(table)
    table.loc[table["flag"].eq("") & table["age_days"].isna(), "flag"] = "no_age"
    change = effect.slope * (np.log1p(effect.reference_days) - np.log1p(table["age_days"]))
    for name in ("score", "low", "high"):
        table[name] = (table[name] + change).where(table["flag"].eq(""))
    table["standard_error"] = table["standard_error"].where(table["flag"].eq(""))
