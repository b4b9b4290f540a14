"""The report's section about the ratings: their distribution, deviation, and shape.

Takes in a `Source`, gives out what the section shows.

    ratings(Source(of_study(study), thumbnails=True))["figures"]
"""

import dataclasses
from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np

from photojury.analysis import wording
from photojury.analysis.answers import TASKS
from photojury.analysis.figures import rated as figures
from photojury.analysis.findings import rated
from photojury.analysis.sections.source import Context, Measure, Source, measure
from photojury.datasets.papers import number

Found = Mapping[str, Mapping[Hashable, Any]]


def ratings(source: Source) -> Context:
    """Rating distribution, deviation against mean, and paper 1's numbers about them."""
    table = source.images
    low, high = source.answers.scale
    spread = (
        f"How the answers spread over the levels; {wording.plural(int(table['n'].sum()), 'rating')} of "
        f"{wording.plural(len(table), 'image')}, {table['n'].median():g} per image (median)."
    )
    deviation = (
        "Disagreement on each image: standard deviation (dividing by n) against mean. Dashed: the largest "
        "deviation that the scale allows at each mean."
    )
    found = {row["measure"]: row for row in rated.shapes(source.answers).to_dict("records")}
    a = found["sos_a"]["value"]
    cloud = figures.deviation_by_mean(
        table, low=low, high=high, unit="stars", item="image", sos=None if np.isnan(a) else a
    )
    drawn = [(figures.rating_histogram(table), spread), (cloud, deviation)]
    if "normal_sd" in found:
        mean, sd = found["normal_mean"]["value"], found["normal_sd"]["value"]
        means = figures.means_histogram(table, low=low, high=high, mean=mean, sd=sd)
        drawn.append(
            (
                means,
                "How the mean ratings spread over the images. Dashed: the normal distribution of their mean and deviation.",
            )
        )
    if not source.answers.of_task("five_level").empty:
        pairs = rated.pairs(source.answers)
        answered = (
            f"How the answers about pairs spread over the five levels; {wording.plural(int(pairs['n'].sum()), 'answer')} "
            f"on {wording.plural(len(pairs), 'pair')}. Positive: the first image is better."
        )
        drawn.append((figures.rating_histogram(pairs, unit="levels"), answered))
        caption = "Disagreement on each pair, as for images above."
        drawn.append((figures.deviation_by_mean(pairs, low=-2, high=2, unit="levels", item="pair"), caption))
    return {
        "figures": drawn,
        "measures": [*_deviation_measures(source), *_shape_measures(found)],
        "reading": _reading(source, found),
    }


def _deviation_measures(source: Source) -> list[Measure]:
    table = rated.deviations(source.answers)
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
    small, low = rated.low_images(source.images)
    paper = number("action_shots.low_deviation_share")
    measures.append(
        Measure(
            f"images with a mean <\u00a0{rated.LOW_MEAN}: share with standard deviation <\u00a0{rated.LOW_DEVIATION}",
            wording.share(small / low) if low else wording.MISSING,
            "",
            wording.whole(low),
            f"> {wording.share(paper.value, 0)}",
            paper.source,
        )
    )
    return measures


def _shape_measures(found: Found) -> list[Measure]:
    labels = {
        "sos_a": "SOS parameter a",
        "skewness": "skewness of the mean ratings",
        "excess_kurtosis": "excess kurtosis of the mean ratings",
        "normal_distance": "distance of the mean ratings from a normal distribution",
    }
    measures = []
    for name, label in labels.items():
        if name in found:
            row = found[name]
            line = measure(label, row["value"], (row["low"], row["high"]), row["n"], None)
            measures.append(dataclasses.replace(line, note=str(row["note"])))
    split = found["divided_share"]
    if split["n"]:
        measures.append(
            Measure(
                "images that divide people",
                wording.share(split["value"]),
                n=wording.whole(split["n"]),
                note="two peaks by Sarle's coefficient, above 5/9; images of 10 ratings or more",
            )
        )
    return measures


def _reading(source: Source, found: Found) -> list[str]:
    """What the numbers mean, in sentences."""
    low, high = source.answers.scale
    table = source.images
    each = table["n"].median()
    sd = float(table["sd1"].dropna().mean()) if table["sd1"].notna().any() else float("nan")
    said = []
    if not np.isnan(sd):
        reach = 1.96 * sd / np.sqrt(each)
        said.append(
            f"A single rating lies {wording.decimal(sd, 2)} stars from the mean of its image (standard deviation, averaged over "
            f"the images). With {each:g} ratings an image the mean is known to about ±{wording.decimal(reach, 2)} stars, on a "
            f"scale of {low:g} to {high:g}."
        )
    a = found["sos_a"]["value"]
    if not np.isnan(a):
        kind = (
            "less than usual"
            if a < 0.1
            else "as usual for pictures"
            if a <= 0.3
            else "more than usual: a matter of taste"
        )
        said.append(f"Disagreement is {kind} (a = {wording.decimal(a, 2)}; 0.1 to 0.3 is usual).")
    return said
