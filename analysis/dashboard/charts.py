"""Charts: the marks that pages share, in the report's colours, and the one way in which every chart is shown.

Takes in tables of a few hundred rows at most (a hundred thousand points are binned before); gives out Altair charts, each
shown with its data as CSV and itself as Vega-Lite JSON to download; its own buttons save it as PNG.

    show(bars(table, "level", "share", x="answer", y="share of answers"), table, name="ratings", alt="...")
"""

import io
import re
from functools import partial
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from photojury.analysis.dashboard import look, words

Drawn = alt.Chart | alt.LayerChart | alt.FacetChart

HEIGHT = 280
SHOWN_ROWS = 200
# A cell that a spreadsheet would take for a formula.
_FORMULA = re.compile(r"^\s*[=+\-@\t\r]")


def show(chart: Drawn, table: pd.DataFrame, *, name: str, alt_text: str) -> None:
    """Draw a chart, and hand out its data.

    Args:
        chart: of Altair.
        table: what it shows, as a reader would want it.
        name: of the files, and of the chart on its page; fixed text.
        alt_text: what is to be seen, for those who do not see it; fixed text and numbers.
    """
    drawn = chart.properties(usermeta={"embedOptions": {"renderer": "svg"}}).configure_view(strokeOpacity=0)
    st.altair_chart(drawn, width="stretch", alt=alt_text, key=f"chart-{name}")
    downloads(table, name=name, chart=drawn)


def downloads(table: pd.DataFrame, *, name: str, chart: Any = None) -> None:
    """A small menu with the table itself and buttons to take it along."""
    with st.popover("Data", type="tertiary", icon=":material/download:", key=f"data-{name}"):
        words.table(table.head(SHOWN_ROWS), key=f"rows-{name}", height=240)
        if len(table) > SHOWN_ROWS:
            st.caption(f"The first {SHOWN_ROWS} of {len(table):,} rows; the file has them all.")
        with st.container(horizontal=True):
            st.download_button(
                "CSV",
                partial(csv, table),
                file_name=f"{name}.csv",
                mime="text/csv",
                key=f"csv-{name}",
                on_click="ignore",
            )
            if chart is not None:
                st.download_button(
                    "Vega-Lite JSON",
                    chart.to_json,
                    file_name=f"{name}.vl.json",
                    mime="application/json",
                    key=f"json-{name}",
                    on_click="ignore",
                )
        if chart is not None:
            st.caption("Point at the chart: the buttons at its upper right save it as PNG.")


def csv(table: pd.DataFrame) -> bytes:
    """A table as CSV that a spreadsheet shows and does not run: texts like formulas begin with an apostrophe."""
    texts = {
        str(name): table[name].map(_inert, na_action="ignore")
        for name in table
        if not pd.api.types.is_numeric_dtype(table[name])
    }
    buffer = io.StringIO()
    table.assign(**texts).to_csv(buffer, index=False)
    return buffer.getvalue().encode("utf-8-sig")


def _inert(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and _FORMULA.match(cell) else cell


def bars(
    table: pd.DataFrame, x: str, y: str, *, x_title: str, y_title: str, kind: str = "O", percent: bool = False
) -> alt.Chart:
    """One bar a row."""
    chart: alt.Chart = (
        alt.Chart(table, height=HEIGHT)
        .mark_bar(color=look.colours().ours)
        .encode(
            x=alt.X(f"{x}:{kind}", title=x_title, axis=alt.Axis(labelAngle=0)),
            y=alt.Y(f"{y}:Q", title=y_title, axis=alt.Axis(format="%" if percent else "~s", tickCount=5)),
            tooltip=_tips(table),
        )
    )
    return chart


def histogram(table: pd.DataFrame, *, x_title: str, y_title: str, colour: str | None = None) -> alt.Chart:
    """Bars from `low` to `high` of height `n`."""
    chart: alt.Chart = (
        alt.Chart(table, height=HEIGHT)
        .mark_bar(color=colour or look.colours().ours, binSpacing=1)
        .encode(
            x=alt.X("low:Q", title=x_title, bin="binned", axis=alt.Axis(format=",~f", tickCount=8)),
            x2="high:Q",
            y=alt.Y("n:Q", title=y_title, axis=alt.Axis(format="~s", tickCount=5)),
            tooltip=_tips(table),
        )
    )
    return chart


def heat(table: pd.DataFrame, *, x: str, y: str, x_title: str, y_title: str, count: str = "n") -> alt.Chart:
    """Cells from `x_low`, `x_high`, `y_low`, `y_high`, as dark as they are full."""
    of = look.colours()
    scale = alt.Scale(type="log", range=[_mixed(of.page, of.ours, 0.18), of.ours])
    chart: alt.Chart = (
        alt.Chart(table, height=HEIGHT)
        .mark_rect()
        .encode(
            x=alt.X(f"{x}_low:Q", title=x_title, bin="binned", axis=alt.Axis(format=",~f")),
            x2=f"{x}_high:Q",
            y=alt.Y(f"{y}_low:Q", title=y_title, bin="binned", axis=alt.Axis(format=",~f")),
            y2=f"{y}_high:Q",
            color=alt.Color(f"{count}:Q", scale=scale, legend=None),
            tooltip=_tips(table),
        )
    )
    return chart


def points(table: pd.DataFrame, *, x: str, y: str, x_title: str, y_title: str) -> alt.Chart:
    """One mark a row, for a few hundred rows."""
    chart: alt.Chart = (
        alt.Chart(table, height=HEIGHT)
        .mark_circle(color=look.colours().ours, size=45, opacity=0.75)
        .encode(
            x=alt.X(
                f"{x}:Q", title=x_title, scale=alt.Scale(zero=False), axis=alt.Axis(format=",~f", tickCount=8)
            ),
            y=alt.Y(
                f"{y}:Q", title=y_title, scale=alt.Scale(zero=False), axis=alt.Axis(format=",~f", tickCount=6)
            ),
            tooltip=_tips(table),
        )
    )
    return chart


def line(table: pd.DataFrame, x: str, y: str, *, colour: str | None = None, dash: bool = False) -> alt.Chart:
    """A line to lay over another chart; dashed for references."""
    chart: alt.Chart = (
        alt.Chart(table, height=HEIGHT)
        .mark_line(
            color=colour or look.colours().quiet,
            strokeDash=[5, 4] if dash else [1, 0],
            clip=True,
            interpolate="monotone",
        )
        .encode(x=f"{x}:Q", y=f"{y}:Q")
    )
    return chart


def rule(value: float, *, axis: str, label: str) -> Drawn:
    """A dashed line at a value, with its name."""
    table = pd.DataFrame({axis: [value], "label": [label]})
    colour = look.colours().quiet
    base = alt.Chart(table)
    mark = base.mark_rule(color=colour, strokeDash=[5, 4]).encode(**{axis: f"{axis}:Q"})
    text = base.mark_text(color=look.colours().ink, align="right", dx=-4, dy=-4, baseline="bottom")
    # A horizontal line has its name at its right end, an upright one at its top.
    place = {"x": alt.value("width")} if axis == "y" else {"y": alt.value(12)}
    return alt.layer(mark, text.encode(text="label:N", **{axis: f"{axis}:Q"}, **place))


def _tips(table: pd.DataFrame) -> list[alt.Tooltip]:
    found = []
    for name in table.columns:
        word = words.of(str(name))
        if pd.api.types.is_numeric_dtype(table[name]):
            found.append(alt.Tooltip(f"{name}:Q", title=word.label, format=word.d3))
        else:
            found.append(alt.Tooltip(f"{name}:N", title=word.label))
    return found


def _mixed(one: str, other: str, share: float) -> str:
    """A colour between two."""

    def parts(text: str) -> list[int]:
        text = text.lstrip("#")
        text = "".join(2 * letter for letter in text) if len(text) == 3 else text
        return [int(text[i : i + 2], 16) for i in (0, 2, 4)]

    mixed = [round(a + share * (b - a)) for a, b in zip(parts(one), parts(other), strict=True)]
    return "#" + "".join(f"{value:02x}" for value in mixed)
