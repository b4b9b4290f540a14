"""Models: how well each trained network follows the ratings, beside a constant and the paper; where it is furthest off."""

from collections.abc import Mapping
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from photojury.analysis import binning, predictions
from photojury.analysis.dashboard import charts, parts, prepared, words
from photojury.analysis.dashboard.frame import opened_here
from photojury.analysis.dashboard.opening import Opened, made
from photojury.analysis.wording import decimal, interval, plural
from photojury.datasets.papers import number
from photojury.errors import InputError

STRIP, GRID, BINS = 6, 30, 40
# Up to so many images are drawn one by one.
FEW = 400

# Measures of paper 1, section 5.1, in words.
MEASURES = {
    "Lg": "Lg (nats)",
    "Lr": "Lr (nats)",
    "auc": "AUC at p_a",
    "pairwise_accuracy": "pair accuracy at p_b",
    "pairwise_accuracy_decided": "without equal pairs",
    "srcc": "SRCC",
    "n_images": "images",
    "n_pairs": "pairs",
}


def draw() -> None:
    opened = opened_here()
    with parts.page("Models", "How well do trained networks follow the ratings, and where do they not?"):
        name = _chosen(opened)
        if name is not None:
            with parts.section("Measures", key="measures"):
                _measures(opened, name)
            with parts.section("Predictions", key="predictions"):
                _predicted(opened, name)


def _chosen(opened: Opened) -> str | None:
    """The model that is looked at; where there is none, the page says so."""
    names = [] if opened.answers.study is None else predictions.names(opened.answers.study.folder)
    if not names:
        what = "train one with" if opened.kind == "study" else "networks are trained on a study"
        command = parts.here(opened, "photojury train hybrid-siamese") if opened.kind == "study" else ""
        parts.box("note", f"No network is trained yet: {what}", key="no-model", command=command)
        return None
    if len(names) == 1:
        return names[0]
    return str(st.selectbox("Model", names, key="model", width=300))


def _measures(opened: Opened, name: str) -> None:
    table = made(opened, prepared.evaluation, name)
    with st.container(key="quiet-model"):
        st.text(f"Model: {name}")
    table = table.rename(columns=str)
    known = {str(c): MEASURES.get(str(c).partition(" ")[0], str(c)) for c in map(str, table)}
    shown = table.rename(
        columns={c: " ".join(filter(None, [known[c], c.partition(" ")[2]])) for c in map(str, table)}
    )
    shown = shown.rename(columns={"part": "part of the split", "name": "predictor"})
    words.table(shown, key="evaluation", alt="Measures of the model and of a constant predictor")
    if name.startswith("hybrid-siamese"):
        paper = {key: number(f"action_shots.hybrid_test_{key.lower()}") for key in ("Lg", "Lr")}
        said = ", ".join(f"{key} {decimal(value.value)}" for key, value in paper.items())
        st.caption(
            f"Paper 1, Table 2, on its own images: {said}. Lower is better; AUC, accuracy and SRCC: higher."
        )
    charts.downloads(table, name="measures")


def _predicted(opened: Opened, name: str) -> None:
    table = made(opened, prepared.predicted, name)
    there = [part for part in predictions.PARTS if (table["part"] == part).any()]
    if not there:
        raise InputError("no predicted image has ratings")
    part = str(st.segmented_control("Part of the split", there, default=there[0], key="part", required=True))
    rows = table[table["part"] == part]
    with parts.section("Predicted against rated", key="follow"):
        _follow(opened, name, rows, part)
    with parts.section("Best and worst predicted", key="ends"):
        _ends(opened, rows)
    with parts.section("Errors", key="errors"):
        _errors(rows, part)


def _follow(opened: Opened, name: str, rows: pd.DataFrame, part: str) -> None:
    found = made(opened, prepared.follows, name, part)
    titles = {"x_title": "mean rating", "y_title": "predicted score"}
    if len(rows) <= FEW:
        shown = rows[["image_id", "rated", "predicted", "n", "error"]]
        chart = charts.points(shown, x="rated", y="predicted", **titles)
    else:
        edges = [
            binning.grid(float(rows[k].min()), float(rows[k].max()), GRID) for k in ("rated", "predicted")
        ]
        shown = binning.cells(rows["rated"], rows["predicted"], x_edges=edges[0], y_edges=edges[1])
        chart = charts.heat(shown, x="x", y="y", **titles)
    alt_text = f"Predicted score against mean rating of {found.n:,} images; rank correlation {found.srcc:.2f}"
    charts.show(chart, shown, name="predicted", alt_text=alt_text)
    st.caption(
        f"{plural(found.n, 'image')} of {part}: SRCC {decimal(found.srcc)} {interval(found.low, found.high)} (95 %), PLCC "
        f"{decimal(found.plcc)}, KRCC {decimal(found.krcc)}. A network's scores have a scale of their own."
    )


def _ends(opened: Opened, rows: pd.DataFrame) -> None:
    both = rows.merge(opened.answers.images, on="image_id", how="left")
    if both.empty or both["format"].isna().all():
        raise InputError("there are no pictures beside the answers")
    size = both.assign(off=both["error"].abs()).sort_values(["off", "image_id"])
    too_high = both.sort_values(["error", "image_id"], ascending=[False, True])
    for title, chosen in (
        ("Predicted best", size.head(STRIP)),
        ("Liked more by the network than by people", too_high.head(STRIP)),
        ("Liked less by the network than by people", too_high.iloc[::-1].head(STRIP)),
    ):
        st.subheader(title, anchor=False)
        parts.pictures(opened, chosen.to_dict("records"), _lines, key=title.split()[1] + title.split()[0])


def _lines(row: Mapping[Any, Any]) -> list[str]:
    return [
        f"rank {100 * row['error']:+.0f} %".replace("-", "−"),
        f"rated {decimal(row['rated'], 2)}, n = {row['n']:.0f}; predicted {decimal(row['predicted'], 2)}",
    ]


def _errors(rows: pd.DataFrame, part: str) -> None:
    counts = binning.counts(rows["error"], low=-1, high=1, bins=BINS)
    chart = charts.histogram(counts, x_title="rank predicted less rank rated, as shares", y_title="images")
    zero = charts.rule(0.0, axis="x", label="right")
    alt_text = f"Errors of {len(rows):,} images of {part}, as shares of the ranking"
    charts.show(alt.layer(chart, zero), counts, name="errors", alt_text=alt_text)
    half = float(rows["error"].abs().median())
    st.caption(f"Half of the images are within {100 * half:.0f} % of the ranking of where people put them.")
    charts.downloads(rows, name="predictions")


draw()
