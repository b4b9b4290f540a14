"""What pages show: functions of `Answers`, each computed once, and the list of those that are computed before anybody asks.

Takes in the answers of a place; gives out tables and figures. Where all images or all HITs would take long, some are drawn
by lot, and the page says how many.

    made(opened, levels)
    ahead(opened)
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import sqlalchemy as sa

from photojury.analysis import (
    binning,
    consistency,
    designs,
    observed,
    pictures,
    predictions,
    rater_story,
    shapes,
    triads,
    what_if,
    workload,
)
from photojury.analysis.answers import Answers
from photojury.analysis.consistency import Consistency
from photojury.analysis.dashboard.opening import Opened, made
from photojury.analysis.designs import Design
from photojury.analysis.findings import agreed, compared, rated, scored
from photojury.analysis.findings.asked import PAIRED, given
from photojury.analysis.observed import Observed
from photojury.analysis.shapes import NormalFit, Sos
from photojury.analysis.subsets import drawn
from photojury.analysis.triads import Triads
from photojury.datasets import tables
from photojury.errors import InputError

Step = tuple[Callable[..., Any], tuple[Any, ...]]
"""A function of answers, and its further arguments."""

MOST_IMAGES, MOST_HITS = 3_000, 200
"""Images that coefficients, and HITs that the test are computed on, unless all are asked for."""
FOR_NORMAL = 5_000
"""Images that a normal distribution is fitted to at most."""
TWINS = 3
"""Near duplicates that are shown, each beside its twin."""
STORED = "stored: "
"""Before the name of a method whose scores stand in the study."""

ORDERS: dict[str, tuple[str, bool] | None] = {
    "as they came": None,
    "highest rated": ("mean", False),
    "lowest rated": ("mean", True),
    "most divided": ("sd", False),
    "most agreed": ("sd", True),
    "highest S(i)": ("popularity", False),
    "lowest S(i)": ("popularity", True),
}
"""Orders of the contact sheet: the figure, and whether the smallest comes first."""


def ahead(opened: Opened) -> Iterator[Step]:
    """What the pages show when they are opened, in the order of the pages that most people go to."""
    answers = opened.answers
    if len(answers.of_task("stars")):
        yield from ((step, ()) for step in (rated.images, levels, facts, sos, normal))
        yield coefficients, (min(MOST_IMAGES, made(opened, facts)["images"]),)
        if not answers.ratings.get("hit_key", pd.Series(dtype=object)).isna().all():
            yield tested, (min(MOST_HITS, made(opened, hits)),)
        yield from ((step, ()) for step in (panel, work_spread, spread_pictures))
    yield stored_methods, ()
    first = made(opened, first_method)
    if first == "mos":
        yield from ((scores, (first,)), (scored_pictures, (first,)))
    yield ordered, (next(iter(ORDERS)), "kept")
    for task in PAIRED:
        if made(opened, count, task):
            yield from ((design, (task, False)), (cycles, (task,)))
    if made(opened, count, "five_level") and len(answers.of_task("stars")):
        yield from ((compared.confusion, ()), (compared.sweep, ()))
    yield compared.sides, ()
    if answers.study is not None:
        yield from ((step, ()) for step in (funnel, losses, popularity, twins))
        for name in predictions.names(answers.study.folder)[:1]:
            yield from ((evaluation, (name,)), (predicted, (name,)))
            yield follows, (name, predictions.PARTS[0])


# Pictures


def funnel(answers: Answers) -> pd.DataFrame:
    """How many pictures got how far."""
    if answers.study is None:
        return pd.DataFrame({"step": ["kept"], "pictures": [len(answers.images)]})
    return pictures.funnel(answers.study)


def losses(answers: Answers) -> pd.DataFrame:
    """Where pictures were lost; empty outside of a study."""
    return pd.DataFrame() if answers.study is None else pictures.losses(answers.study)


def ordered(answers: Answers, order: str, status: str) -> pd.DataFrame:
    """Pictures of a status in one of ORDERS, with the figure that they are ordered by."""
    table = answers.images
    if status != "all":
        table = table[table["status"] == status]
    by = ORDERS[order]
    if by is None:
        return table
    name, rising = by
    if name == "popularity":
        figures = popularity(answers).scored[["image_id", "score"]].rename(columns={"score": name})
    else:
        figures = rated.images(answers)[["image_id", "mean", "sd", "n"]]
    joined = table.merge(figures, on="image_id")
    return joined.sort_values([name, "image_id"], ascending=[rising, True])


def spread_pictures(answers: Answers) -> pd.DataFrame:
    """Images with enough ratings to speak of their spread, with what is needed to show them, the widest first."""
    table = rated.images(answers)[["image_id", "mean", "sd", "n"]]
    enough = table["n"] >= min(5, table["n"].max())
    found: pd.DataFrame = table[enough].merge(answers.images, on="image_id")
    return found.sort_values(["sd", "image_id"], ascending=[False, True])


def popularity(answers: Answers) -> Observed:
    """S(i) of the kept pictures."""
    if answers.study is None:
        raise InputError("views and favourites are of a study; name its folder: photojury dashboard my-study")
    return observed.observe(answers.study)


def twins(answers: Answers) -> tuple[int, pd.DataFrame]:
    """How many near duplicates there are, and some of them."""
    if answers.study is None:
        raise InputError(
            "near duplicates are found in a study; name its folder: photojury dashboard my-study"
        )
    return pictures.duplicates(answers.study, TWINS)


# Ratings


def levels(answers: Answers) -> pd.DataFrame:
    """How often each answer was given: level, count, share; of a fine scale in twenty bins."""
    values = given(answers, "stars")["value"]
    counts = values.value_counts().reindex(answers.levels, fill_value=0)
    if len(counts) > 50:
        table = binning.counts(values, low=answers.scale[0], high=answers.scale[1], bins=20)
        counts = table.set_index("low")["n"]
    shares = (counts / counts.sum()).to_numpy()
    return pd.DataFrame({"level": counts.index, "count": counts.to_numpy(), "share": shares})


def facts(answers: Answers) -> dict[str, Any]:
    """How many raters and images, and the least, most and median ratings of an image."""
    table = rated.images(answers)
    return {
        "raters": int(given(answers, "stars")["rater_id"].nunique()),
        "images": len(table),
        "least": int(table["n"].min()),
        "most": int(table["n"].max()),
        "median": float(table["n"].median()),
    }


def sos(answers: Answers) -> Sos | None:
    """The SOS fit; None where there is no spread to fit."""
    try:
        return shapes.sos(rated.images(answers), scale=answers.scale, seed=rated.seed(answers, "sos"))
    except InputError:
        return None


def normal(answers: Answers) -> NormalFit | None:
    """A normal distribution for the mean ratings; None for fewer than eight images, or where they are all alike."""
    table = rated.images(answers)
    if len(table) < 8:
        return None
    try:
        found = shapes.normal_fit(
            drawn(table, "image_id", most=FOR_NORMAL, seed=rated.seed(answers, "normal"))
        )
    except InputError:
        return None
    return found if found.sd > 0 else None


def coefficients(answers: Answers, most: int) -> pd.DataFrame:
    """Coefficients of agreement, on so many images at most."""
    chance = rated.seed(answers, "agreement")
    chosen = drawn(given(answers, "stars"), "image_id", most=most, seed=chance)
    return agreed.coefficients_of(chosen, chance=chance)


def hits(answers: Answers) -> int:
    """How many HITs the ratings come from."""
    ratings = given(answers, "stars")
    if "hit_key" not in ratings or ratings["hit_key"].isna().all():
        raise InputError(f"the ratings of {answers.place} do not say their batch (hit_key)")
    return int(ratings["hit_key"].nunique())


def tested(answers: Answers, most: int) -> tuple[Consistency, pd.DataFrame]:
    """Consistency of so many HITs at most, and its summary."""
    ratings, chance = given(answers, "stars"), rated.seed(answers, "consistency")
    chosen = drawn(ratings[ratings["hit_key"].notna()], "hit_key", most=most, seed=chance)
    found = consistency.consistency(chosen, seed=chance, alpha=answers.settings.analysis.alpha)
    return found, found.summary()


# Raters


def panel(answers: Answers) -> pd.DataFrame:
    """One row a rater."""
    return agreed.panel(answers)


def work_spread(answers: Answers) -> dict[str, Any]:
    """How the work is spread over raters: see `workload.Workload`."""
    return asdict(workload.workload(given(answers, "stars")))


def answered(answers: Answers, rater: str) -> pd.DataFrame:
    """A rater's ratings beside the others'."""
    return rater_story.answered(agreed.in_order(given(answers, "stars")), rater)


def own_levels(answers: Answers, rater: str) -> pd.DataFrame:
    """How often a rater, and everybody, gave each answer."""
    return rater_story.levels(given(answers, "stars"), rater)


def drift(answers: Answers, rater: str) -> pd.DataFrame:
    """A rater's control chart."""
    return rater_story.drift(given(answers, "stars"), rater)


def work(answers: Answers, rater: str) -> rater_story.Work:
    """A rater's assignments, verdicts and exclusion."""
    if answers.study is None:
        raise InputError("assignments and verdicts are of a study")
    return rater_story.work(answers.study, rater)


def without(answers: Answers, chosen: tuple[str, ...]) -> what_if.WhatIf:
    """The scores without some raters."""
    ratings, seed = given(answers, "stars"), rated.seed(answers, "what-if")
    return what_if.what_if(ratings, chosen, scale=answers.scale, seed=seed)


# Pairs


def count(answers: Answers, task: str) -> int:
    """How many answers a task has."""
    return len(answers.of_task(task))


def design(
    answers: Answers, task: str, spectrum: bool
) -> tuple[Design, "np.ndarray[tuple[int], np.dtype[np.int64]]"]:
    """The comparison graph of a task, and the answers about each image."""
    table = answers.of_task(task)
    codes, ids = pd.factorize(pd.concat([table["first_id"], table["second_id"]]))
    first, second = np.split(codes.astype(np.int64), 2)
    found = designs.describe(first, second, images=len(ids), spectrum=spectrum)
    return found, np.bincount(codes, minlength=len(ids)).astype(np.int64)


def cycles(answers: Answers, task: str) -> Triads:
    """Circular triads of a task."""
    return triads.triads(answers.of_task(task), task=task)


# Scores and models


def scores(answers: Answers, method: str) -> pd.DataFrame:
    """Scores by a method, or those of that name in the study; the highest first."""
    if not method.startswith(STORED):
        return scored.scores(answers, method)
    table = answers.tables.read("scores")
    table = table[table["method"] == method.removeprefix(STORED)]
    reach = 1.96 * table["standard_error"].astype(float)
    known: dict[str, Any] = {
        "low": table["score"] - reach,
        "high": table["score"] + reach,
        "n": np.nan,
        "note": "",
    }
    return table.assign(**known).sort_values(
        ["score", "image_id"], ascending=[False, True], ignore_index=True
    )


def stored_methods(answers: Answers) -> list[str]:
    """Methods whose scores stand in the study, or the release, and are not computed here."""
    if answers.study is not None:
        method = tables.scores.c.method
        names = [row["method"] for row in answers.study.rows(sa.select(method).distinct())]
    else:
        names = list(answers.tables.read("scores")["method"].dropna().unique())
    return [f"{STORED}{name}" for name in sorted(map(str, names)) if name not in scored.METHODS]


def first_method(answers: Answers) -> str:
    """The method that is shown first: means of the stars, else one that pairs allow."""
    if len(answers.of_task("stars")):
        return "mos"
    return "cumulative" if len(answers.of_task("five_level")) else "bradley-terry"


def scored_pictures(answers: Answers, method: str) -> pd.DataFrame:
    """Scores with what is needed to show the pictures."""
    images = answers.images.reindex(columns=["image_id", "title", "source_id", "format"])
    return scores(answers, method).merge(images, on="image_id", how="left")


def evaluation(answers: Answers, name: str) -> pd.DataFrame:
    """A model's measures."""
    return predictions.evaluation(_folder(answers), name)


def predicted(answers: Answers, name: str) -> pd.DataFrame:
    """A model's predictions beside the ratings."""
    return predictions.beside(predictions.predicted(_folder(answers), name), scored.mos(answers))


def follows(answers: Answers, name: str, part: str) -> predictions.Follow:
    """How a model's predictions follow the ratings of a part of the split."""
    table = predicted(answers, name)
    return predictions.follow(table[table["part"] == part])


def _folder(answers: Answers) -> Path:
    if answers.study is None:
        raise InputError("networks are trained on a study; name its folder: photojury dashboard my-study")
    return answers.study.folder
