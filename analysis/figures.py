"""The report's figures: takes in tables of `photojury.analysis`, gives out SVG text to stand inside HTML.

One colour means one thing in all figures (Okabe and Ito's palette, safe for the colour-blind): blue is this
study, vermilion a paper, grey a reference. Text stays text and takes the page's font and colour; the data
colours are CSS variables with fallbacks, so that a dark page can lighten them. The same table gives the same
bytes: no date, fixed ids.

    >>> import pandas as pd
    >>> table = pd.DataFrame({"image_id": ["a"], "n": [10], "count_1": [9], "count_2": [1], "count_3": [0]})
    >>> rating_histogram(table).startswith("<svg")
    True
"""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from photojury.analysis.consistency import Consistency
from photojury.analysis.forced_choice import Agreement
from photojury.analysis.popularity import Spread
from photojury.datasets.papers import Number

OURS, PAPER, QUIET, INK, RULE = "#0072b2", "#d55e00", "#8c8c8c", "#1c1c1e", "#d4d4d8"

# What stands in the page's SVG for each colour.
CSS = {
    OURS: f"var(--ours, {OURS})",
    PAPER: f"var(--paper, {PAPER})",
    QUIET: f"var(--quiet, {QUIET})",
    RULE: f"var(--rule, {RULE})",
    INK: "currentColor",
}

STYLE: dict[Any, Any] = {
    "axes.edgecolor": INK,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.labelcolor": INK,
    "axes.labelsize": 10,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "legend.fontsize": 9.5,
    "legend.frameon": False,
    "legend.handlelength": 1.6,
    "lines.linewidth": 1.6,
    "svg.fonttype": "none",
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 9.5,
    "ytick.labelsize": 9.5,
}
SIZE = (4.6, 3.2)
"""Inches: small, so that the type is still readable where the figure fills a telephone."""


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
    with _drawing(f"histogram-{unit}", alt) as (axes, done):
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


def deviation_by_mean(table: pd.DataFrame, *, low: float, high: float, unit: str, item: str) -> str:
    """Standard deviation against mean, one point per image or pair; points on one place grow with their number."""
    points = table.assign(x=table["mean"].round(6), y=table["sd"].round(6))
    points = points.groupby(["x", "y"], as_index=False).size()
    alt = f"Standard deviation against mean of {len(table):,} {item}s; mean deviation {table['sd'].mean():.3f} {unit}"
    with _drawing(f"deviation-{item}", alt) as (axes, done):
        x = np.linspace(low, high, 101)
        axes.plot(x, np.sqrt((x - low) * (high - x)), color=QUIET, linestyle="--", label="largest possible")
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
            xlim=_around(low, high),
            ylim=(0, None),
        )
        _legend_above(axes)
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
    with _drawing("batches", alt) as (axes, done):
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
        _legend_above(axes)
    return done[0]


def agreement_by_distance(found: Agreement, papers: list[tuple[float, Number]]) -> str:
    """Share of forced choices for the image with the higher score, by distance of the scores (cumulative)."""
    table = found.table[(found.table["kind"] == "cumulative") & (found.table["n_pairs"] > 0)]
    beyond = zip(table["low"], table["mean"], strict=True)
    alt = "Agreement of forced choices with the score: " + ", ".join(
        f"{100 * mean:.0f} % beyond {low:g}" for low, mean in beyond
    )
    with _drawing("forced-choice", alt) as (axes, done):
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
        _legend_above(axes)
    return done[0]


def popularity_histogram(found: Spread) -> str:
    """Share of the images in each bin of S(i), with the uniform distribution that paper 2 found."""
    bins = len(found.counts)
    edges = np.linspace(0, 1, bins + 1)
    total = sum(found.counts)
    alt = (
        f"Distribution of S(i) of {total:,} images: mean {found.mean:.2f}, nine in ten between {found.low:.2f} "
        f"and {found.high:.2f}; uniform would be {100 / bins:.0f} % in each of {bins} bins"
    )
    with _drawing("popularity", alt) as (axes, done):
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
        _legend_above(axes)
    return done[0]


def precision_by_cost(table: pd.DataFrame) -> str:
    """Rank correlation with planted quality against cost, a line for each number of questions (a pilot's table)."""
    best = table.nlargest(1, "spearman").iloc[0]
    alt = (
        f"Rank correlation of scores and planted quality against cost, {len(table)} combinations; highest "
        f"{best['spearman']:.3f} at ${best['cost_cents'] / 100:,.2f}"
    )
    shades = (QUIET, PAPER, OURS)[-table["questions"].nunique() :]
    with _drawing("pilot", alt) as (axes, done):
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
        _legend_above(axes)
    return done[0]


@contextmanager
def _drawing(name: str, alt: str) -> Iterator[tuple[Axes, list[str]]]:
    """Axes to draw on; when left, the list holds the figure's SVG."""
    done: list[str] = []
    with matplotlib.rc_context({**STYLE, "svg.hashsalt": f"photojury-{name}"}):
        figure = Figure(figsize=SIZE, layout="constrained")
        FigureCanvasSVG(figure)
        yield figure.add_subplot(), done
        buffer = io.StringIO()
        figure.savefig(
            buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None, "Format": None}
        )
    done.append(_for_page(buffer.getvalue(), name, alt))


def _for_page(svg: str, name: str, alt: str) -> str:
    """Matplotlib's file as a fragment: ids of its own, the page's colours and font, a text for screen readers."""
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = re.sub(r'href="#', f'href="#{name}-', svg)
    svg = re.sub(r"url\(#", f"url(#{name}-", svg)
    # Its style sheet would hold for the whole page, its font for a page that has another.
    svg = re.sub(r"<style.*?</style>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"font-family: [^;\"]*;? ?", "", svg)
    for colour, variable in CSS.items():
        svg = re.sub(colour, variable, svg, flags=re.IGNORECASE)
    svg = re.sub(r' (width|height)="[\d.]+pt"', "", svg, count=2)
    return svg.replace("<svg ", f'<svg role="img" aria-label="{escape(alt)}" ', 1).strip()


def _count_columns(table: pd.DataFrame) -> list[str]:
    return [str(name) for name in table.columns if str(name).startswith("count_")]


def _around(low: float, high: float) -> tuple[float, float]:
    margin = 0.04 * (high - low)
    return low - margin, high + margin


def _legend_above(axes: Axes) -> None:
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderaxespad=0.3, columnspacing=1.4)
