"""Words: what columns are called on pages, with their units, and tables that show them so.

table(panel(ratings), key="raters")     # heads like "median time (s)" for median_seconds
of("median_seconds").label              # 'median time (s)'
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd
import streamlit as st

Kind = Literal["text", "whole", "share", "progress", "1", "2", "3", "signed"]

D3 = {"whole": ",.0f", "share": ".1%", "1": ",.1f", "2": ",.2f", "3": ",.3f", "signed": "+.2f"}
PRINTF = {"whole": "localized", "share": "%.1f", "1": "%.1f", "2": "%.2f", "3": "%.3f", "signed": "%+.2f"}


@dataclass(frozen=True)
class Word:
    """A column for people.

    Attributes:
        label: with the unit; of a share, percent are shown.
        kind: how its numbers are written; digits after the point, whole, share or signed.
        help: what the head says when pointed at.
    """

    label: str
    kind: Kind = "text"
    help: str | None = None

    @property
    def d3(self) -> str:
        """The format in charts."""
        return D3.get(self.kind, "")


WORDS: dict[str, Word] = {
    "image_id": Word("image"),
    "first_id": Word("first image"),
    "second_id": Word("second image"),
    "rater_id": Word("rater"),
    "hit_key": Word("HIT"),
    "n": Word("n", "whole"),
    "n_pairs": Word("pairs", "whole"),
    "n_votes": Word("votes", "whole"),
    "n_images": Word("images", "whole"),
    "answers": Word("answers", "whole"),
    "hits": Word("HITs", "whole"),
    "images": Word("images", "whole"),
    "raters": Word("raters", "whole"),
    "ratings": Word("ratings", "whole"),
    "pairs": Word("pairs", "whole"),
    "assignments": Word("assignments", "whole"),
    "count": Word("count", "whole"),
    "low": Word("from", "3"),
    "high": Word("to", "3"),
    "mean": Word("mean", "2"),
    "median": Word("median", "2"),
    "sd": Word("standard deviation", "2"),
    "entropy": Word("entropy (nats)", "2"),
    "bimodality": Word("bimodality", "2", "Sarle's coefficient: above 0.56 two peaks are likelier than one"),
    "divided": Word("divides people"),
    "score": Word("score", "3"),
    "standard_error": Word("standard error", "3"),
    "value": Word("value", "3"),
    "level": Word("answer", "2"),
    "share": Word("share (%)", "share"),
    "done": Word("done", "progress"),
    "hit_seconds": Word("median time (s)", "1", "of one HIT, with the page in front"),
    "hourly": Word("an hour pays"),
    "median_seconds": Word("median time (s)", "1", "of one answer, from the picture being visible"),
    "share_fast": Word(
        "under 1 s (%)", "share", "below a second an item, consistency collapses (Wood et al. 2017)"
    ),
    "share_rushed": Word("rushed (%)", "share", "answers in under half of the task's median time"),
    "modal_share": Word("same answer (%)", "share", "share of his most frequent answer"),
    "longest_run": Word("longest run", "whole", "equal answers in a row"),
    "flat_hits": Word("flat HITs (%)", "share", "HITs of three questions or more with one answer only"),
    "with_own": Word(
        "agreement, own vote in", "2", "Spearman's with the mean that contains his own vote (paper 4)"
    ),
    "without_own": Word("agreement", "2", "Spearman's correlation with the mean of the others"),
    "bias": Word("bias", "signed", "mean distance from the scores (P.910), in levels"),
    "inconsistency": Word(
        "inconsistency", "2", "spread of his answers around score and bias (P.910), in levels"
    ),
    "golds": Word("gold questions", "whole"),
    "right": Word("gold right (%)", "share"),
    "repeats": Word("repeats", "whole"),
    "same": Word("repeats equal (%)", "share"),
    "mean_change": Word("change at repeats", "2"),
    "left": Word("left (%)", "share", "of the pairs that he decided"),
    "left_p": Word("left, adjusted p", "3", "two-sided binomial test, Benjamini-Hochberg over raters"),
    "p": Word("p", "3"),
    "p_adjusted": Word("adjusted p", "3", "Benjamini-Hochberg"),
    "verdicts": Word("verdicts", help="rules that speak against the rater: see docs/screening.md"),
    "mean_rho": Word("mean correlation", "2", "Spearman's, over pairs of raters"),
    "views": Word("views", "whole"),
    "favs": Word("favourites", "whole"),
    "width": Word("width (px)", "whole"),
    "height": Word("height (px)", "whole"),
}
"""Each column by its name in tables."""


def of(column: str) -> Word:
    """The word for a column; a name that is not in WORDS loses its underscores, words for people stay."""
    return WORDS.get(column, Word(column if " " in column else column.replace("_", " "), "3"))


def table(
    frame: pd.DataFrame,
    *,
    key: str,
    columns: Sequence[str] | None = None,
    height: int | Literal["auto"] = "auto",
    alt: str | None = None,
    selectable: Literal["no", "one", "many"] = "no",
) -> list[int]:
    """Show a table with readable heads and numbers; a long one is sent row by row as it is looked at.

    Returns:
        Positions of the selected rows; none where the table is not selectable.
    """
    chosen = [name for name in (columns or frame.columns) if name in frame]
    shown = frame[chosen].copy()
    config = {}
    for name in chosen:
        config[name] = _config(name, shown[name])
        if of(name).kind == "share":
            shown[name] = 100 * shown[name]
    mode: Any = {"one": "single-row", "many": "multi-row"}.get(selectable, "multi-row")
    found: Any = st.dataframe(
        shown,
        hide_index=True,
        column_config=config,
        key=key,
        height=height,
        alt=alt,
        placeholder="–",
        lazy=True if len(shown) > 1000 and selectable == "no" else None,
        on_select="ignore" if selectable == "no" else "rerun",
        selection_mode=mode,
    )
    return [] if selectable == "no" else [int(row) for row in found.selection.rows]


def _config(name: str, cells: "pd.Series[Any]") -> Any:
    word = of(name)
    if pd.api.types.is_bool_dtype(cells):
        return st.column_config.CheckboxColumn(word.label, help=word.help)
    if word.kind == "progress":
        return st.column_config.ProgressColumn(
            word.label, help=word.help, format="percent", min_value=0, max_value=1, width=110
        )
    if pd.api.types.is_numeric_dtype(cells):
        whole = pd.api.types.is_integer_dtype(cells) and name not in WORDS
        return st.column_config.NumberColumn(
            word.label,
            help=word.help,
            format=PRINTF["whole" if whole else word.kind] if word.kind != "text" else None,
        )
    return st.column_config.TextColumn(word.label, help=word.help)
