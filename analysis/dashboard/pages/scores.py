"""Scores: the ranking and how sure it is, by any method; two methods beside each other; top and bottom."""

import warnings
from collections.abc import Mapping
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from photojury.analysis import binning
from photojury.analysis.dashboard import charts, look, parts, prepared, words
from photojury.analysis.dashboard.frame import opened_here
from photojury.analysis.dashboard.opening import Opened, made
from photojury.analysis.findings import scored
from photojury.analysis.wording import decimal, plural, share
from photojury.errors import InputError

STRIP = 6
# Images of a ranking that are drawn, and bins of the histogram and of each side of the scatter.
DRAWN, BINS, GRID = 200, 40, 40


def draw() -> None:
    opened = opened_here()
    with parts.page("Scores", "Which pictures are best, which worst, and how sure is that?"):
        methods = [*scored.METHODS, *made(opened, prepared.stored_methods)]
        first = made(opened, prepared.first_method)
        method = st.selectbox(
            "Method", methods, index=methods.index(first), format_func=_name, key="method", width=560
        )
        with parts.section("Ranking", key="ranking"):
            _ranking(opened, method)
        with parts.section("Highest and lowest", key="ends"):
            _ends(opened, method)
        with parts.section("Beside another method", key="beside"):
            _beside(opened, method, methods)
        with parts.section("All scores", key="all"):
            _all(opened, method)


def _name(method: str) -> str:
    return f"{method}: {scored.METHODS[method]}" if method in scored.METHODS else method


def _table(opened: Opened, method: str) -> pd.DataFrame:
    if method in ("mos", "mos-t") or method.startswith(prepared.STORED):
        return made(opened, prepared.scores, method)
    with st.spinner(f"Scoring by {method}"):
        return made(opened, prepared.scores, method)


def _ranking(opened: Opened, method: str) -> None:
    table = _table(opened, method)
    known = table[table["score"].notna()].sort_values("score", ignore_index=True)
    if known.empty:
        raise InputError(f"{method} gives no image a score")
    place = np.unique(np.linspace(0, len(known) - 1, min(DRAWN, len(known))).astype(int))
    shown = known.iloc[place][["image_id", "score", "low", "high", "n"]].assign(rank=place + 1)
    of = look.colours()
    base = alt.Chart(shown, height=charts.HEIGHT).encode(
        x=alt.X("rank:Q", title="images, lowest first", axis=alt.Axis(format="~s", tickCount=6))
    )
    scale = alt.Scale(zero=False)
    tips = [
        alt.Tooltip("rank:Q", format=","),
        *[alt.Tooltip(f"{name}:Q", format=".3f") for name in ("score", "low", "high")],
        alt.Tooltip("n:Q", title="answers", format=","),
    ]
    bars = base.mark_rule(color=of.quiet).encode(
        y=alt.Y("low:Q", title="score", scale=scale), y2="high:Q", tooltip=tips
    )
    dots = base.mark_circle(color=of.ours, size=22, opacity=1).encode(
        y=alt.Y("score:Q", title="score", scale=scale), tooltip=tips
    )
    alt_text = f"Scores of {len(known):,} images in order, with 95 % intervals"
    charts.show(alt.layer(bars, dots), shown, name="ranking", alt_text=alt_text)
    st.caption(_sure(known, len(shown)))
    for number, (note, count) in enumerate(_notes(table).items()):
        parts.box("warning", f"{plural(count, 'image')}: {note}", key=f"note-{number}")
    st.subheader("Distribution", anchor=False)
    low, high = float(known["score"].min()), float(known["score"].max())
    if low < high:
        counts = binning.counts(known["score"], low=low, high=high, bins=BINS)
        charts.show(
            charts.histogram(counts, x_title="score", y_title="images"),
            counts,
            name="scores",
            alt_text=f"Histogram of the scores of {len(known):,} images",
        )


def _sure(known: pd.DataFrame, drawn: int) -> str:
    """How far a score is known, and how many neighbours in the ranking can be told apart."""
    said = f"{len(known):,} images" + (f", {drawn:,} of them drawn" if drawn < len(known) else "") + "; "
    half = (known["high"] - known["low"]) / 2
    if half.notna().any():
        said += f"95 % intervals, half width {decimal(half.median(), 2)} at the median. "
    error = known["standard_error"].to_numpy(dtype=np.float64)
    tenth = max(1, len(known) // 10)
    gap = known["score"].to_numpy()[tenth:] - known["score"].to_numpy()[:-tenth]
    together = np.hypot(error[tenth:], error[:-tenth])
    if gap.size and np.isfinite(together).any():
        apart = float(np.nanmean(gap > 1.96 * together))
        said += f"Of images a tenth of the ranking apart, {share(apart, 0)} can be told apart."
    return said


def _notes(table: pd.DataFrame) -> dict[str, int]:
    notes = table["note"].fillna("")
    return {str(note): int(count) for note, count in notes[notes.ne("")].value_counts().head(4).items()}


def _ends(opened: Opened, method: str) -> None:
    table = _table(opened, method)
    both = made(opened, prepared.scored_pictures, method)
    if both.empty or both["format"].isna().all():
        raise InputError("there are no pictures beside the answers")
    known = both[both["score"].notna()].sort_values(["score", "image_id"], ascending=[False, True])
    for title, rows in (("Highest", known.head(STRIP)), ("Lowest", known.iloc[::-1].head(STRIP))):
        st.subheader(title, anchor=False)
        parts.pictures(opened, rows.to_dict("records"), _lines, key=title.lower())
    if len(known) < len(table):
        st.caption(f"{len(table) - len(known):,} scored images are not among the pictures here")


def _lines(row: Mapping[Any, Any]) -> list[str]:
    ends = "" if pd.isna(row["low"]) else f"{decimal(row['low'], 2)} to {decimal(row['high'], 2)}"
    return [
        decimal(row["score"], 2),
        ", ".join(filter(None, [ends, f"n = {row['n']:.0f}" if row["n"] == row["n"] else ""])),
    ]


def _beside(opened: Opened, method: str, methods: list[str]) -> None:
    others = [name for name in methods if name != method]
    other = st.selectbox(
        "Other method", others, index=None, format_func=_name, key="other", width=560,
        placeholder="none: choose one to compare with",
    )  # fmt: skip
    if other is None:
        return
    one, two = _table(opened, method), _table(opened, other)
    both = (
        one[["image_id", "score"]]
        .merge(two[["image_id", "score"]], on="image_id", suffixes=("", "_other"))
        .dropna()
    )
    if len(both) < 4 or both["score"].nunique() < 2 or both["score_other"].nunique() < 2:
        raise InputError(f"{method} and {other} have fewer than four different scores in common")
    edges = [
        binning.grid(float(both[name].min()), float(both[name].max()), GRID)
        for name in ("score", "score_other")
    ]
    cells = binning.cells(both["score"], both["score_other"], x_edges=edges[0], y_edges=edges[1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rho = float(both["score"].rank().corr(both["score_other"].rank()))
    chart = charts.heat(
        cells, x="x", y="y", x_title="score by the first method", y_title="score by the other"
    )
    alt_text = f"Scores of {len(both):,} images by two methods; rank correlation {rho:.3f}"
    charts.show(chart, cells, name="beside", alt_text=alt_text)
    st.caption(
        f"{len(both):,} images; Spearman's rank correlation {decimal(rho)}. The stronger a cell's colour, the more images lie there."
    )


def _all(opened: Opened, method: str) -> None:
    table = made(opened, prepared.scored_pictures, method)
    columns = ("title", "score", "standard_error", "low", "high", "n", "note", "image_id")
    shown = table.assign(title=table["title"].fillna(table["source_id"]).fillna("")).rename(
        columns={"low": "from", "high": "to"}
    )
    words.table(
        shown,
        key="scores",
        columns=[{"low": "from", "high": "to"}.get(name, name) for name in columns],
        height=420,
        alt="All scores",
    )
    charts.downloads(_table(opened, method), name="all-scores")


draw()
