"""Drawing: what all figures share. Takes in what to draw on a set of axes, gives out SVG text to stand inside HTML.

One colour means one thing in all figures (Okabe and Ito's palette, safe for the colour-blind): blue is this
study, vermilion a paper, grey a reference. Text stays text and takes the page's font and colour; the data
colours are CSS variables with fallbacks, so that a dark page can lighten them. The same table gives the same
bytes: no date, fixed ids.

    >>> with drawing("line", "a line") as (axes, done):
    ...     _ = axes.plot([0, 1])
    >>> done[0].startswith("<svg")
    True
"""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

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


@contextmanager
def drawing(name: str, alt: str) -> Iterator[tuple[Axes, list[str]]]:
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


def around(low: float, high: float) -> tuple[float, float]:
    margin = 0.04 * (high - low)
    return low - margin, high + margin


def legend_above(axes: Axes, *, columns: int = 3) -> None:
    """A legend over the axes; few columns where its words are long, else the axes shrink to its width."""
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=columns, borderaxespad=0.3, columnspacing=1.4)
