"""Figures of ratings: takes in tables of `analysis.distributions` and `analysis.consistency`, gives out SVG.

>>> import pandas as pd
>>> table = pd.DataFrame({"image_id": ["a"], "n": [10], "count_1": [9], "count_2": [1], "count_3": [0]})
>>> rating_histogram(table).startswith("<svg")
True
"""

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator, PercentFormatter

from photojury.analysis.consistency import Consistency
from photojury.analysis.figures.drawing import INK, OURS, QUIET, around, drawing, legend_above


def rating_histogram(table: pd.DataFrame, *, unit: str = "stars") -> str:
    """Share of the answers at each level (a distribution table with `count_<level>` columns)."""
    counts = {
        name.removeprefix("count_").replace("-", "−"): int(table[name].sum())
        for name in _count_columns(table)
    }
    total = sum(counts.values())
    alt = f"Share of {total:,} answers: " + ", ".join(
        f"{level} {unit} {100 * count / total:.0f} %" for level, count in counts.items()
    )
    with drawing(f"histogram-{unit}", alt) as (axes, done):
        shares = [count / total for count in counts.values()]
        bars = axes.bar(list(counts), shares, color=OURS, width=0.72)
        labels = [
            f"{100 * share:.0f} %\n({count:,})" for share, count in zip(shares, counts.values(), strict=True)
        ]
        axes.bar_label(bars, labels, padding=3, fontsize=9.5, color=INK)
        axes.set(xlabel=f"answer ({unit})", ylabel="share of answers", ylim=(0, max(shares) * 1.28))
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
        axes.grid(visible=False, axis="x")
    return done[0]


def deviation_by_mean(
    table: pd.DataFrame, *, low: float, high: float, unit: str, item: str, sos: float | None = None
) -> str:
    """Standard deviation against mean, one point per image or pair; points on one place grow with their number.

    Args:
        sos: the fitted SOS parameter, whose curve is drawn.
    """
    points = table.assign(x=table["mean"].round(6), y=table["sd"].round(6))
    points = points.groupby(["x", "y"], as_index=False).size()
    alt = f"Standard deviation against mean of {len(table):,} {item}s; mean deviation {table['sd'].mean():.3f} {unit}"
    with drawing(f"deviation-{item}", alt) as (axes, done):
        x = np.linspace(low, high, 101)
        axes.plot(x, np.sqrt((x - low) * (high - x)), color=QUIET, linestyle="--", label="largest possible")
        if sos is not None:
            curve = np.sqrt(sos * (x - low) * (high - x))
            axes.plot(x, curve, color=INK, linewidth=1.2, label=f"SOS, a = {sos:.3f}")
        axes.scatter(
            points["x"],
            points["y"],
            s=14 * np.sqrt(points["size"]),
            color=OURS,
            alpha=0.7,
            linewidths=0,
            label=f"one {item} or more (n = {len(table):,})",
        )
        axes.set(
            xlabel=f"mean ({unit})",
            ylabel=f"standard deviation ({unit})",
            xlim=around(low, high),
            ylim=(0, None),
        )
        legend_above(axes, columns=2)
    return done[0]


def means_histogram(table: pd.DataFrame, *, low: float, high: float, mean: float, sd: float) -> str:
    """Mean ratings of the images beside the normal distribution fitted to them (paper 4 shows its scores so)."""
    values = table["mean"].to_numpy(dtype=np.float64)
    alt = f"Mean ratings of {values.size:,} images and a normal distribution of mean {mean:.2f} and deviation {sd:.2f}"
    with drawing("means", alt) as (axes, done):
        edges = np.linspace(low, high, 1 + int(np.clip(np.sqrt(values.size), 6, 30)))
        axes.hist(
            values,
            bins=edges.tolist(),
            weights=np.full(values.size, 1 / values.size),
            color=OURS,
            label=f"images (n = {values.size:,})",
        )
        x = np.linspace(low, high, 201)
        density = np.exp(-(((x - mean) / sd) ** 2) / 2) / (sd * np.sqrt(2 * np.pi))
        axes.plot(x, density * (edges[1] - edges[0]), color=QUIET, linestyle="--", label="normal")
        axes.set(xlabel="mean rating (stars)", ylabel="share of images", xlim=around(low, high))
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
        axes.grid(visible=False, axis="x")
        legend_above(axes)
    return done[0]


def batch_agreement(found: Consistency) -> str:
    """Histogram of the mean correlation of a batch's raters, significant batches apart from the others."""
    tested = found.batches[found.batches["mean_rho"].notna()]
    significant = tested["significant"].astype(bool)
    edges = np.linspace(-1, 1, 41).tolist()
    alt = (
        f"Mean Spearman correlation of the raters in {len(tested):,} batches: mean {tested['mean_rho'].mean():.2f}; "
        f"{significant.sum():,} significant"
    )
    with drawing("batches", alt) as (axes, done):
        parts = [tested["mean_rho"][significant], tested["mean_rho"][~significant]]
        labels = [
            f"significant ({int(significant.sum()):,})",
            f"not significant ({int((~significant).sum()):,})",
        ]
        axes.hist(parts, bins=edges, stacked=True, color=[OURS, QUIET], label=labels)
        axes.axvline(0, color=INK, linewidth=0.8)
        start = min(-0.25, float(tested["mean_rho"].min()) - 0.05)
        axes.set(xlabel="mean Spearman correlation in a HIT", ylabel="HITs", xlim=(start, 1.0))
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(visible=False, axis="x")
        legend_above(axes)
    return done[0]


def _count_columns(table: pd.DataFrame) -> list[str]:
    return [str(name) for name in table.columns if str(name).startswith("count_")]
