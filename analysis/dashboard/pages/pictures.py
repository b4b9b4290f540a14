"""Pictures: what became of all that was offered, the pictures themselves, S(i), near duplicates, who divides people."""

from collections.abc import Mapping
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from photojury.analysis.dashboard import charts, look, parts, prepared, words
from photojury.analysis.dashboard.frame import opened_here
from photojury.analysis.dashboard.opening import Opened, made
from photojury.analysis.wording import decimal, whole
from photojury.errors import InputError

SHEET = 24
STRIP = 6


def draw() -> None:
    opened = opened_here()
    with parts.page(
        "Pictures", "Which pictures are there, where did the others go, and about which do people differ?"
    ):
        with parts.section("From offered to kept", key="funnel"):
            _funnel(opened)
        with parts.section("Contact sheet", key="sheet"):
            _sheet(opened)
        with parts.section("Divided and agreed", key="divided"):
            _divided(opened)
        with parts.section("S(i): favourites by views", key="popularity"):
            _popularity(opened)
        with parts.section("Near duplicates", key="duplicates"):
            _duplicates(opened)


def _funnel(opened: Opened) -> None:
    table, lost = made(opened, prepared.funnel), made(opened, prepared.losses)
    if not table["pictures"].any():
        raise InputError("there are no pictures yet; take some in with: photojury collect folder PHOTOS")
    table = table.assign(share=table["pictures"] / table["pictures"].iloc[0])
    of = look.colours()
    bars = (
        alt.Chart(table, height=150)
        .mark_bar(color=of.ours)
        .encode(
            y=alt.Y("step:N", sort=None, title=None, axis=alt.Axis(labelFontSize=13)),
            x=alt.X("pictures:Q", title="pictures", axis=alt.Axis(format="~s", tickCount=5)),
            tooltip=[
                alt.Tooltip("step:N"),
                alt.Tooltip("pictures:Q", format=","),
                alt.Tooltip("share:Q", format=".1%"),
            ],
        )
    )
    text = bars.mark_text(align="right", dx=-6, color=of.page, fontWeight="bold").encode(
        text=alt.Text("pictures:Q", format=",")
    )
    numbers = ", ".join(f"{row['pictures']:,} {row['step']}" for row in table.to_dict("records"))
    charts.show(alt.layer(bars, text), table, name="funnel", alt_text=f"Pictures: {numbers}")
    if len(lost):
        st.caption("Where the others went")
        words.table(
            lost,
            key="losses",
            columns=("before", "reason", "rule", "pictures"),
            height=min(38 * (len(lost) + 1), 230),
        )


def _sheet(opened: Opened) -> None:
    choices = st.container(horizontal=True, vertical_alignment="bottom")
    with choices:
        order = st.selectbox("Order", list(prepared.ORDERS), key="order", width=220)
        status = st.selectbox("Status", ["kept", "rejected", "absent", "all"], key="status", width=150)
    table = made(opened, prepared.ordered, order, status)
    if table.empty:
        raise InputError("there is no picture of that kind")
    pages = -(-len(table) // SHEET)
    number = 1
    if pages > 1:
        with choices:
            number = int(
                st.number_input(f"Sheet, of {pages:,}", 1, pages, key=f"sheet-{order}-{status}", width=150)
            )
    rows = table.iloc[(number - 1) * SHEET : number * SHEET].to_dict("records")
    parts.pictures(opened, rows, _lines, key="sheet", wide=6)
    st.caption(
        f"{SHEET * (number - 1) + 1:,} to {SHEET * (number - 1) + len(rows):,} of {len(table):,} pictures"
    )


def _lines(row: Mapping[Any, Any]) -> list[str]:
    """What stands below a picture."""
    if pd.notna(row.get("mean")):
        return [f"{decimal(row['mean'], 2)} ± {decimal(row['sd'], 2)}", f"mean ± SD, n = {row['n']:.0f}"]
    if pd.notna(row.get("popularity")):
        return [f"S(i) {decimal(row['popularity'], 2)}"]
    size = f"{row['width']:.0f} × {row['height']:.0f}" if pd.notna(row["width"]) else "size unknown"
    return [size] if row["status"] == "kept" else [size, f"{row['status']}: {row['rule'] or 'by hand'}"]


def _divided(opened: Opened) -> None:
    table = made(opened, prepared.spread_pictures)
    st.caption("The widest and the narrowest spread of the ratings, of images with enough of them")
    for title, rising in (("Most divided", False), ("Most agreed", True)):
        st.subheader(title, anchor=False)
        rows = (table.iloc[::-1] if rising else table).head(STRIP).to_dict("records")
        parts.pictures(opened, rows, _spread_lines, key=title.split()[1])


def _spread_lines(row: Mapping[Any, Any]) -> list[str]:
    return [f"SD {decimal(row['sd'], 2)}", f"mean {decimal(row['mean'], 2)}, n = {row['n']}"]


def _popularity(opened: Opened) -> None:
    found = made(opened, prepared.popularity)
    spread = found.spread
    n = len(spread.counts)
    table = pd.DataFrame(
        {
            "low": [k / n for k in range(n)],
            "high": [(k + 1) / n for k in range(n)],
            "n": list(spread.counts),
        }
    )
    chart = alt.layer(
        charts.histogram(table, x_title="S(i) = log(F + 1) / log(V + 1)", y_title="images"),
        charts.rule(spread.n / n, axis="y", label="uniform, as paper 2 found"),
    )
    alt_text = f"Histogram of S(i), {spread.n:,} images, mean {spread.mean:.2f}"
    charts.show(chart, table, name="popularity", alt_text=alt_text)
    st.caption(
        f"{spread.n:,} images, mean {spread.mean:.2f}, nine in ten between {spread.low:.2f} and {spread.high:.2f}; "
        f"distance from uniform (Kolmogorov-Smirnov) {spread.distance:.2f}. F favourites in V views."
    )


def _duplicates(opened: Opened) -> None:
    count, table = made(opened, prepared.twins)
    if not count:
        st.caption("None was found. They are looked for by: photojury collect check")
        return
    st.caption(
        f"{whole(count)} pictures are nearly another one; the nearest, each with its twin at its right:"
    )
    both = []
    for row in table.to_dict("records"):
        both.append(
            {"image_id": row["image_id"], "format": row["format"], "title": row["title"], **_twin(row, "")}
        )
        both.append({**_twin(row, "other_"), "image_id": row["other_id"]})
    parts.pictures(opened, both, lambda row: [f"{row['bits']:.0f} of 64 bits apart"], key="twins")


def _twin(row: Mapping[Any, Any], which: str) -> dict[str, Any]:
    return {name: row[f"{which}{name}"] for name in ("title", "source_id", "format")} | {"bits": row["bits"]}


draw()
