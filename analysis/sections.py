"""The report's sections: takes in a study's answers and settings, gives out what each section shows, as text.

Every section is a dict for the template; one that cannot be made has the key "missing" with the reason, and
the others stand.

    sections = all_sections(Source(study, of_study(study), thumbnails=True))
"""

import dataclasses
from collections.abc import Callable

import numpy as np
import pandas as pd

from photojury.analysis import figures, findings, outcomes, popular, wording
from photojury.analysis.answers import TASKS, Answers
from photojury.analysis.confusion import Confusion
from photojury.analysis.observed import observe
from photojury.analysis.source import Context, Measure, Source, measure
from photojury.datasets.papers import number
from photojury.errors import InputError


def simulated(answers: Answers) -> str:
    """The sentence of the banner; empty where no answer is simulated."""
    flags = pd.concat([answers.ratings["simulated"], answers.comparisons["simulated"]]).astype(bool)
    count, total = int(flags.sum()), len(flags)
    if not count:
        return ""
    if count == total:
        return (
            f"All {total:,} of these answers were given by simulated raters. They say nothing about people."
        )
    return f"{wording.share(count / total)} of these answers ({count:,} of {total:,}) were given by simulated raters."


def collected(source: Source) -> Context:
    """What was asked, answered and paid."""
    answers, settings = source.answers, source.study.settings
    rows = []
    for row in findings.counts(answers, settings).to_dict("records"):
        if not row["units"] and not row["answers"]:
            continue
        numbers = [wording.whole(row[name]) for name in ("units", "hits", "assignments", "used", "answers")]
        seconds = wording.decimal(row["median_seconds"], 1)
        rows.append([TASKS[row["task"]], *numbers, wording.whole(row["raters"]), seconds])
    paid = findings.payments(answers, settings).to_dict("records")
    kept = int((answers.images["status"] == "kept").sum())
    return {
        "rows": rows,
        "payments": [
            [
                row["kind"],
                row["state"],
                wording.whole(row["n"]),
                wording.money(row["amount"], row["currency"]),
            ]
            for row in paid
        ],
        "total": [
            wording.money(int(part["amount"].sum()), str(currency))
            for currency, part in answers.payments.groupby("currency")
        ],
        "paid_to_simulated": wording.whole(answers.payments["simulated"].astype(bool).sum()).removeprefix(
            "0"
        ),
        "left_out": [f"{count:,} {reason}" for reason, count in answers.left_out.items()],
        "images": wording.whole(kept),
        "images_left_out": wording.whole(len(answers.images) - kept),
        "raters": wording.whole(answers.assignments["rater_id"].nunique()),
        "answers": wording.whole(len(answers.ratings) + len(answers.comparisons)),
    }


def ratings(source: Source) -> Context:
    """Rating distribution, deviation against mean, and paper 1's numbers about them."""
    settings = source.study.settings
    table = source.images
    spread = (
        f"How the answers spread over the levels; {wording.plural(int(table['n'].sum()), 'rating')} of "
        f"{wording.plural(len(table), 'image')}, {table['n'].median():g} per image (median)."
    )
    deviation = (
        "Disagreement on each image: standard deviation (dividing by n) against mean. Dashed: the largest "
        "deviation that the scale allows at each mean."
    )
    levels = settings.stars.levels
    drawn = [
        (figures.rating_histogram(table), spread),
        (figures.deviation_by_mean(table, low=1, high=levels, unit="stars", item="image"), deviation),
    ]
    if not source.answers.of_task("five_level").empty:
        pairs = findings.pairs(source.answers, settings)
        answered = (
            f"How the answers about pairs spread over the five levels; {wording.plural(int(pairs['n'].sum()), 'answer')} "
            f"on {wording.plural(len(pairs), 'pair')}. Positive: the first image is better."
        )
        drawn.append((figures.rating_histogram(pairs, unit="levels"), answered))
        caption = "Disagreement on each pair, as in figure 2."
        drawn.append((figures.deviation_by_mean(pairs, low=-2, high=2, unit="levels", item="pair"), caption))
    return {"figures": drawn, "measures": _deviation_measures(source)}


def _deviation_measures(source: Source) -> list[Measure]:
    table = findings.deviations(source.answers, source.study.settings)
    names = {"sd": "standard deviation", "mad": "mean absolute deviation"}
    papers = {"stars": "action_shots.mean_deviation_stars", "five_level": "action_shots.mean_deviation_pairs"}
    measures = []
    for row in table[table["deviation"].isin(list(names))].to_dict("records"):
        reach = 1.96 * row["standard_error"]
        measures.append(
            measure(
                f"{TASKS[row['task']]}: {names[row['deviation']]}",
                row["mean"],
                (row["mean"] - reach, row["mean"] + reach),
                row["n"],
                number(papers[row["task"]]),
            )
        )
    measures = [dataclasses.replace(line, note="") for line in measures]  # one and the same note
    small, low = findings.low_images(source.images)
    paper = number("action_shots.low_deviation_share")
    measures.append(
        Measure(
            f"images with a mean <\u00a0{findings.LOW_MEAN}: share with standard deviation <\u00a0{findings.LOW_DEVIATION}",
            wording.share(small / low) if low else wording.MISSING,
            "",
            wording.whole(low),
            f"> {wording.share(paper.value, 0)}",
            paper.source,
        )
    )
    return measures


def confusion(source: Source) -> Context:
    """Paper 1's Table 1: ratings of single images against ratings of pairs."""
    found = findings.confusion(source.answers, source.study.settings)
    sweep = findings.sweep(source.answers, source.study.settings)
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


def consistency(source: Source) -> Context:
    """Agreement of the raters within each HIT."""
    found = findings.consistency(source.answers, source.study.settings)
    summary = {row["measure"]: row for row in found.summary().to_dict("records")}
    tested = int(found.batches["p"].notna().sum())
    if not tested:
        raise InputError(f"no HIT could be tested: {found.batches['reason'].iloc[0]}")
    paper = number("aadb.significant_batches")
    rows = {
        "significant_bh": f"significant HITs, permutation test, false discovery rate {found.alpha:g} (BH)",
        "significant_by": "the same with Benjamini-Yekutieli",
        "significant_kendall_f": "the same with Kendall's W and F, BH",
    }
    measures = [
        Measure(
            label,
            wording.share(summary[name]["value"]),
            wording.share_interval(summary[name]["low"], summary[name]["high"]),
            wording.whole(summary[name]["n"]),
            wording.share(paper.value, 2) if name == "significant_bh" else "",
            paper.source if name == "significant_bh" else "",
            paper.note if name == "significant_bh" else "",
        )
        for name, label in rows.items()
    ]
    for name, label in (
        ("mean_rho", "mean Spearman correlation of two raters"),
        ("mean_w", "mean Kendall's W"),
    ):
        row = summary[name]
        measures.append(measure(label, row["value"], (row["low"], row["high"]), row["n"], None))
    return {
        "figure": figures.batch_agreement(found),
        "caption": "Agreement of the raters of a HIT: mean Spearman correlation over pairs of raters, "
        f"{wording.plural(tested, 'HIT')}; 0 is what raters without anything in common would show.",
        "measures": measures,
        "untested": len(found.batches) - tested,
        "straight": int(found.batches["straight_liners"].sum()),
        "raters_in_batches": wording.whole(len(found.raters)),
        "permutations": wording.whole(found.permutations),
        "failed": _failed(found.batches, found.raters),
    }


def _failed(batches: pd.DataFrame, raters: pd.DataFrame, most: int = 8) -> list[list[str]]:
    """The HITs with the least agreement that are not significant, each with its oddest rater."""
    failed = batches[batches["p"].notna() & ~batches["significant"].astype(bool)]
    rows = []
    for batch in failed.sort_values(["mean_rho", "hit_key"]).head(most).to_dict("records"):
        own = raters[raters["hit_key"] == batch["hit_key"]]
        odd = own.sort_values(["mean_rho", "rater_id"]).iloc[0]
        rho = wording.decimal(batch["mean_rho"], 2)
        person = f"{odd['rater_id'][:10]} ({wording.decimal(odd['mean_rho'], 2)})"
        rows.append(
            [batch["hit_key"][:12], str(batch["raters"]), rho, wording.probability(batch["p"]), person]
        )
    return rows


def forced_choice(source: Source) -> Context:
    """Paper 2's Table 2: do forced choices follow the order of the scores?"""
    found = findings.agreement(source.answers, source.study.settings)
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
        "tied": found.tied_pairs,
        "unscored": found.unscored_pairs,
        "repeats": wording.whole(found.repeats),
    }


def _distance_name(low: float) -> str:
    return "like_image.forced_choice_" + f"{low:g}".replace(".", "_")


SECTIONS: dict[str, Callable[[Source], Context]] = {
    "collected": collected,
    "ratings": ratings,
    "pictures": outcomes.pictures,
    "popularity": lambda source: popular.popularity(observe(source.study)),
    "confusion": confusion,
    "consistency": consistency,
    "forced_choice": forced_choice,
    "training": outcomes.training,
    "recovery": outcomes.recovery,
}


def all_sections(source: Source) -> dict[str, Context]:
    """Every section by its name."""
    made: dict[str, Context] = {}
    for name, make in SECTIONS.items():
        try:
            made[name] = make(source)
        except InputError as error:
            made[name] = {"missing": str(error)}
    return made
