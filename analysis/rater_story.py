"""One rater's whole story: when he worked, how fast, what he answered, and how that stands to the others.

Takes in all ratings (and comparisons) of a study; gives out tables about one of the people who gave them.

    answered(ratings, "5f0c2d91ab34ef56")       # each of his ratings beside the mean of the others
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import sqlalchemy as sa

from photojury.analysis import raters as raters_module
from photojury.datasets import tables
from photojury.datasets.store import Study
from photojury.errors import InputError, require_columns


@dataclass(frozen=True)
class Work:
    """What the store knows of a rater beside his answers.

    Attributes:
        assignments: assignment_id, hit_key, task, batch, submitted_at, active_seconds, status, use, reason; in
            the order of time.
        verdicts: task, rule, reason, value, threshold.
        excluded: why and until when he is offered no more HITs; empty where he is.
    """

    assignments: pd.DataFrame
    verdicts: pd.DataFrame
    excluded: str


def work(study: Study, rater: str) -> Work:
    """A rater's assignments, verdicts and exclusion."""
    given, hits = tables.assignments, tables.hits
    names = ("assignment_id", "hit_key", "submitted_at", "active_seconds", "status", "use", "reason")
    query = sa.select(*(given.c[name] for name in names), hits.c.task, hits.c.batch)
    query = query.join(hits, hits.c.hit_key == given.c.hit_key).where(given.c.rater_id == rater)
    judged, barred = tables.verdicts, tables.exclusions
    said = sa.select(*(judged.c[name] for name in ("task", "rule", "reason", "value", "threshold")))
    kept_out = study.rows(sa.select(barred.c.reason, barred.c.until).where(barred.c.rater_id == rater))
    until = [f"{row['reason']} ({_until(row['until'])})" for row in kept_out]
    return Work(
        study.frame(query.order_by(given.c.submitted_at)),
        study.frame(said.where(judged.c.rater_id == rater).order_by(judged.c.task, judged.c.rule)),
        "; ".join(until),
    )


def answered(ratings: pd.DataFrame, rater: str) -> pd.DataFrame:
    """Each rating of a rater beside the mean of the others' ratings of that image, in the order of `ratings`.

    Args:
        ratings: rater_id, image_id, value; milliseconds and submitted_at where they are known.

    Returns:
        image_id, value, others (NaN where nobody else rated the image), n_others, residual (value less others),
        seconds, submitted_at (NaN where unknown).

    Raises:
        InputError: a missing column, or the rater gave no rating.
    """
    require_columns(ratings.columns, ["rater_id", "image_id", "value"], "ratings")
    own, around = _around(ratings, rater)
    n = own["image_id"].map(around["size"]) - own.groupby("image_id")["value"].transform("size")
    total = own["image_id"].map(around["sum"]) - own.groupby("image_id")["value"].transform("sum")
    others = (total / n.where(n > 0)).astype("float64")
    table = pd.DataFrame(
        {"image_id": own["image_id"], "value": own["value"], "others": others, "n_others": n}
    )
    table["residual"] = table["value"] - table["others"]
    known = own.get("milliseconds", np.nan)
    table["seconds"] = pd.to_numeric(pd.Series(known, index=own.index)) / 1000
    table["submitted_at"] = own.get("submitted_at", np.nan)
    return table.reset_index(drop=True)


def drift(ratings: pd.DataFrame, rater: str) -> pd.DataFrame:
    """The rater's own control chart: see `raters.drift`; of the images that he rated only, so that it is quick.

    Raises:
        InputError: he gave no rating, or shares fewer than two images with others.
    """
    own, _ = _around(ratings, rater)
    shared = ratings[ratings["image_id"].isin(own["image_id"])]
    found = raters_module.drift(shared)
    found = found[found["rater_id"] == rater].reset_index(drop=True)
    if found.empty:
        raise InputError(
            "this rater shares fewer than two images with others, so there is no course to chart"
        )
    return found


def levels(ratings: pd.DataFrame, rater: str) -> pd.DataFrame:
    """How often the rater, and everybody, gave each answer: level, rater, everybody (shares), n (of the rater)."""
    own = ratings.loc[ratings["rater_id"] == rater, "value"]
    both = pd.DataFrame({"everybody": ratings["value"].value_counts(normalize=True)})
    both["rater"] = own.value_counts(normalize=True)
    both["n"] = own.value_counts()
    both = both.fillna(0).sort_index().rename_axis("level").reset_index()
    return both.astype({"n": "int64"})[["level", "rater", "everybody", "n"]]


def _around(ratings: pd.DataFrame, rater: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rater's rows, and size and sum of all ratings of the images in them."""
    own = ratings[ratings["rater_id"] == rater]
    if own.empty:
        raise InputError("this rater gave no rating that enters the analysis")
    shared = ratings[ratings["image_id"].isin(own["image_id"])]
    return own, shared.groupby("image_id")["value"].agg(["size", "sum"])


def _until(moment: float | None) -> str:
    return "for good" if moment is None else f"until {pd.Timestamp(moment, unit='s'):%Y-%m-%d %H:%M} UTC"
