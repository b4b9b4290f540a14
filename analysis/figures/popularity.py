"""The figure of S(i): takes in its `Spread`, gives out SVG.

popularity_histogram(spread(scores))
"""

import numpy as np
from matplotlib.ticker import PercentFormatter

from photojury.analysis.figures.drawing import OURS, PAPER, drawing, legend_above
from photojury.analysis.popularity import Spread


def popularity_histogram(found: Spread) -> str:
    """Share of the images in each bin of S(i), with the uniform distribution that paper 2 found."""
    bins = len(found.counts)
    edges = np.linspace(0, 1, bins + 1)
    total = sum(found.counts)
    alt = (
        f"Distribution of S(i) of {total:,} images: mean {found.mean:.2f}, nine in ten between {found.low:.2f} "
        f"and {found.high:.2f}; uniform would be {100 / bins:.0f} % in each of {bins} bins"
    )
    with drawing("popularity", alt) as (axes, done):
        shares = np.asarray(found.counts) / total
        label = f"this study (n = {total:,})"
        axes.bar(edges[:-1], shares, width=0.92 / bins, align="edge", color=OURS, label=label)
        axes.axhline(1 / bins, color=PAPER, linestyle="--", label="uniform, as paper 2 says")
        axes.set(
            xlabel="S(i)",
            ylabel="share of images",
            xlim=(0, 1),
            ylim=(0, max(1.6 / bins, shares.max() * 1.1)),
        )
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
        axes.grid(visible=False, axis="x")
        legend_above(axes)
    return done[0]
