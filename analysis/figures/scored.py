"""Figures of scores and of raters: takes in tables of `analysis.findings`, gives out SVG.

ranking(scores(of_study(study)))
"""

import numpy as np
import pandas as pd
from matplotlib.ticker import StrMethodFormatter

from photojury.analysis.figures.drawing import INK, OURS, PAPER, QUIET, drawing, legend_above

MOST_BARS = 200
"""Images of a ranking that are drawn: of more, as many in equal steps."""


def ranking(table: pd.DataFrame, *, unit: str = "stars") -> str:
    """Scores with their 95 % intervals, in order."""
    known = table[table["score"].notna()].sort_values("score", ignore_index=True)
    shown = known.iloc[np.unique(np.linspace(0, len(known) - 1, min(MOST_BARS, len(known))).astype(int))]
    every = "" if len(shown) == len(known) else f", {len(shown)} of them drawn"
    alt = f"Scores of {len(known):,} images in order, from {known['score'].min():.2f} to {known['score'].max():.2f} {unit}"
    with drawing("ranking", alt) as (axes, done):
        place = shown.index.to_numpy() + 1
        axes.vlines(place, shown["low"], shown["high"], color=QUIET, linewidth=1.0, label="95 %")
        axes.plot(
            place, shown["score"], ".", color=OURS, markersize=4, label=f"score (n = {len(known):,}{every})"
        )
        axes.set(xlabel="images, lowest first", ylabel=f"score ({unit})")
        axes.grid(visible=False, axis="x")
        legend_above(axes)
    return done[0]


def raters(table: pd.DataFrame) -> str:
    """Agreement of each rater with the others against how many ratings he gave (a rater panel)."""
    known = table[table["without_own"].notna()]
    alt = (
        f"Rank correlation of {len(known):,} raters with the mean of the others: median "
        f"{known['without_own'].median():.2f}"
    )
    with drawing("raters", alt) as (axes, done):
        axes.axhline(0, color=INK, linewidth=0.8)
        axes.scatter(
            known["n"], known["with_own"], s=14, color=QUIET, linewidths=0, label="own vote in the mean"
        )
        axes.scatter(known["n"], known["without_own"], s=14, color=OURS, linewidths=0, label="without it")
        axes.set(xlabel="ratings given", ylabel="Spearman with the mean", ylim=(None, 1.03))
        if known["n"].max() > 30 * known["n"].min():
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        legend_above(axes)
    return done[0]


def power(table: pd.DataFrame, *, found: float, claimed: float) -> str:
    """Share of significant batches against how far raters agree; what was found here, and what paper 4 prints."""
    alt = "Share of batches found consistent: " + ", ".join(
        f"{100 * share:.0f} % at r = {r:g}"
        for r, share in zip(table["correlation"], table["significant"], strict=True)
    )
    with drawing("power", alt) as (axes, done):
        axes.plot(
            table["correlation"], table["significant"], color=INK, marker="o", markersize=4, label="expected"
        )
        axes.axhline(found, color=OURS, label="this study")
        axes.axhline(claimed, color=PAPER, linestyle="--", label="paper 4")
        axes.set(xlabel="correlation of two raters", ylabel="share of significant batches", ylim=(0, 1.03))
        legend_above(axes)
    return done[0]
