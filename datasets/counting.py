"""Which answers count: the one rule that the analysis, the training data and releases share.

Takes in the tables of answers, assignments and units; gives out, for each answer, why it does not count.

    >>> reasons = not_counted(ratings, assignments, units)      # doctest: +SKIP
    >>> ratings[reasons.isna()]                                 # doctest: +SKIP
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

UNUSED = "answers of assignments that are not used"
CONTROL = "answers to control questions and repeats"


def one_scale(ratings: pd.DataFrame) -> pd.DataFrame:
    """The overall ratings of one task: stars where there are any, else attributes; two scales are never mixed.

    Args:
        ratings: attribute, task (null for stars).
    """
    overall = ratings[ratings["attribute"] == "overall"]
    stars = overall[overall["task"].fillna("stars") == "stars"]
    return stars if len(stars) else overall


def assignment_of(answers: pd.DataFrame, assignments: pd.DataFrame) -> NDArray[np.int64]:
    """(answers,) the row of `assignments`, by position, that each answer was given in; -1 where there is none.

    An assignment is known by assignment_id and rater_id together.
    """
    if assignments["assignment_id"].is_unique:
        found = pd.Index(assignments["assignment_id"]).get_indexer(pd.Index(answers["assignment_id"]))
        if not len(assignments):
            return np.asarray(found, dtype=np.int64)
        whose = pd.Series(assignments["rater_id"].array.take(found), index=answers.index)
        same = whose.eq(answers["rater_id"]).to_numpy(dtype=bool, na_value=False)
        return np.where((found < 0) | ~same, -1, found).astype(np.int64)
    names = ["assignment_id", "rater_id"]
    keys = pd.MultiIndex.from_frame(assignments[names])
    return keys.get_indexer(pd.MultiIndex.from_frame(answers[names])).astype(np.int64)


def not_counted(
    answers: pd.DataFrame,
    assignments: pd.DataFrame,
    units: pd.DataFrame,
    *,
    given_in: NDArray[np.int64] | None = None,
) -> "pd.Series[str]":
    """The reason why each answer does not count, with the index of `answers`; missing where it counts.

    Args:
        answers: assignment_id, rater_id, unit_id.
        assignments: assignment_id, rater_id, use.
        units: unit_id, control, gold, repeat_of.
        given_in: (answers,) of `assignment_of`, where that is known already.
    """
    if given_in is None:
        given_in = assignment_of(answers, assignments)
    # An answer of no assignment takes the last entry.
    used = np.append(assignments["use"].eq(True).to_numpy(dtype=bool), False)[given_in]
    control = units[units[["control", "gold", "repeat_of"]].notna().any(axis=1)]["unit_id"]
    reasons = pd.Series(None, index=answers.index, dtype="object")
    if len(control):
        reasons[answers["unit_id"].isin(control).to_numpy(dtype=bool)] = CONTROL
    reasons[~used] = UNUSED
    return reasons
