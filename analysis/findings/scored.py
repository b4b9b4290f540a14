"""Scores of the images by each method: takes in `Answers`, gives out one row per image, best first.

scores(of_study(study), "p910")
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

from photojury.analysis.answers import Answers
from photojury.analysis.findings.asked import given
from photojury.analysis.scores import dawid_skene, joint, paired, recovery
from photojury.analysis.scores import mos as mos_module
from photojury.datasets.store import Study
from photojury.errors import InputError, unknown_name

METHODS: dict[str, str] = {
    "mos": "mean of the stars, with a binomial interval",
    "mos-t": "mean of the stars, with Student's t interval",
    "p910": "stars, raters' bias and inconsistency by ITU-T P.910, kept finite by a prior",
    "p910-standard": "the same as the standard prints it",
    "p913": "stars, raters' bias taken off (ITU-T P.913, 12.4)",
    "bt500": "stars, outlying raters left out (ITU-R BT.500)",
    "z-score": "stars, each rater put on mean 0 and deviation 1",
    "dawid-skene": "expected level of the stars, raters' confusions estimated (Dawid and Skene 1979)",
    "bradley-terry": "pairs, who won",
    "thurstone": "pairs, who won, normal",
    "davidson": "pairs with ties",
    "rao-kupper": "pairs with ties, by thresholds",
    "cumulative": "pairs on five levels, cumulative logit",
    "cumulative-probit": "pairs on five levels, cumulative probit",
    "adjacent": "pairs on five levels, adjacent categories (paper 1, equations 5 and 6)",
    "joint": "stars and pairs on one scale",
}
"""Each method with what it reads."""

COLUMNS = ("image_id", "method", "score", "standard_error", "low", "high", "n", "note", "simulated")


def scores(answers: Answers, method: str = "mos") -> pd.DataFrame:
    """Scores of all images by one of METHODS.

    Returns:
        COLUMNS, best first; low and high are 95 %.

    Raises:
        InputError: an unknown method, or no answers of the kind that it reads.
    """
    if method not in METHODS:
        raise unknown_name("method", method, METHODS)
    table = _MAKERS[method](answers) if method in _MAKERS else _of_pairs(answers, method)
    table = table.assign(method=method)
    if "simulated" not in table:
        table = table.assign(simulated=table["image_id"].isin(_simulated(answers)))
    missing = {name: np.nan if name != "note" else "" for name in COLUMNS if name not in table}
    return table.assign(**missing)[list(COLUMNS)].sort_values(
        ["score", "image_id"], ascending=[False, True], ignore_index=True
    )


def mos(answers: Answers) -> pd.DataFrame:
    """Mean opinion score of each image: see `mos.mos`; of histograms where single ratings are not known."""
    if answers.histograms.empty:
        given(answers, "stars")  # says what is missing
    low, high = answers.scale
    whole = float(high - low).is_integer() and (pd.Series(answers.levels) - low).mod(1).eq(0).all()
    # Between whole steps the binomial interval has no meaning.
    return _mos(answers, (low, high) if whole else None)


def save(study: Study, table: pd.DataFrame) -> None:
    """Put the scores of one method into the study's `scores` table, in the place of older ones."""
    method = str(table["method"].iloc[0])
    rows = table[["image_id", "method", "score", "standard_error", "simulated"]]
    study.replace("scores", rows[np.isfinite(rows["score"])], {"method": method})


def task_of(answers: Answers, method: str) -> str:
    """The task on pairs that a paired method reads: the first of those with answers that it can read.

    Raises:
        InputError: there is none.
    """
    levels = paired.MODELS[method][1] if method in paired.MODELS else 0
    tasks = ["five_level"] if levels == 5 else ["five_level", "forced_choice", "series"]
    found = next((task for task in tasks if len(answers.of_task(task))), None)
    if found is None:
        given(answers, tasks[0])
    return str(found)


def _mos(answers: Answers, scale: tuple[float, float] | None) -> pd.DataFrame:
    counts = answers.histograms
    parts = [mos_module.mos_of_counts(counts, scale=scale)] if len(counts) else []
    if not parts or len(answers.of_task("stars")):
        parts.append(mos_module.mos(given(answers, "stars"), scale=scale))
    return pd.concat(parts, ignore_index=True)


def _of_pairs(answers: Answers, method: str) -> pd.DataFrame:
    task = task_of(answers, method)
    found = paired.fit(answers.of_task(task), method, task=task)
    return _noted(found.scores, found.warnings, found.converged)


def _recovered(answers: Answers, method: str) -> pd.DataFrame:
    found = recovery.recover(given(answers, "stars"), method)
    return _noted(found.scores, found.warnings, found.converged)


def _joint(answers: Answers) -> pd.DataFrame:
    task = task_of(answers, "joint")
    found = joint.fit(given(answers, "stars"), answers.of_task(task), task=task)
    table = found.scores.assign(n=found.scores["ratings"] + found.scores["comparisons"], note="")
    return _noted(table, (), found.converged)


def _dawid_skene(answers: Answers) -> pd.DataFrame:
    ratings = given(answers, "stars")
    if ratings["rater_id"].nunique() < 2:
        raise InputError("there is one rater only, so nobody's confusions can be told; use mos")
    if ratings["rater_id"].value_counts().median() < 2:
        raise InputError("most raters gave one rating, so their confusions cannot be told; use mos")
    found = dawid_skene.fit(ratings, smoothing=1.0)
    levels = np.asarray(found.levels)
    expected = found.probabilities @ levels
    # The posterior's spread, not a sampling error: it says how sure the model is of the level.
    spread = np.sqrt(np.maximum(found.probabilities @ levels**2 - expected**2, 0.0))
    table = found.classes[["image_id", "n"]].assign(score=expected, standard_error=spread)
    return _noted(table, (), found.converged)


def _noted(table: pd.DataFrame, warnings: tuple[str, ...], converged: bool) -> pd.DataFrame:
    """A fit's table with its warnings in every image's note, so that no reader of a CSV misses them."""
    said = [*warnings] if converged else [*warnings, "the fit did not converge"]
    if not said:
        return table
    before = table["note"] if "note" in table else pd.Series("", index=table.index)
    return table.assign(note=[". ".join(filter(None, [str(own), *said])) for own in before])


def _simulated(answers: Answers) -> set[str]:
    marked = answers.ratings[answers.ratings["simulated"].astype(bool)]["image_id"]
    pairs = answers.comparisons[answers.comparisons["simulated"].astype(bool)]
    return set(marked) | set(pairs["first_id"]) | set(pairs["second_id"])


_MAKERS: dict[str, Callable[[Answers], pd.DataFrame]] = {
    "mos": mos,
    "mos-t": lambda answers: _mos(answers, None),
    **{
        name: lambda answers, name=name: _recovered(answers, name)  # type: ignore[misc]
        for name in recovery.METHODS
    },
    "dawid-skene": _dawid_skene,
    "joint": _joint,
}
