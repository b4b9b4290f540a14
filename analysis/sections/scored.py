"""The report's section about scores: their ranking, and how far the methods agree.

Takes in a `Source`, gives out what the section shows.

    scores(Source(of_study(study), thumbnails=True))["grids"]
"""

import pandas as pd

from photojury.analysis import wording
from photojury.analysis.figures import scored as figures
from photojury.analysis.findings import scored
from photojury.analysis.sections.source import Context, Grid, Source
from photojury.errors import InputError

COMPARED = ("mos", "p910", "cumulative", "bradley-terry", "joint")
"""Methods whose scores a report holds side by side."""


def scores(source: Source) -> Context:
    """The ranking by mean opinion score, or by pairs where there are no stars; rank correlations of the methods."""
    made: dict[str, pd.DataFrame] = {}
    for method in COMPARED:
        try:
            made[method] = source.mos if method == "mos" else scored.scores(source.answers, method)
        except InputError:
            continue
    if not made:
        raise InputError("there are no answers to score images by")
    first = next(iter(made))
    unit = "stars" if first in ("mos", "p910") else "logits"
    context: Context = {
        "figure": figures.ranking(made[first], unit=unit),
        "caption": f"Scores in order ({scored.METHODS[first]}), with their 95 % intervals.",
        "grids": [_correlations(made)] if len(made) > 1 else [],
        "reading": _reading(made[first], unit),
    }
    return context


def _correlations(made: dict[str, pd.DataFrame]) -> Grid:
    columns = {name: table.set_index("image_id")["score"] for name, table in made.items()}
    together = pd.DataFrame(columns).rank()
    rows = []
    for name in made:
        cells = [
            "" if other == name else wording.decimal(together[name].corr(together[other]), 3)
            for other in made
        ]
        rows.append([f"{name}: {scored.METHODS[name]}", *cells])
    return Grid("Rank correlation (Spearman) of the scores by different methods.", ["method", *made], rows)


def _reading(table: pd.DataFrame, unit: str) -> list[str]:
    known = table[table["standard_error"].notna()]
    if known.empty:
        return []
    typical = float(known["standard_error"].median())
    apart = 1.96 * 2**0.5 * typical
    return [
        (
            f"A score is known to about ±{wording.decimal(1.96 * typical, 2)} {unit} (95 %, median), so two images should be "
            f"{wording.decimal(apart, 2)} apart before one is called better."
        )
    ]
