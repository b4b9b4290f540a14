"""What the comparisons say: against the stars, against scores, and whether their graph can carry a scale.

confusion(of_study(study)).agreement
"""

from dataclasses import asdict

import numpy as np
import pandas as pd

from photojury.analysis import confusion as confusion_module
from photojury.analysis import designs, forced_choice, raters
from photojury.analysis.answers import TASKS, Answers
from photojury.analysis.confusion import Confusion
from photojury.analysis.findings.asked import PAIRED, given
from photojury.analysis.findings.rated import seed
from photojury.analysis.findings.scored import mos
from photojury.analysis.forced_choice import Agreement
from photojury.datasets.papers import number
from photojury.errors import InputError


def confusion(answers: Answers) -> Confusion:
    """Global against pairwise ratings at the study's thresholds c_g and c_p."""
    ratings, comparisons = given(answers, "stars"), given(answers, "five_level")
    wanted = answers.settings.analysis
    return confusion_module.confusion(ratings, comparisons, c_g=wanted.c_g, c_p=wanted.c_p)


def confusion_table(answers: Answers) -> pd.DataFrame:
    """One row per cell.

    Returns:
        pairwise, global (better, equal or worse), pairs, row_share, column_share, symmetrised (mean of the count and
        that of the mirror image), paper_row_share, c_g, c_p.
    """
    found = confusion(answers)
    columns = found.counts.sum(axis=0)
    shares = {
        "pairs": found.counts,
        "row_share": found.row_shares(),
        "column_share": found.counts.div(columns.where(columns > 0), axis=1),
        "symmetrised": found.symmetrised(),
    }
    rows = [
        {
            "pairwise": row,
            "global": column,
            **{name: table.loc[row, column] for name, table in shares.items()},
            "paper_row_share": number(f"action_shots.confusion_{row}_{column}").value,
        }
        for row in found.counts.index
        for column in found.counts.columns
    ]
    return pd.DataFrame(rows).assign(c_g=found.c_g, c_p=found.c_p)


def sweep(answers: Answers) -> pd.DataFrame:
    """Agreement of the two kinds of rating over a grid of thresholds."""
    return confusion_module.sweep(given(answers, "stars"), given(answers, "five_level"))


def agreement(answers: Answers) -> Agreement:
    """Forced choices against the mean opinion score put on 0..1, by the distance of the scores."""
    choices = given(answers, "forced_choice")
    rated = mos(answers)
    low, high = answers.scale
    rated["score"] = (rated["score"] - low) / (high - low)
    return forced_choice.agreement_by_distance(choices, rated, seed=seed(answers, "forced_choice"))


def agreement_table(answers: Answers) -> pd.DataFrame:
    """The bins of `agreement`, cumulative and disjoint."""
    return agreement(answers).table


def design(answers: Answers) -> pd.DataFrame:
    """The comparison graph of each task: see `designs.Design`; only tasks with answers.

    Raises:
        InputError: nothing was compared.
    """
    rows = []
    for task in PAIRED:
        table = answers.of_task(task)
        if table.empty:
            continue
        both = pd.concat([table["first_id"], table["second_id"]])
        codes, ids = pd.factorize(both)
        first, second = np.split(codes.astype(np.int64), 2)
        rows.append({"task": task, **asdict(designs.describe(first, second, images=len(ids)))})
    if not rows:
        raise InputError(f"nothing was compared yet ({', '.join(TASKS[task] for task in PAIRED)})")
    return pd.DataFrame(rows)


def sides(answers: Answers) -> pd.DataFrame:
    """Whether raters prefer a side, whatever stands there: see `raters.side_bias`; with the task.

    Raises:
        InputError: nobody knows what stood left, or nobody chose a side.
    """
    found = []
    for task in PAIRED:
        table = answers.of_task(task)
        if "first_shown_left" in table:
            known = table[table["first_shown_left"].notna() & table["value"].ne(0)]
            if len(known):
                found.append(raters.side_bias(known).assign(task=task))
    if not found:
        raise InputError("no comparison says which image stood left, so there is no side to prefer")
    return pd.concat(found, ignore_index=True)
