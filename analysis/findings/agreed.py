"""Whether raters agree, and who does not: batches, raters against the mean, coefficients, the rater panel.

consistency(of_study(study)).share_significant()
"""

from collections.abc import Callable
from dataclasses import asdict
from functools import partial

import numpy as np
import pandas as pd
import sqlalchemy as sa

from photojury.analysis import agreement as coefficients_module
from photojury.analysis import consistency as consistency_module
from photojury.analysis import planning, rater_agreement, rater_checks, rater_course
from photojury.analysis import raters as raters_module
from photojury.analysis import workload as workload_module
from photojury.analysis.answers import Answers
from photojury.analysis.bootstrap import Estimate
from photojury.analysis.consistency import Consistency
from photojury.analysis.findings.asked import PAIRED, given
from photojury.analysis.findings.rated import seed
from photojury.datasets import tables
from photojury.datasets.papers import number
from photojury.errors import InputError

POWER_CORRELATIONS = (0.2, 0.3, 0.36, 0.45, 0.55, 0.65)
"""Correlations of two raters for the power table; paper 4's Table 6 implies 0.32 to 0.38."""

_PAPER_TIERS = {0: "aadb.rater_rho_all", 100: "aadb.rater_rho_100", 200: "aadb.rater_rho_200"}


def consistency(answers: Answers) -> Consistency:
    """Agreement within each HIT of the stars task, at the study's false discovery rate."""
    ratings = given(answers, "stars")
    if "hit_key" not in ratings or ratings["hit_key"].isna().all():
        raise InputError(f"the ratings of {answers.place} do not say their batch (hit_key)")
    known = ratings[ratings["hit_key"].notna()]
    alpha = answers.settings.analysis.alpha
    return answers.once(
        "consistency",
        lambda: consistency_module.consistency(known, seed=seed(answers, "consistency"), alpha=alpha),
    )


def batches(answers: Answers) -> pd.DataFrame:
    """One row per HIT: see `consistency.Consistency`."""
    return consistency(answers).batches


def variants(answers: Answers) -> pd.DataFrame:
    """The batch test and its variants in one table: see `consistency.Consistency.summary`."""
    return consistency(answers).summary()


def odd_raters(answers: Answers) -> pd.DataFrame:
    """The odd one in each HIT that fails: see `consistency.Consistency.odd_raters`."""
    return consistency(answers).odd_raters()


def power(answers: Answers) -> pd.DataFrame:
    """How many batches of this study's shape such tests find, for raters who agree more or less.

    Returns:
        correlation (of two raters), raters, images (of a batch: the study's medians), significant (share, simulated).
    """
    found = consistency(answers).batches
    raters = max(2, round(float(found["raters"].median())))
    images = max(3, round(float(found["images"].median())))
    rows = []
    for correlation in POWER_CORRELATIONS:
        share = planning.consistency_power(
            raters=raters, images=images, correlation=correlation, seed=seed(answers, "power")
        )
        rows.append({"correlation": correlation, "raters": raters, "images": images, "significant": share})
    return pd.DataFrame(rows)


def tiers(answers: Answers) -> pd.DataFrame:
    """Raters against the mean by workload (paper 4, Table 6): see `rater_agreement.AgainstMean.tiers`; with `paper`."""
    table = rater_agreement.against_mean(given(answers, "stars")).tiers
    table["paper"] = [number(_PAPER_TIERS[int(tier)]).value for tier in table["more_than"]]
    return table


def coefficients(answers: Answers) -> pd.DataFrame:
    """Coefficients of agreement of the stars: see `coefficients_of`."""
    return coefficients_of(given(answers, "stars"), chance=seed(answers, "agreement"))


def coefficients_of(ratings: pd.DataFrame, *, chance: int) -> pd.DataFrame:
    """Coefficients of agreement of ratings: Krippendorff's alpha, Fleiss' kappa, ICC, split halves.

    Args:
        ratings: columns image_id, rater_id, value.
        chance: seed of the bootstraps and of the halves.

    Returns:
        coefficient, value, low, high (95 %), n (images), note; NaN with the reason where one cannot be had.

    Raises:
        InputError: no ratings, one rater or one image only.
    """
    if ratings["rater_id"].nunique() < 2:
        raise InputError("there is one rater only, so there is nobody to agree with")
    if ratings["image_id"].nunique() < 2:
        raise InputError("there is one image only, so agreement about images cannot be measured")
    if ratings["value"].nunique() < 2:
        raise InputError("all ratings are equal: chance would agree as well, so no coefficient is defined")
    makers: dict[str, Callable[[], Estimate]] = {
        f"alpha_{scale}": partial(coefficients_module.alpha, ratings, scale, seed=chance)
        for scale in coefficients_module.SCALES
    }
    makers["fleiss_kappa"] = lambda: coefficients_module.fleiss_kappa(ratings, seed=chance)
    makers["split_half"] = lambda: coefficients_module.split_half(ratings, seed=chance)
    rows = []
    for name, make in makers.items():
        try:
            found = make()
            rows.append(_row(name, found.value, found.low, found.high, found.n, found.note))
        except InputError as error:
            rows.append(_row(name, np.nan, np.nan, np.nan, 0, str(error)))
    return pd.DataFrame([*rows, *_icc(ratings)])


def raters(answers: Answers) -> pd.DataFrame:
    """`panel` with longest_run_p: whether so long a run of equal answers is chance (see `rater_checks.runs`)."""
    runs = rater_checks.runs(in_order(given(answers, "stars")), seed=seed(answers, "runs"))
    runs = runs[["rater_id", "p_adjusted"]].rename(columns={"p_adjusted": "longest_run_p"})
    return panel(answers).merge(runs, on="rater_id", how="left")


def panel(answers: Answers) -> pd.DataFrame:
    """The rater panel of the stars: see `raters.panel`; with gold, repeats, side bias and verdicts where there are any."""
    table = raters_module.panel(in_order(given(answers, "stars")))
    if answers.study is not None:
        everything = in_order(answers.tables.read("ratings"))
        table = table.merge(raters_module.gold(everything, answers.units), on="rater_id", how="left")
        table = table.merge(raters_module.repeats(everything, answers.units), on="rater_id", how="left")
        said = answers.study.rows(sa.select(tables.verdicts.c.rater_id, tables.verdicts.c.rule))
        rules = pd.DataFrame(said, columns=["rater_id", "rule"]).drop_duplicates()
        verdicts = rules.groupby("rater_id")["rule"].agg(", ".join).rename("verdicts").reset_index()
        table = table.merge(verdicts, on="rater_id", how="left")
    pairs = answers.comparisons
    if "first_shown_left" in pairs:
        pairs = pairs[pairs["first_shown_left"].notna() & pairs["value"].ne(0)]
        if len(pairs):
            bias = raters_module.side_bias(pairs)[["rater_id", "left", "p_adjusted"]]
            table = table.merge(bias.rename(columns={"p_adjusted": "left_p"}), on="rater_id", how="left")
    return table


def workload(answers: Answers) -> pd.DataFrame:
    """How the stars spread over images, raters and levels: measure, value; see `workload.Workload`."""
    found = asdict(workload_module.workload(given(answers, "stars")))
    rows = []
    for name, value in found.items():
        if isinstance(value, tuple):
            ends = ("least", "median", "most")
            rows += [(f"{name}_{end}", part) for end, part in zip(ends, value, strict=True)]
        else:
            rows.append((name, value))
    return pd.DataFrame(rows, columns=["measure", "value"]).astype({"value": float})


def changes(answers: Answers) -> pd.DataFrame:
    """Who suddenly became stricter or milder: see `rater_course.changes`."""
    return rater_course.changes(in_order(given(answers, "stars")))


def learning(answers: Answers) -> pd.DataFrame:
    """Whether raters get more exact and faster with practice: a row each for error and time.

    Returns:
        of, slope (on log of the order), standard_error, low, high (95 %), p, n, raters.
    """
    found = rater_course.learning(in_order(given(answers, "stars")))
    rows = [{"of": "absolute error (stars)", **asdict(found.error)}]
    if found.time is not None:
        rows.append({"of": "log of the time", **asdict(found.time)})
    return pd.DataFrame(rows)


def majorities(answers: Answers) -> pd.DataFrame:
    """How often each rater sides with the majority of the others: see `rater_checks.majority`; with the task.

    Raises:
        InputError: nothing was compared, or no pair has a majority.
    """
    found, reason = [], "nothing was compared yet"
    for task in PAIRED:
        table = answers.of_task(task)
        if len(table):
            try:
                found.append(rater_checks.majority(table, task=task).assign(task=task))
            except InputError as error:
                reason = str(error)
    if not found:
        raise InputError(reason)
    return pd.concat(found, ignore_index=True)


def drift(answers: Answers) -> pd.DataFrame:
    """Control charts of raters who become stricter or milder: see `raters.drift`."""
    return raters_module.drift(in_order(given(answers, "stars")))


def in_order(ratings: pd.DataFrame) -> pd.DataFrame:
    """Ratings in the order given, as far as it is known."""
    keys = [name for name in ("submitted_at", "position_in_hit") if name in ratings]
    return ratings.sort_values(keys, kind="stable", ignore_index=True) if keys else ratings


def _icc(ratings: pd.DataFrame) -> list[dict[str, object]]:
    try:
        found = asdict(coefficients_module.icc(ratings))
    except InputError as error:
        return [_row("icc_1", np.nan, np.nan, np.nan, 0, str(error))]
    low, high, images = found["low"], found["high"], found["images"]
    each = f"{found['k']:.1f} ratings an image"
    return [
        _row("icc_1", found["single"], low, high, images, "correlation of two ratings of one image"),
        _row("icc_1_k", found["average"], np.nan, np.nan, images, f"reliability of a mean of {each}"),
    ]


def _row(name: str, value: float, low: float, high: float, n: int, note: str) -> dict[str, object]:
    return {"coefficient": name, "value": value, "low": low, "high": high, "n": n, "note": note}
