"""What a study's answers are worth, one table per question: the analyses with the study's own settings.

Takes in `Answers` and `Settings`, gives out DataFrames (and the richer results behind them). A table that cannot
be made yet raises an InputError that says what is missing and how to get it; `tables` leaves those out.

    study = open_study(Path("demo-study"))
    table("confusion", of_study(study), study.settings)
"""

from collections.abc import Callable

import pandas as pd

from photojury.analysis import confusion as confusion_module
from photojury.analysis import consistency as consistency_module
from photojury.analysis import distributions, forced_choice
from photojury.analysis.answers import TASKS, Answers, of_study
from photojury.analysis.confusion import Confusion
from photojury.analysis.consistency import Consistency
from photojury.analysis.distributions import Deviation
from photojury.analysis.forced_choice import Agreement
from photojury.analysis.scores import mos as mos_module
from photojury.datasets.papers import number
from photojury.datasets.store import Study
from photojury.datasets.streams import stream_seed
from photojury.errors import InputError, unknown_name
from photojury.settings import Settings

LOW_MEAN, LOW_DEVIATION = 1.5, 0.2
"""Paper 1, section 3.1: of the images with a mean below 1.5, over 30 % have a deviation below 0.2."""


def counts(answers: Answers, settings: Settings) -> pd.DataFrame:
    """What was asked and answered, one row per task.

    Returns:
        task, units, hits, published (HITs that a marketplace has), assignments, used (assignments that enter
        the analysis), answers (that enter it), raters, median_seconds (of an answer), simulated_share.
    """
    tasks = answers.hits.set_index("hit_key")["task"]
    assigned = answers.assignments["hit_key"].map(tasks)
    rows = []
    for task in TASKS:
        given = answers.of_task(task)
        if task in ("attributes", "series") and task not in set(tasks):
            continue  # the demo's three are always listed, these where somebody planned them
        rows.append(
            {
                "task": task,
                "units": int(((answers.units["task"] == task) & answers.units["control"].isna()).sum()),
                "hits": int((tasks == task).sum()),
                "published": int(answers.hits[answers.hits["task"] == task]["hit_id"].notna().sum()),
                "assignments": int((assigned == task).sum()),
                "used": int((answers.assignments["use"].astype(bool) & (assigned == task)).sum()),
                "answers": len(given),
                "raters": given["rater_id"].nunique(),
                "median_seconds": pd.to_numeric(given["milliseconds"]).median() / 1000,
                "simulated_share": given["simulated"].astype(bool).mean(),
            }
        )
    return pd.DataFrame(rows)


def payments(answers: Answers, settings: Settings) -> pd.DataFrame:
    """What was paid and is due: kind, state, n (payments), amount (cents), currency, simulated_share."""
    table = answers.payments.assign(simulated=answers.payments["simulated"].astype(bool))
    grouped = table.groupby(["kind", "state", "currency"], as_index=False)
    return grouped.agg(n=("amount", "size"), amount=("amount", "sum"), simulated_share=("simulated", "mean"))


def images(answers: Answers, settings: Settings) -> pd.DataFrame:
    """Rating distribution of each image: see `distributions.image_distributions`; and whether simulated."""
    ratings = _given(answers, "stars")
    table = distributions.image_distributions(ratings, levels=_levels(settings))
    marked = ratings["simulated"].astype(bool).groupby(ratings["image_id"]).any()
    return table.assign(simulated=table["image_id"].map(marked))


def pairs(answers: Answers, settings: Settings) -> pd.DataFrame:
    """Distribution of the five-level answers of each pair: see `distributions.pair_distributions`."""
    return distributions.pair_distributions(_given(answers, "five_level"))


def deviations(answers: Answers, settings: Settings) -> pd.DataFrame:
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
        for deviation in distributions.DEVIATIONS:
            spread = distributions.mean_deviation(make(answers, settings), deviation=deviation)
            row = {"task": task, "deviation": deviation, "mean": spread.mean}
            row |= {"standard_error": spread.standard_error, "n": spread.n, "paper": number(paper).value}
            rows.append(row)
    if not rows:
        _given(answers, "stars")
    return pd.DataFrame(rows)


def low_images(table: pd.DataFrame, deviation: Deviation = "sd") -> tuple[int, int]:
    """Of the images with a mean below 1.5: how many have a deviation below 0.2, and how many there are."""
    low = table[table["mean"] < LOW_MEAN]
    return int((low[deviation] < LOW_DEVIATION).sum()), len(low)


def confusion(answers: Answers, settings: Settings) -> Confusion:
    """Global against pairwise ratings at the study's thresholds c_g and c_p."""
    ratings, comparisons = _given(answers, "stars"), _given(answers, "five_level")
    wanted = settings.analysis
    return confusion_module.confusion(ratings, comparisons, c_g=wanted.c_g, c_p=wanted.c_p)


def sweep(answers: Answers, settings: Settings) -> pd.DataFrame:
    """Agreement of the two kinds of rating over a grid of thresholds."""
    return confusion_module.sweep(_given(answers, "stars"), _given(answers, "five_level"))


def consistency(answers: Answers, settings: Settings) -> Consistency:
    """Agreement within each HIT of the stars task, at the study's false discovery rate."""
    ratings = _given(answers, "stars")
    seed = stream_seed(settings.study.seed, "analysis", "consistency")
    return consistency_module.consistency(ratings, seed=seed, alpha=settings.analysis.alpha)


def agreement(answers: Answers, settings: Settings) -> Agreement:
    """Forced choices against the mean opinion score put on 0..1, by the distance of the scores."""
    choices = _given(answers, "forced_choice")
    rated = scores(answers, settings)
    low, high = _scale(settings)
    rated["score"] = (rated["score"] - low) / (high - low)
    seed = stream_seed(settings.study.seed, "analysis", "forced_choice")
    return forced_choice.agreement_by_distance(choices, rated, seed=seed)


def scores(answers: Answers, settings: Settings) -> pd.DataFrame:
    """Mean opinion score of each image: see `mos.mos`."""
    return mos_module.mos(_given(answers, "stars"), scale=_scale(settings))


def save_scores(study: Study) -> pd.DataFrame:
    """Compute the mean opinion scores and put them into the study's `scores` table, in the place of older ones."""
    table = scores(of_study(study), study.settings)
    columns = ["image_id", "method", "score", "standard_error", "simulated"]
    study.replace("scores", table[columns], {"method": mos_module.METHOD})
    return table


def table(name: str, answers: Answers, settings: Settings) -> pd.DataFrame:
    """One of `TABLES`.

    Raises:
        InputError: there is no such table, or what it needs is not there yet.
    """
    if name not in TABLES:
        raise unknown_name("table", name, TABLES)
    return TABLES[name](answers, settings)


def tables(answers: Answers, settings: Settings) -> dict[str, pd.DataFrame]:
    """All of `TABLES` that can be made from the answers there are."""
    made = {}
    for name in TABLES:
        try:
            made[name] = table(name, answers, settings)
        except InputError:
            continue
    return made


def _confusion_table(answers: Answers, settings: Settings) -> pd.DataFrame:
    """One row per cell, with counts and row shares."""
    found = confusion(answers, settings)
    shares = found.row_shares()
    rows = [
        {
            "pairwise": row,
            "global": column,
            "pairs": found.counts.loc[row, column],
            "row_share": shares.loc[row, column],
            "paper_row_share": number(f"action_shots.confusion_{row}_{column}").value,
        }
        for row in found.counts.index
        for column in found.counts.columns
    ]
    return pd.DataFrame(rows).assign(c_g=found.c_g, c_p=found.c_p)


def _consistency_table(answers: Answers, settings: Settings) -> pd.DataFrame:
    return consistency(answers, settings).batches


def _agreement_table(answers: Answers, settings: Settings) -> pd.DataFrame:
    return agreement(answers, settings).table


TABLES: dict[str, Callable[[Answers, Settings], pd.DataFrame]] = {
    "counts": counts,
    "payments": payments,
    "distributions": images,
    "deviations": deviations,
    "confusion": _confusion_table,
    "consistency": _consistency_table,
    "forced-choice": _agreement_table,
    "scores": scores,
}
"""The tables of `photojury analyze TABLE`."""


def _given(answers: Answers, task: str) -> pd.DataFrame:
    given = answers.of_task(task)
    if given.empty:
        raise InputError(
            f"there are no answers to the task {task} ({TASKS[task]}) that enter the analysis; "
            "get them with: photojury annotate publish, then photojury annotate fetch"
        )
    return given


def _scale(settings: Settings) -> tuple[float, float]:
    return 1.0, float(settings.stars.levels)


def _levels(settings: Settings) -> list[float]:
    return [float(level) for level in range(1, settings.stars.levels + 1)]
