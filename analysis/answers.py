"""What a study's raters answered: the rows of the store that may enter an analysis.

Takes in an open study, gives out `Answers`: ratings and comparisons of assignments with use = true, with the
HIT of each, without control questions and repeats; what was left out is counted.

    answers = of_study(study)
    answers.ratings.groupby("image_id").value.mean()
"""

from dataclasses import dataclass

import pandas as pd

from photojury.datasets.counting import not_counted
from photojury.datasets.store import Study

TASKS = {
    "stars": "stars",
    "attributes": "attributes",
    "five_level": "pairs on five levels",
    "forced_choice": "forced choice",
    "series": "pairs of a series",
}
"""Each task with the words that reports use for it."""


@dataclass(frozen=True)
class Answers:
    """A study's tables, as the analyses read them.

    Attributes:
        images, units, hits, assignments, payments: whole tables.
        ratings, comparisons: rows that enter the analysis, with hit_key.
        left_out: how many answers do not enter, by reason (only reasons that occur).
    """

    images: pd.DataFrame
    units: pd.DataFrame
    hits: pd.DataFrame
    assignments: pd.DataFrame
    payments: pd.DataFrame
    ratings: pd.DataFrame
    comparisons: pd.DataFrame
    left_out: dict[str, int]

    def of_task(self, task: str) -> pd.DataFrame:
        """The answers of one task: ratings for stars and attributes, else comparisons."""
        if task in ("stars", "attributes"):
            return self.ratings[self.ratings["task"].fillna("stars") == task]
        return self.comparisons[self.comparisons["task"] == task]

    def simulated_share(self) -> float:
        """Share of the answers that simulated raters gave; NaN where there are none."""
        flags = pd.concat([self.ratings["simulated"], self.comparisons["simulated"]])
        return float(flags.astype(bool).mean()) if len(flags) else float("nan")


def of_study(study: Study) -> Answers:
    """Read a study's answers."""
    tables = {
        name: study.read(name)
        for name in ("images", "units", "hits", "assignments", "payments", "ratings", "comparisons")
    }
    left_out: dict[str, int] = {}
    for name in ("ratings", "comparisons"):
        reasons = not_counted(tables[name], tables["assignments"], tables["units"])
        for reason, count in reasons.value_counts().items():
            left_out[str(reason)] = left_out.get(str(reason), 0) + int(count)
        entering = tables[name][reasons.isna()]
        keys = tables["assignments"][["assignment_id", "rater_id", "hit_key"]]
        tables[name] = entering.merge(
            keys, on=["assignment_id", "rater_id"], how="left", validate="many_to_one"
        ).reset_index(drop=True)
    return Answers(**tables, left_out=left_out)
