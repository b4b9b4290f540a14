"""The figure of a pilot: takes in precision and cost of planned studies, gives out SVG.

precision_by_cost(table)
"""

import pandas as pd

from photojury.analysis.figures.drawing import OURS, PAPER, QUIET, drawing, legend_above


def precision_by_cost(table: pd.DataFrame) -> str:
    """Rank correlation with planted quality against cost, a line for each number of questions (a pilot's table)."""
    best = table.nlargest(1, "spearman").iloc[0]
    alt = (
        f"Rank correlation of scores and planted quality against cost, {len(table)} combinations; highest "
        f"{best['spearman']:.3f} at ${best['cost_cents'] / 100:,.2f}"
    )
    shades = (QUIET, PAPER, OURS)[-table["questions"].nunique() :]
    with drawing("pilot", alt) as (axes, done):
        for (questions, rows), shade in zip(table.groupby("questions"), shades, strict=True):
            spread = rows["spearman_sd"].fillna(0)
            dollars = rows["cost_cents"] / 100
            label = f"{questions:,} questions"
            axes.errorbar(
                dollars,
                rows["spearman"],
                spread,
                color=shade,
                marker="o",
                markersize=4,
                label=label,
                capsize=2,
            )
        axes.set(xlabel="cost, fees included (US $)", ylabel="Spearman with planted quality", xlim=(0, None))
        axes.set_ylim(None, 1.0)
        legend_above(axes)
    return done[0]
