"""Pairs: can the comparisons carry a scale, do they agree with the stars, does a side matter, do votes go in circles?"""

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from photojury.analysis import binning
from photojury.analysis.answers import TASKS
from photojury.analysis.confusion import Confusion
from photojury.analysis.dashboard import charts, look, parts, prepared, words
from photojury.analysis.dashboard.frame import opened_here
from photojury.analysis.dashboard.opening import Opened, made
from photojury.analysis.findings import compared
from photojury.analysis.findings.asked import PAIRED
from photojury.analysis.triads import BY_LOT
from photojury.analysis.wording import decimal, interval, probability, share, whole
from photojury.datasets.papers import number
from photojury.errors import InputError

# Images up to which the spectrum of the graph is computed without being asked for: it takes seconds beyond.
QUICK = 2_000
# Raters whose sides are drawn one by one.
DRAWN = 1_500


def draw() -> None:
    opened = opened_here()
    with parts.page("Pairs", "Do the comparisons hold together, and do they say what the stars say?"):
        with parts.section("The graph of the comparisons", key="graph"):
            task = _task(opened)
            _graph(opened, task)
            _cycles(opened, task)
        with parts.section("Stars against pairs", key="confusion"):
            _confusion(opened)
        with parts.section("Left or right", key="sides"):
            _sides(opened)


def _task(opened: Opened) -> str:
    there = [task for task in PAIRED if made(opened, prepared.count, task)]
    if not there:
        raise InputError(
            "nothing was compared yet; plan pairs with: photojury annotate plan five_level"
            if opened.kind == "study"
            else "there are no comparisons here"
        )
    if len(there) == 1:
        return there[0]
    return str(
        st.segmented_control(
            "Task", there, default=there[0], format_func=TASKS.__getitem__, key="task", required=True
        )
    )


def _graph(opened: Opened, task: str) -> None:
    quick, degrees = made(opened, prepared.design, task, False)
    found = quick
    if quick.images <= QUICK or st.toggle("how well it holds together (some seconds)", key="spectrum"):
        with st.spinner("Computing the spectrum"):
            found, _ = made(opened, prepared.design, task, True)
    parts.tiles(
        {
            "images": whole(found.images),
            "pairs": whole(found.pairs),
            "answers": whole(found.comparisons),
            "groups": whole(found.components),
            "cut off": whole(found.cut_off),
            "spectral gap": decimal(found.spectral_gap),
            "variance factor": decimal(found.variance_factor, 2),
        },
        notes={
            "groups": "of images that pairs join; 1 is one scale for all",
            "cut off": "images outside the largest group",
            "spectral gap": "0 falls apart; a good random design of ten pairs an image has about 0.4",
            "variance factor": "of the scores, against all pairs asked equally often",
        },
    )
    if found.components > 1:
        parts.box(
            "warning",
            f"the comparisons fall into {found.components:,} groups that no pair joins: scores of different groups cannot be "
            "compared (pairs stay inside a part of the split, so each part is a group of its own)",
            key="apart",
        )
    table = pd.Series(degrees).value_counts().sort_index()
    if len(table) > 60:
        shown = binning.counts(degrees, low=float(degrees.min()), high=float(degrees.max()), bins=40)
    else:
        shown = pd.DataFrame({"low": table.index - 0.5, "high": table.index + 0.5, "n": table.to_numpy()})
    chart = charts.histogram(shown, x_title="answers about an image", y_title="images")
    said = f"Answers about one image: {found.degree_min:,} to {found.degree_max:,}, {found.degree_mean:.1f} on average"
    charts.show(chart, shown, name="degrees", alt_text=said)
    st.caption(f"{said}.")


def _cycles(opened: Opened, task: str) -> None:
    st.subheader("Circles", anchor=False)
    found = made(opened, prepared.cycles, task)
    if not found.decided:
        st.caption("No three images were compared all with each other, so no circle can show.")
        return
    st.caption(
        f"Of {found.decided:,} triples whose three pairs the votes decide, {found.circular:,} go in a circle (A beats B beats C "
        f"beats A): {share(found.share)}. Votes by lot would make {share(BY_LOT, 0)}. {found.tied:,} pairs are tied."
    )


def _confusion(opened: Opened) -> None:
    found = made(opened, compared.confusion)
    names = list(found.counts.index)
    shares, mirrored = found.row_shares(), found.symmetrised()
    cells = pd.DataFrame(
        [
            {
                "pairs say": row,
                "stars say": column,
                "share": shares.loc[row, column],
                "pairs": int(found.counts.loc[row, column]),
                "symmetrised": float(mirrored.loc[row, column]),
                "paper": number(f"action_shots.confusion_{row}_{column}").value,
            }
            for row in names
            for column in names
        ]
    )
    of = look.colours()
    base = alt.Chart(cells, height=330).encode(
        x=alt.X(
            "stars say:N",
            sort=names,
            axis=alt.Axis(labelAngle=0, orient="top"),
            title="stars say of the first image",
        ),
        y=alt.Y("pairs say:N", sort=names, title="pairs say"),
    )
    squares = base.mark_rect(opacity=0.6).encode(
        color=alt.Color("share:Q", scale=alt.Scale(domain=[0, 1], range=[of.shade, of.ours]), legend=None),
        tooltip=[
            alt.Tooltip("share:Q", format=".1%"),
            alt.Tooltip("pairs:Q", format=","),
            alt.Tooltip("paper:Q", format=".0%"),
        ],
    )
    layers = [squares]
    for field, offset, size in (("share", -20, 18), ("pairs", 4, 12), ("paper", 26, 12)):
        style = ".0%" if field in ("share", "paper") else ","
        words_of = "'paper 1: ' + " if field == "paper" else ""
        text = base.transform_calculate(said=f"{words_of}format(datum.{field}, '{style}')")
        layers.append(text.mark_text(dy=offset, fontSize=size, color=of.ink).encode(text="said:N"))
    charts.show(
        alt.layer(*layers),
        cells,
        name="confusion",
        alt_text=f"Confusion of stars and pairs, {found.n:,} pairs",
    )
    st.caption(_said(found))
    sweep = made(opened, compared.sweep)
    grid = sweep.assign(c_g=sweep["c_g"].astype(float), c_p=sweep["c_p"].astype(float))
    st.subheader("Agreement over the thresholds", anchor=False)
    heat = alt.Chart(grid, height=230).encode(
        x=alt.X("c_g:O", title="stars: equal up to", axis=alt.Axis(labelAngle=0)),
        y=alt.Y("c_p:O", title="pairs: equal up to", sort="descending"),
    )
    scale = alt.Scale(range=[of.shade, of.ours], zero=False)
    charts.show(
        alt.layer(
            heat.mark_rect(opacity=0.6).encode(color=alt.Color("agreement:Q", scale=scale, legend=None)),
            heat.mark_text(color=of.ink).encode(text=alt.Text("agreement:Q", format=".0%")),
        ),
        grid,
        name="sweep",
        alt_text=f"Agreement from {share(grid['agreement'].min(), 0)} to {share(grid['agreement'].max(), 0)}",
    )


def _said(found: Confusion) -> str:
    said = (
        f"{found.n:,} pairs: share of each row, pairs, and paper 1's Table 1. Both agree on {share(found.agreement)} "
        f"{interval(100 * found.agreement_low, 100 * found.agreement_high, 1)}, say the opposite on {share(found.opposite)}; "
        f"Cohen's kappa with linear weights {decimal(found.weighted_kappa)}. Being first mattered: p {probability(found.mirror_p)}."
    )
    return (
        said
        if not found.without_ratings
        else f"{said} {found.without_ratings:,} more pairs have an image without stars."
    )


def _sides(opened: Opened) -> None:
    table = made(opened, compared.sides)
    n = int(table["n"].sum())
    left = float(np.average(table["left"], weights=table["n"]))
    biased = int((table["p_adjusted"] < 0.05).sum())
    drawn = table.nlargest(DRAWN, "n") if len(table) > DRAWN else table
    chart = charts.points(
        drawn[["rater_id", "n", "left", "p_adjusted"]], x="n", y="left", x_title="answers that chose a side",
        y_title="share of left",
    )  # fmt: skip
    line = charts.rule(0.5, axis="y", label="no side preferred")
    charts.show(
        alt.layer(chart, line), drawn, name="sides", alt_text=f"Share of left of {len(table):,} raters"
    )
    st.caption(
        f"{share(left)} of {n:,} answers chose the left picture; sides are drawn by lot. {biased:,} of {len(table):,} raters "
        "prefer a side (exact binomial test, Benjamini-Hochberg, 0.05)."
    )
    odd = table[table["p_adjusted"] < 0.05].sort_values("p_adjusted")
    if len(odd):
        words.table(
            odd, key="sides-table", columns=("rater_id", "task", "n", "left", "p_adjusted"), height=200
        )


draw()
