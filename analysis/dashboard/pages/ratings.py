"""Ratings: what people answered, how they spread about each image, and whether they agree."""

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from photojury.analysis import binning
from photojury.analysis.dashboard import charts, look, parts, prepared, words
from photojury.analysis.dashboard.frame import opened_here
from photojury.analysis.dashboard.opening import Opened, made
from photojury.analysis.findings import rated
from photojury.analysis.wording import decimal, interval, share
from photojury.errors import InputError

GRID = 40

COEFFICIENTS = {
    "alpha_nominal": "Krippendorff's alpha, nominal",
    "alpha_ordinal": "Krippendorff's alpha, ordinal",
    "alpha_interval": "Krippendorff's alpha, interval",
    "alpha_ratio": "Krippendorff's alpha, ratio",
    "fleiss_kappa": "Fleiss' kappa",
    "split_half": "split halves, Spearman-Brown",
    "icc_1": "ICC(1): two ratings of one image",
    "icc_1_k": "ICC(1, k): the mean of an image's ratings",
}

VARIANTS = {
    "significant_bh": "significant HITs (permutation, Benjamini-Hochberg)",
    "significant_by": "the same, Benjamini-Yekutieli",
    "significant_kendall_f": "the same, Kendall's W and F",
    "significant_friedman": "the same, Friedman's chi-square",
    "pair_share": "significant pairs of raters",
    "mean_rho": "mean correlation of two raters (Spearman)",
    "mean_w": "mean Kendall's W",
}


def draw() -> None:
    opened = opened_here()
    with parts.page("Ratings", "What did people answer, how widely do they differ, and do they agree?"):
        with parts.section("Answers", key="answers"):
            _answers(opened)
        with parts.section("Spread about each image", key="spread"):
            _spread(opened)
        with parts.section("Agreement", key="agreement"):
            _agreement(opened)
        with parts.section("Consistency of the HITs", key="consistency"):
            _consistency(opened)
        _left_out(opened)


def _answers(opened: Opened) -> None:
    table = made(opened, prepared.levels)
    n = int(table["count"].sum())
    chart = charts.bars(table, "level", "share", x_title="answer", y_title="share of answers", percent=True)
    text = chart.mark_text(dy=-8, color=look.colours().ink).encode(text=alt.Text("share:Q", format=".0%"))
    shares = ", ".join(f"{row['level']:g}: {row['share']:.0%}" for row in table.to_dict("records"))
    charts.show(alt.layer(chart, text), table, name="answers", alt_text=f"Share of {n:,} answers: {shares}")
    facts = made(opened, prepared.facts)
    st.caption(
        f"{n:,} ratings by {facts['raters']:,} raters of {facts['images']:,} images; {facts['least']:,} to "
        f"{facts['most']:,} ratings an image, {facts['median']:g} at the median"
    )


def _spread(opened: Opened) -> None:
    table = made(opened, rated.images)
    low, high = opened.answers.scale
    means, deviations = binning.grid(low, high, GRID), binning.grid(0, (high - low) / 2, GRID // 2)
    cells = binning.cells(table["mean"], table["sd"], x_edges=means, y_edges=deviations)
    cells = cells.rename(
        columns={
            "x_low": "mean_low",
            "x_high": "mean_high",
            "y_low": "sd_low",
            "y_high": "sd_high",
            "n": "images",
        }
    )
    layers = [
        charts.heat(
            cells, x="mean", y="sd", x_title="mean rating", y_title="standard deviation", count="images"
        )
    ]
    at = np.linspace(low, high, 81)
    widest = pd.DataFrame({"mean": at, "sd": np.sqrt((at - low) * (high - at))})
    layers.append(charts.line(widest, "mean", "sd", dash=True))
    fit = made(opened, prepared.sos)
    if fit is not None:
        curve = pd.DataFrame({"mean": at, "sd": np.sqrt(max(0.0, fit.a) * (at - low) * (high - at))})
        layers.append(charts.line(curve, "mean", "sd", colour=look.colours().paper))
    charts.show(
        alt.layer(*layers),
        cells,
        name="spread",
        alt_text=f"Standard deviation by mean of {len(table):,} images",
    )
    parted = int((table["sd"] >= (high - low) / 4).sum())
    said = f"The stronger a cell's colour, the more images lie there ({len(table):,} in all). Dashed: the largest deviation that is possible. "
    if fit is not None:
        said += (
            f"Line: the SOS fit, variance = a (mean - {low:g})({high:g} - mean) with a = {decimal(fit.a)} "
            f"{interval(fit.low, fit.high)}; 0.1 to 0.3 is usual. "
        )
    st.caption(
        said
        + f"Mean deviation {decimal(table['sd'].mean())}; {parted:,} images spread over a quarter of the scale or more."
    )
    _means(opened, table)


def _means(opened: Opened, table: pd.DataFrame) -> None:
    st.subheader("Mean ratings", anchor=False)
    low, high = opened.answers.scale
    counts = binning.counts(table["mean"], low=low, high=high, bins=GRID)
    chart: charts.Drawn = charts.histogram(counts, x_title="mean rating", y_title="images")
    fit = made(opened, prepared.normal)
    if fit is not None:
        at = np.linspace(low, high, 101)
        density = np.exp(-((at - fit.mean) ** 2) / (2 * fit.sd**2)) / (fit.sd * np.sqrt(2 * np.pi))
        curve = pd.DataFrame({"mean": at, "n": density * len(table) * (high - low) / GRID})
        chart = alt.layer(chart, charts.line(curve, "mean", "n", colour=look.colours().paper))
    charts.show(
        chart, counts, name="means", alt_text=f"Histogram of the mean ratings of {len(table):,} images"
    )
    if fit is not None:
        st.caption(
            f"Line: normal, mean {decimal(fit.mean, 2)}, standard deviation {decimal(fit.sd, 2)}; skewness "
            f"{decimal(fit.skewness, 2)} (0 for a normal distribution)"
        )


def _agreement(opened: Opened) -> None:
    images = int(made(opened, prepared.facts)["images"])
    everything = images <= prepared.MOST_IMAGES or st.toggle(
        f"on all {images:,} images (slow)", key="all-images"
    )
    most = images if everything else prepared.MOST_IMAGES
    with st.spinner("Measuring agreement"):
        table = made(opened, prepared.coefficients, most)
    shown = table.assign(coefficient=table["coefficient"].map(COEFFICIENTS))
    shown = shown.rename(columns={"low": "95 %, from", "high": "to", "n": "images"})
    words.table(shown, key="coefficients", alt="Coefficients of agreement")
    if most < images:
        st.caption(f"On {most:,} of {images:,} images, drawn by lot. Intervals: bootstrap over images.")
    charts.downloads(table, name="coefficients")


def _consistency(opened: Opened) -> None:
    hits = made(opened, prepared.hits)
    everything = hits <= prepared.MOST_HITS or st.toggle(f"of all {hits:,} HITs (slow)", key="all-hits")
    most = hits if everything else prepared.MOST_HITS
    with st.spinner("Testing HITs by permutation"):
        found, summary = made(opened, prepared.tested, most)
    tested = found.batches[found.batches["mean_rho"].notna()]
    if tested.empty:
        raise InputError(f"no HIT could be tested: {found.batches['reason'].iloc[0]}")
    counts = []
    for significant, label in ((True, "significant"), (False, "not significant")):
        part = tested[tested["significant"].astype(bool) == significant]["mean_rho"]
        counts.append(binning.counts(part, low=-1, high=1, bins=40).assign(HITs=label))
    table = pd.concat(counts, ignore_index=True)
    table = table[(table["high"] > tested["mean_rho"].min() - 0.05) | (table["low"] >= 0)]
    of = look.colours()
    chart = (
        alt.Chart(table, height=220)
        .mark_bar(binSpacing=1)
        .encode(
            x=alt.X("low:Q", bin="binned", title="mean correlation of two raters in a HIT (Spearman)"),
            x2="high:Q",
            y=alt.Y("n:Q", title="HITs", stack=True),
            color=alt.Color(
                "HITs:N",
                scale=alt.Scale(domain=["significant", "not significant"], range=[of.ours, of.quiet]),
                legend=alt.Legend(orient="top", title=None),
            ),
            tooltip=[
                alt.Tooltip("HITs:N"),
                alt.Tooltip("low:Q", format=".2f"),
                alt.Tooltip("n:Q", title="number"),
            ],
        )
    )
    alt_text = (
        f"Mean correlation of raters in {len(tested):,} HITs; {share(found.share_significant())} significant"
    )
    charts.show(chart, table, name="consistency", alt_text=alt_text)
    shown = summary[summary["measure"].isin(VARIANTS)]
    shown = shown.assign(measure=shown["measure"].map(VARIANTS))
    shown = shown.rename(columns={"low": "95 %, from", "high": "to"})
    words.table(
        shown,
        key="variants",
        columns=("measure", "value", "95 %, from", "to", "n"),
        alt="Consistency of HITs",
    )
    said = f"On {len(found.batches):,} of {hits:,} HITs, drawn by lot. " if most < hits else ""
    st.caption(
        f"{said}Permutation test within each HIT, {found.permutations:,} permutations, false discovery rate "
        f"{found.alpha:g}; with agreement as usual for such pictures, 70 to 85 % of HITs are significant."
    )


def _left_out(opened: Opened) -> None:
    for number, (reason, count) in enumerate(opened.answers.left_out.items()):
        with st.container(key=f"quiet-left-out-{number}"):
            st.text(f"Left out: {count:,} {reason}")


draw()
