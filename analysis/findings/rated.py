"""What the ratings say: takes in `Answers`, gives out distributions, deviations and shapes of the stars.

distributions(of_study(study)).sort_values("sd")
"""

import pandas as pd

from photojury.analysis import distributions as distributions_module
from photojury.analysis import shapes as shapes_module
from photojury.analysis.answers import Answers
from photojury.analysis.distributions import Deviation
from photojury.analysis.findings.asked import given
from photojury.datasets.papers import number
from photojury.datasets.streams import stream_seed
from photojury.errors import InputError

LOW_MEAN, LOW_DEVIATION = 1.5, 0.2
"""Paper 1, section 3.1: of the images with a mean below 1.5, over 30 % have a deviation below 0.2."""


def images(answers: Answers) -> pd.DataFrame:
    """Rating distribution of each image: see `distributions.image_distributions`; and whether simulated.

    Images of which only histograms are known (`Answers.histograms`) stand among the others.
    """
    counted = _counted(answers)
    if len(counted) and answers.of_task("stars").empty:
        return counted
    ratings = given(answers, "stars")
    table = distributions_module.image_distributions(ratings, levels=answers.levels)
    marked = ratings["simulated"].astype(bool).groupby(ratings["image_id"]).any()
    table = table.assign(simulated=table["image_id"].map(marked))
    if counted.empty:
        return table
    return pd.concat([table, counted], ignore_index=True).sort_values("image_id", ignore_index=True)


def distributions(answers: Answers) -> pd.DataFrame:
    """`images` with bimodality (Sarle's coefficient) and divided, whether people are split about the image."""
    table = images(answers)
    shape = shapes_module.bimodality(table)
    return table.assign(bimodality=shape["bimodality"], divided=shape["divided"])


def pairs(answers: Answers) -> pd.DataFrame:
    """Distribution of the five-level answers of each pair: see `distributions.pair_distributions`."""
    return distributions_module.pair_distributions(given(answers, "five_level"))


def deviations(answers: Answers) -> pd.DataFrame:
    """Mean deviation of both kinds of rating, with each definition of deviation, beside paper 1's.

    Returns:
        task, deviation (sd, sd1 or mad), mean, standard_error, n (images or pairs), paper.
    """
    rows = []
    for task, make, paper in (
        ("stars", images, "action_shots.mean_deviation_stars"),
        ("five_level", pairs, "action_shots.mean_deviation_pairs"),
    ):
        if answers.of_task(task).empty:
            continue
        table = make(answers)
        for deviation in distributions_module.DEVIATIONS:
            spread = distributions_module.mean_deviation(table, deviation=deviation)
            row = {"task": task, "deviation": deviation, "mean": spread.mean}
            row |= {"standard_error": spread.standard_error, "n": spread.n, "paper": number(paper).value}
            rows.append(row)
    if not rows:
        given(answers, "stars")
    return pd.DataFrame(rows)


def bins(answers: Answers) -> pd.DataFrame:
    """Deviations and rating histograms in eight bins of the mean (paper 1, Figure 2).

    Returns:
        low, high, n (images), mean_deviation, median_deviation, share_below (deviation below 0.2; all sd), answers,
        and the share of the answers at each level.
    """
    table = images(answers)
    edges = distributions_module.mean_edges(*answers.scale, 8)
    spread = distributions_module.deviation_by_mean(table, edges, below=LOW_DEVIATION)
    shares = distributions_module.histograms_by_mean(table, edges)
    return spread.join(shares.drop(columns=["low", "high", "n"]))


def shapes(answers: Answers) -> pd.DataFrame:
    """How ratings spread around their means, how the means spread, how many images divide people.

    Returns:
        measure, value, low, high (95 %, where there is an interval), n, note.
    """
    table = images(answers)
    rows = [_no_interval("mean", table["mean"].mean(), len(table), "of the images' mean ratings")]
    try:
        found = shapes_module.sos(table, scale=answers.scale, seed=seed(answers, "sos"))
        note = "variance = a (mean - low)(high - mean); 0.1 to 0.3 is usual for pictures"
        rows.append(
            {
                "measure": "sos_a",
                "value": found.a,
                "low": found.low,
                "high": found.high,
                "n": found.n,
                "note": note,
            }
        )
        rows.append(_no_interval("sos_r_squared", found.r_squared, found.n, "share of the squares explained"))
    except InputError as error:
        rows.append(_no_interval("sos_a", float("nan"), len(table), str(error)))
    try:
        normal = shapes_module.normal_fit(table, seed=seed(answers, "normal"))
        rows += [
            _no_interval("normal_mean", normal.mean, normal.n, "of a normal fit of the mean ratings"),
            _no_interval("normal_sd", normal.sd, normal.n, ""),
            _no_interval("skewness", normal.skewness, normal.n, "0 for a normal distribution"),
            _no_interval("excess_kurtosis", normal.excess_kurtosis, normal.n, "0 for a normal distribution"),
            _no_interval("normal_distance", normal.distance, normal.n, "Kolmogorov and Smirnov's"),
            _no_interval(
                "normal_p",
                normal.p,
                normal.n,
                "of that distance, for normal scores rounded to means of as many ratings",
            ),
        ]
    except InputError as error:
        rows.append(_no_interval("normal_mean", float("nan"), len(table), str(error)))
    shape = shapes_module.bimodality(table)
    judged = shape[shape["n"] >= shapes_module.MIN_FOR_SHAPE]
    share = float(judged["divided"].mean()) if len(judged) else float("nan")
    rows.append(
        _no_interval("divided_share", share, len(judged), "images of 10 ratings or more with two peaks")
    )
    return pd.DataFrame(rows)


def _counted(answers: Answers) -> pd.DataFrame:
    """`images` of histograms alone; empty where there are none."""
    known = answers.histograms
    if known.empty:
        return pd.DataFrame()
    levels = answers.levels
    wide = known.pivot_table(index="image_id", columns="value", values="count", aggfunc="sum", fill_value=0)
    names = {f"n{at}": level for at, level in enumerate(levels)}
    counts = wide.reindex(columns=levels, fill_value=0).set_axis(list(names), axis=1)
    return distributions_module.counted_distributions(counts.reset_index(), names).assign(simulated=False)


def low_images(table: pd.DataFrame, deviation: Deviation = "sd") -> tuple[int, int]:
    """Of the images with a mean below 1.5: how many have a deviation below 0.2, and how many there are."""
    low = table[table["mean"] < LOW_MEAN]
    return int((low[deviation] < LOW_DEVIATION).sum()), len(low)


def seed(answers: Answers, name: str) -> int:
    """The seed of one use of randomness in the analysis of these answers."""
    return stream_seed(answers.settings.study.seed, "analysis", name)


def _no_interval(measure: str, value: float, n: int, note: str) -> dict[str, object]:
    return {
        "measure": measure,
        "value": value,
        "low": float("nan"),
        "high": float("nan"),
        "n": n,
        "note": note,
    }
