"""Which answers count: the one rule that the analysis, the training data and releases share.

Takes in the tables of answers, assignments and units; gives out, for each answer, why it does not count.

    >>> reasons = not_counted(ratings, assignments, units)      # doctest: +SKIP
    >>> ratings[reasons.isna()]                                 # doctest: +SKIP
"""

import pandas as pd

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


def not_counted(answers: pd.DataFrame, assignments: pd.DataFrame, units: pd.DataFrame) -> "pd.Series[str]":
    """The reason why each answer does not count, with the index of `answers`; missing where it counts.

    Args:
        answers: assignment_id, rater_id, unit_id.
        assignments: assignment_id, rater_id, use.
        units: unit_id, control, gold, repeat_of.
    """
    used = assignments[assignments["use"].eq(True)]
    keys = pd.MultiIndex.from_frame(used[["assignment_id", "rater_id"]])
    control = units[units[["control", "gold", "repeat_of"]].notna().any(axis=1)]["unit_id"]
    reasons = pd.Series(None, index=answers.index, dtype="object")
    reasons[answers["unit_id"].isin(control)] = CONTROL
    reasons[~pd.MultiIndex.from_frame(answers[["assignment_id", "rater_id"]]).isin(keys)] = UNUSED
    return reasons
