"""Figures of comparisons: takes in tables of `analysis.forced_choice` and `analysis.confusion`, gives out SVG.

agreement_by_distance(found, papers)
"""

import numpy as np
import pandas as pd
from matplotlib.patches import Rectangle
from matplotlib.ticker import PercentFormatter

from photojury.analysis.figures.drawing import INK, OURS, PAPER, QUIET, drawing, legend_above
from photojury.analysis.forced_choice import Agreement
from photojury.datasets.papers import Number


def agreement_by_distance(found: Agreement, papers: list[tuple[float, Number]]) -> str:
    """Share of forced choices for the image with the higher score, by distance of the scores (cumulative)."""
    table = found.table[(found.table["kind"] == "cumulative") & (found.table["n_pairs"] > 0)]
    beyond = zip(table["low"], table["mean"], strict=True)
    alt = "Agreement of forced choices with the score: " + ", ".join(
        f"{100 * mean:.0f} % beyond {low:g}" for low, mean in beyond
    )
    with drawing("forced-choice", alt) as (axes, done):
        mean = table["mean"].to_numpy()
        reach = np.nan_to_num(np.vstack([mean - table["low_95"], table["high_95"] - mean]).clip(min=0))
        axes.axhline(0.5, color=QUIET, linestyle="--", linewidth=1.2, label="chance")
        axes.errorbar(
            table["low"],
            mean,
            yerr=reach,
            color=OURS,
            marker="o",
            markersize=5,
            capsize=3,
            label="this study, 95 %",
        )
        distances, numbers = zip(*papers, strict=True)
        axes.plot(
            np.asarray(distances) + 0.012,
            [number.value for number in numbers],
            color=PAPER,
            marker="D",
            markersize=5,
            linestyle=":",
            label=f"paper {numbers[0].paper}",
        )
        floor = min(0.45, float(np.nanmin(mean - reach[0])) - 0.03) if len(table) else 0.45
        axes.set(xlabel="scores further apart than (scale 0 to 1)", ylabel="share of choices that follow")
        axes.set_ylim(floor, 1.02)
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
        legend_above(axes)
    return done[0]


def agreement_by_thresholds(table: pd.DataFrame) -> str:
    """Heat map of the agreement of stars and pairs over both thresholds (a table of `confusion.sweep`)."""
    grid = table.assign(c_g=table["c_g"].astype(float), c_p=table["c_p"].astype(float))
    cells = grid.pivot(index="c_p", columns="c_g", values="agreement")
    shares = cells.to_numpy(dtype=np.float64)
    alt = (
        f"Agreement of stars and pairs over {shares.size} pairs of thresholds: {100 * np.nanmin(shares):.0f} to "
        f"{100 * np.nanmax(shares):.0f} %"
    )
    with drawing("thresholds", alt) as (axes, done):
        place = [(column, row) for row in range(shares.shape[0]) for column in range(shares.shape[1])]
        span = max(float(np.nanmax(shares) - np.nanmin(shares)), 1e-9)
        for column, row in place:
            share = shares[row, column]
            strength = 0.12 + 0.6 * (share - float(np.nanmin(shares))) / span
            square = Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor=OURS, alpha=strength, linewidth=0)
            axes.add_patch(square)
            axes.text(column, row, f"{100 * share:.0f}", ha="center", va="center", color=INK, fontsize=9.5)
        axes.set_xticks(range(shares.shape[1]), [f"{value:g}" for value in cells.columns])
        axes.set_yticks(range(shares.shape[0]), [f"{value:g}" for value in cells.index])
        axes.set(xlabel="stars: equal up to c_g", ylabel="pairs: equal up to c_p")
        axes.set(xlim=(-0.5, shares.shape[1] - 0.5), ylim=(-0.5, shares.shape[0] - 0.5))
        axes.grid(visible=False)
    return done[0]
