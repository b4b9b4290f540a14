"""What was asked, answered and paid: takes in `Answers`, gives out one row per task or kind of payment.

counts(of_study(study))
"""

import pandas as pd

from photojury.analysis.answers import TASKS, Answers
from photojury.errors import InputError

PAIRED = ("five_level", "forced_choice", "series")
"""Tasks that compare two images."""


def given(answers: Answers, task: str) -> pd.DataFrame:
    """The answers of one task.

    Raises:
        InputError: there are none.
    """
    found = answers.of_task(task)
    if found.empty and task == "stars" and len(answers.histograms):
        raise InputError(
            f"{answers.place} tells how many people gave each level, and not who gave which; this needs single ratings"
        )
    if found.empty:
        how = "get them with: photojury annotate publish, then photojury annotate fetch"
        raise InputError(
            f"there are no answers to the task {task} ({TASKS[task]}) that enter the analysis"
            + (f"; {how}" if answers.study is not None else f" in {answers.place}")
            + _lost(answers)
        )
    return found


def counts(answers: Answers) -> pd.DataFrame:
    """What was asked and answered, one row per task.

    Returns:
        task, units, hits, published (HITs that a marketplace has), assignments, used (assignments that enter
        the analysis), answers (that enter it), raters, median_seconds (of an answer), simulated_share.
    """
    tasks = answers.hits.set_index("hit_key")["task"]
    assigned = answers.assignments["hit_key"].map(tasks)
    used = answers.assignments["use"].eq(True)
    rows = []
    for task in TASKS:
        found = answers.of_task(task)
        if task in ("attributes", "series") and task not in set(tasks) and found.empty:
            continue  # the demo's three are always listed, these where somebody asked them
        rows.append(
            {
                "task": task,
                "units": int((answers.units["task"].eq(task) & answers.units["control"].isna()).sum()),
                "hits": int((tasks == task).sum()),
                "published": int(answers.hits[answers.hits["task"] == task]["hit_id"].notna().sum()),
                "assignments": int((assigned == task).sum()),
                "used": int((used & (assigned == task)).sum()),
                "answers": len(found),
                "raters": found["rater_id"].nunique(),
                "median_seconds": pd.to_numeric(found["milliseconds"]).median() / 1000,
                "simulated_share": found["simulated"].astype(bool).mean(),
            }
        )
    return pd.DataFrame(rows)


def payments(answers: Answers) -> pd.DataFrame:
    """What was paid and is due: kind, state, n (payments), amount (cents), currency, simulated_share."""
    table = answers.payments.assign(simulated=answers.payments["simulated"].astype(bool))
    grouped = table.groupby(["kind", "state", "currency"], as_index=False)
    return grouped.agg(n=("amount", "size"), amount=("amount", "sum"), simulated_share=("simulated", "mean"))


def left_out(answers: Answers) -> pd.DataFrame:
    """Why answers do not enter the analysis: reason, answers."""
    return pd.DataFrame(
        {"reason": list(answers.left_out), "answers": list(answers.left_out.values())}
    ).astype({"answers": int})


def _lost(answers: Answers) -> str:
    lost = sum(answers.left_out.values())
    if not lost:
        return ""
    return f" ({lost:,} answers are left out: {'; '.join(f'{n:,} {why}' for why, n in answers.left_out.items())})"
