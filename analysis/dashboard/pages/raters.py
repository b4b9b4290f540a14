"""Raters: how the work is spread, everybody in one table, one rater's whole story, and what if some were left out."""

import shlex
from dataclasses import asdict
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from photojury.analysis import raters
from photojury.analysis.dashboard import charts, look, parts, prepared, words
from photojury.analysis.dashboard.frame import opened_here
from photojury.analysis.dashboard.opening import Opened, made
from photojury.analysis.wording import decimal, plural, share
from photojury.errors import InputError

# Raters that are drawn, and rows of one rater's table.
DRAWN, ROWS = 1_500, 300

COLUMNS = (
    "rater_id", "n", "hits", "median_seconds", "share_fast", "modal_share", "longest_run", "flat_hits", "without_own",
    "with_own", "bias", "inconsistency", "golds", "right", "repeats", "same", "left", "left_p", "verdicts",
)  # fmt: skip


def draw() -> None:
    opened = opened_here()
    with parts.page("Raters", "Who rates, how carefully, and what would the scores be without some?"):
        with parts.section("How the work is spread", key="spread"):
            _spread(opened)
        chosen: list[str] = []
        with parts.section("Everybody", key="everybody"):
            chosen = _everybody(opened)
        if len(chosen) == 1:
            with parts.section("One rater's story", key="story"):
                _story(opened, chosen[0])
        if chosen:
            with parts.section("What if they were left out", key="what-if"):
                _what_if(opened, chosen)


def _spread(opened: Opened) -> None:
    found = made(opened, prepared.work_spread)
    least, median, most = found["ratings_a_rater"]
    parts.tiles(
        {
            "raters": f"{found['raters']:,}",
            "ratings of one, median": f"{median:,.0f}",
            "fewest to most": f"{least:,.0f} to {most:,.0f}",
            "gave half of all": plural(found["half"], "rater"),
            "Gini of the loads": decimal(found["gini"], 2),
        },
        notes={"Gini of the loads": "0 where all did the same, near 1 where one did everything"},
    )
    if found["groups"] > 1:
        parts.box(
            "warning",
            f"the raters fall into {found['groups']:,} groups that share no image: their biases cannot be compared",
            key="groups",
        )


def _everybody(opened: Opened) -> list[str]:
    table = made(opened, prepared.panel)
    known = table[table["without_own"].notna()]
    if len(known):
        shown = known.nlargest(DRAWN, "n") if len(known) > DRAWN else known
        chart = charts.points(
            shown[["rater_id", "n", "without_own", "median_seconds", "bias"]],
            x="n", y="without_own", x_title="ratings", y_title="agreement (Spearman)",
        )  # fmt: skip
        said = (
            f"Agreement of {len(known):,} raters with the mean of the others, by how many ratings they gave"
        )
        charts.show(chart, shown, name="raters", alt_text=said)
        st.caption(
            f"{said}; median {decimal(known['without_own'].median(), 2)}"
            + (f". Drawn: the {DRAWN:,} with the most ratings." if len(shown) < len(known) else ".")
        )
    st.caption(
        "Select one to read the whole story, one or more to see the scores without them; a click on a head sorts."
    )
    rows = words.table(table, key="panel", columns=COLUMNS, height=380, alt="All raters", selectable="many")
    charts.downloads(table, name="rater-panel")
    return [str(table["rater_id"].iloc[row]) for row in rows]


def _story(opened: Opened, rater: str) -> None:
    with st.container(key="quiet-rater"):
        st.text(rater)
    row = _row(made(opened, prepared.panel), rater)
    parts.tiles(
        {
            "ratings": f"{row['n']:,.0f}",
            "median time": f"{decimal(row['median_seconds'], 1)} s",
            "under 1 s": share(row["share_fast"], 0),
            "agreement": decimal(row["without_own"], 2),
            "bias": decimal(row["bias"], 2),
            "inconsistency": decimal(row["inconsistency"], 2),
            "gold right": _of(row.get("right"), row.get("golds")),
            "repeats equal": _of(row.get("same"), row.get("repeats")),
            "left chosen": share(row["left"], 0) if "left" in row and row["left"] == row["left"] else "–",
        },
        notes={
            "agreement": "Spearman's correlation with the mean of the others",
            "inconsistency": f"95 %: {decimal(row['inconsistency_low'], 2)} to {decimal(row['inconsistency_high'], 2)} (P.910)",
        },
    )
    _verdicts(opened, rater)
    _own_levels(opened, rater)
    _course(opened, rater)
    given_here = made(opened, prepared.answered, rater)
    st.subheader("Ratings, the oddest first", anchor=False)
    odd = given_here.assign(off=given_here["residual"].abs()).sort_values(
        "off", ascending=False, na_position="last"
    )
    shown = odd.head(ROWS).rename(
        columns={"others": "mean of the others", "n_others": "others", "residual": "difference"}
    )
    words.table(
        shown,
        key="answered",
        columns=("image_id", "value", "mean of the others", "others", "difference", "seconds"),
        height=260,
        alt="Ratings of this rater",
    )
    charts.downloads(given_here, name="one-rater")


def _verdicts(opened: Opened, rater: str) -> None:
    if opened.answers.study is None:
        return
    work = made(opened, prepared.work, rater)
    if work.excluded:
        parts.box("warning", f"excluded: {work.excluded}", key="excluded")
    for number, verdict in enumerate(work.verdicts.to_dict("records")):
        parts.box(
            "warning", f"{verdict['task']}, {verdict['rule']}: {verdict['reason']}", key=f"verdict-{number}"
        )
    unused = int((~work.assignments["use"].astype(bool)).sum())
    if unused:
        st.caption(f"{unused:,} of {len(work.assignments):,} assignments are paid and not used")


def _own_levels(opened: Opened, rater: str) -> None:
    table = made(opened, prepared.own_levels, rater)
    long = table.melt(id_vars="level", value_vars=["rater", "everybody"], var_name="who", value_name="share")
    of = look.colours()
    chart = (
        alt.Chart(long, height=200)
        .mark_bar()
        .encode(
            x=alt.X("level:O", title="answer", axis=alt.Axis(labelAngle=0)),
            xOffset="who:N",
            y=alt.Y("share:Q", title="share of answers", axis=alt.Axis(format="%", tickCount=4)),
            color=alt.Color(
                "who:N",
                scale=alt.Scale(domain=["rater", "everybody"], range=[of.ours, of.quiet]),
                legend=alt.Legend(orient="top", title=None),
            ),
            tooltip=["level:O", "who:N", alt.Tooltip("share:Q", format=".1%")],
        )
    )
    charts.show(
        chart, table, name="own-levels", alt_text="Share of each answer of this rater and of everybody"
    )


def _course(opened: Opened, rater: str) -> None:
    st.subheader("Stricter or milder in the course of the study", anchor=False)
    try:
        table = made(opened, prepared.drift, rater)
    except InputError as error:
        parts.box("note", str(error), key="no-course")
        return
    of = look.colours()
    limits = pd.concat(
        [table.assign(line=table["limit"]), table.assign(line=-table["limit"])], keys=["upper", "lower"]
    )
    limits = limits.reset_index(level=0, names="side")
    base = {"x": alt.X("order:Q", title="ratings of this rater, in order")}
    drawn = alt.layer(
        alt.Chart(limits, height=220)
        .mark_line(color=of.quiet, strokeDash=[5, 4])
        .encode(**base, y=alt.Y("line:Q", title="smoothed difference (stars)"), detail="side:N"),
        alt.Chart(table, height=220)
        .mark_line(color=of.ours)
        .encode(**base, y="ewma:Q", tooltip=[alt.Tooltip("order:Q"), alt.Tooltip("ewma:Q", format="+.2f")]),
    )
    out = int(table["out"].sum())
    charts.show(
        drawn,
        table,
        name="drift",
        alt_text=f"Control chart of {len(table):,} ratings; {out:,} beyond the limits",
    )
    st.caption(
        f"Weighted mean of the differences from the others (newest counts {raters.EWMA:g}); dashed: three standard deviations. "
        f"{out:,} of {len(table):,} ratings lie beyond."
    )


def _what_if(opened: Opened, chosen: list[str]) -> None:
    found = made(opened, prepared.without, tuple(sorted(chosen)))
    rows = []
    for label, one in (
        ("with everybody", found.before),
        (f"without {plural(len(chosen), 'rater')}", found.after),
    ):
        rows.append({"": label, **asdict(one)})
    table = pd.DataFrame(rows).rename(
        columns={
            "standard_error": "standard error, mean",
            "correlation": "two ratings, ICC(1)",
            "reliability": "mean, ICC(1, k)",
        }
    )
    words.table(table, key="with-without", alt="Summary with and without the chosen raters")
    changed = found.images["change"].abs()
    st.caption(
        f"Rank correlation of the scores {decimal(found.srcc)}; {int((changed > 0).sum()):,} of {len(changed):,} scores change, by "
        f"{decimal(float(changed[changed > 0].median()) if (changed > 0).any() else 0.0, 2)} at the median."
        + (f" {plural(found.lost, 'image')} would have no rating left." if found.lost else "")
    )
    charts.downloads(found.images, name="what-if")
    if opened.kind == "study":
        named = " ".join(f"--rater {shlex.quote(rater)}" for rater in chosen)
        command = f"photojury annotate exclude {named}"
        parts.box(
            "note",
            "Nothing is excluded by looking. To do so:",
            key="exclude",
            command=parts.here(opened, command),
        )


def _of(value: object, n: object) -> str:
    if not isinstance(value, float | np.floating) or np.isnan(value):
        return "–"
    return f"{share(float(value), 0)} of {float(n):,.0f}"  # type: ignore[arg-type]


def _row(table: pd.DataFrame, rater: str) -> dict[Any, Any]:
    return table[table["rater_id"] == rater].to_dict("records")[0]


draw()
