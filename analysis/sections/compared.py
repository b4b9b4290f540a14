"""The report's sections about comparisons: against the stars, against scores, and the graph that they make.

Takes in a `Source`, gives out what each section shows.

    confusion(Source(of_study(study), thumbnails=True))["cells"]
"""

import numpy as np
import pandas as pd

from photojury.analysis import wording
from photojury.analysis.answers import TASKS
from photojury.analysis.confusion import Confusion
from photojury.analysis.figures import compared as figures
from photojury.analysis.findings import compared
from photojury.analysis.sections.source import Context, Grid, Measure, Source
from photojury.datasets.papers import number
from photojury.errors import InputError


def confusion(source: Source) -> Context:
    """Paper 1's Table 1: ratings of single images against ratings of pairs."""
    found = compared.confusion(source.answers)
    sweep = compared.sweep(source.answers)
    shares = found.row_shares()
    cells = []
    for row in shares.index:
        line = []
        for column in shares.columns:
            paper = number(f"action_shots.confusion_{row}_{column}")
            value = float(shares.loc[row, column])
            line.append(
                {
                    "share": wording.decimal(value, 2),
                    "count": wording.whole(found.counts.loc[row, column]),
                    "paper": wording.decimal(paper.value, 2),
                    "weight": 0 if np.isnan(value) else round(100 * value),
                }
            )
        cells.append((row, wording.whole(found.counts.loc[row].sum()), line))
    return {
        "cells": cells,
        "columns": list(shares.columns),
        "c_g": found.c_g,
        "c_p": found.c_p,
        "n": wording.whole(found.n),
        "without_ratings": found.without_ratings,
        "measures": _agreement_measures(found, sweep),
        "figure": figures.agreement_by_thresholds(sweep),
        "caption": "Pairs on which stars and direct comparison agree, in percent, over both thresholds.",
        "reading": _reading(found),
    }


def _agreement_measures(found: Confusion, sweep: pd.DataFrame) -> list[Measure]:
    low, high = number("action_shots.agreement_low"), number("action_shots.agreement_high")
    return [
        Measure(
            "both kinds of rating agree",
            wording.share(found.agreement),
            wording.share_interval(found.agreement_low, found.agreement_high),
            wording.whole(found.n),
            wording.share(number("action_shots.agreement").value, 0),
            number("action_shots.agreement").source,
        ),
        Measure(
            "agreement over all thresholds, lowest to highest",
            f"{wording.share(sweep['agreement'].min(), 0)} to {wording.share(sweep['agreement'].max(), 0)}",
            "",
            wording.whole(found.n),
            f"{wording.share(low.value, 0)} to {wording.share(high.value, 0)}",
            low.source,
            "c_g from 0 to 0.6, c_p from 0 to 1",
        ),
        Measure("they say the opposite", wording.share(found.opposite), n=wording.whole(found.n)),
        Measure("Cohen's κ, linear weights", wording.decimal(found.weighted_kappa)),
        Measure(
            "being first mattered (table against its mirror image)",
            f"p {wording.probability(found.mirror_p)}",
            note=f"χ² = {wording.decimal(found.mirror, 1)}, {found.mirror_df} degrees of freedom",
        ),
    ]


def forced_choice(source: Source) -> Context:
    """Paper 2's Table 2: do forced choices follow the order of the scores?"""
    found = compared.agreement(source.answers)
    table = found.table[found.table["kind"] == "cumulative"]
    papers = [(float(low), number(_distance_name(float(low)))) for low in table["low"]]
    rows = []
    for row, (_, paper) in zip(table.to_dict("records"), papers, strict=True):
        rows.append(
            Measure(
                f"further apart than {row['low']:g}",
                wording.share(row["mean"]),
                wording.share_interval(row["low_95"], row["high_95"]),
                f"{wording.whole(row['n_pairs'])}\u00a0/\u00a0{wording.whole(row['n_votes'])}",
                wording.share(paper.value, 0),
                paper.source,
            )
        )
    return {
        "figure": figures.agreement_by_distance(found, papers) if table["n_pairs"].any() else "",
        "caption": "Share of forced choices for the image with the higher mean opinion score, by distance of the "
        "two scores (put on 0 to 1). The paper's score is made of views and favourites, so its distances "
        "are not the same quantity.",
        "measures": rows,
        "reading": _choice_reading(table),
        "tied": found.tied_pairs,
        "unscored": found.unscored_pairs,
    }


def _distance_name(low: float) -> str:
    return "like_image.forced_choice_" + f"{low:g}".replace(".", "_")


def pairs(source: Source) -> Context:
    """Whether the comparisons can carry a scale, and whether sides mattered."""
    table = compared.design(source.answers)
    rows = [
        [
            TASKS[row["task"]],
            *(wording.whole(row[name]) for name in ("images", "pairs", "comparisons")),
            f"{row['degree_min']} / {row['degree_mean']:.1f} / {row['degree_max']}",
            wording.whole(row["components"]),
            wording.whole(row["cut_off"]),
            wording.decimal(row["spectral_gap"]),
            wording.decimal(row["variance_factor"], 2),
        ]
        for row in table.to_dict("records")
    ]
    head = [
        "task",
        "images",
        "pairs",
        "answers",
        "of one image (least / mean / most)",
        "groups",
        "cut off",
        "spectral gap",
        "variance factor",
    ]
    said = []
    for row in table.to_dict("records"):
        if row["components"] > 1:
            said.append(
                f"{TASKS[row['task']].capitalize()}: the comparisons fall into {row['components']} groups that no pair joins; "
                "scores of different groups cannot be compared. Plan pairs between them."
            )
        else:
            said.append(
                f"{TASKS[row['task']].capitalize()}: every image is joined to every other by pairs, so one scale holds for all."
            )
    return {
        "grids": [
            Grid(
                "The graphs of the comparisons. A group is a set of images that pairs join; a spectral gap of 0 falls apart, "
                "one near 0.4 or more holds together well; the variance factor compares with all pairs asked equally often.",
                head,
                rows,
            ),
            *_sides(source),
        ],
        "reading": said,
    }


def _sides(source: Source) -> list[Grid]:
    try:
        table = compared.sides(source.answers)
    except InputError:
        return []
    rows = []
    for task, part in table.groupby("task"):
        n = int(part["n"].sum())
        left = float(np.average(part["left"], weights=part["n"]))
        biased = int((part["p_adjusted"] < 0.05).sum())
        rows.append(
            [
                TASKS[str(task)],
                wording.whole(n),
                wording.share(left),
                wording.whole(len(part)),
                wording.whole(biased),
            ]
        )
    caption = (
        "Which side was chosen. Sides are drawn by lot, so 50 % is due; a rater counts as biased at p < 0.05 after "
        "Benjamini and Hochberg's correction (exact binomial test)."
    )
    return [Grid(caption, ["task", "answers with a side", "left chosen", "raters", "biased"], rows)]


def _reading(found: Confusion) -> list[str]:
    said = [
        (
            f"The two ways of asking agree on {wording.share(found.agreement, 0)} of the pairs and say the opposite on "
            f"{wording.share(found.opposite, 1)}; the paper found 70 %."
        )
    ]
    if found.mirror_p < 0.01:
        said.append(
            "The table is not its own mirror image: being first in a pair mattered. Show the symmetrised table, and look "
            "at the sides that raters chose."
        )
    return said


def _choice_reading(table: pd.DataFrame) -> list[str]:
    known = table[table["n_pairs"] > 0]
    if known.empty:
        return []
    first, last = known.iloc[0], known.iloc[-1]
    return [
        (
            f"Where scores are more than {first['low']:g} apart, {wording.share(first['mean'], 0)} of the choices follow them; "
            f"beyond {last['low']:g}, {wording.share(last['mean'], 0)}. A coin would give 50 %."
        )
    ]
