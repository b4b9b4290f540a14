"""Perceptions of street views: which of two streets is safer, more relaxing, more beautiful, greener, on a slider.

Larkin and others, Perceptions_MTurk: 8,085 assignments of Mechanical Turk workers in 2020, five pairs each. Takes in
mechTurkRecords.csv: l_img_* and r_img_*, abs_cont_outcome_* from 0 (the left one wins, strongly) to 100 (the right one),
mt_accept, mt_submit, mt_elapsed (seconds for all five pairs), QA_flag, time_flag. The fifth pair, of cars, checks that
workers look. Gives out comparisons on five levels, cut at 20, 40, 60 and 80 of the slider, which stays in `slider`.

    >>> streets = read(Path("Perceptions_MTurk/dataFiles"), outcome="safe")          # doctest: +SKIP
"""

from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from photojury.datasets.readers.label_files import Sieve, open_labels
from photojury.datasets.readers.published import Published

NAME = "perceptions-mturk"
OUTCOMES = ("safe", "relax", "beauty", "greenspace")
CUTS = (20, 40, 60, 80)
"""Of the slider: up to 20 the left one is much better, above 80 the right one."""

Outcome = Literal["safe", "relax", "beauty", "greenspace"]


def read(root: Path, *, outcome: Outcome = "beauty", flagged: bool = True) -> Published:
    """Read the answers to one of the questions.

    Args:
        root: the folder with mechTurkRecords.csv, or this file.
        outcome: safe, relax, beauty or greenspace.
        flagged: whether assignments that the authors flagged (the cars wrong, or too fast) are kept.

    Raises:
        InputError: it is not there, or is no such file.
    """
    left, right, slider = f"l_img_{outcome}", f"r_img_{outcome}", f"abs_cont_outcome_{outcome}"
    columns = [left, right, slider, "mt_accept", "mt_submit", "mt_elapsed", "QA_flag", "time_flag"]
    sieve = open_labels(root, ["mechTurkRecords.csv"], what="answers", columns=columns)
    sieve.text(left, right)
    sieve.number(slider, low=0, high=100)
    sieve.number("mt_elapsed", low=0, kept=True)
    sieve.number("QA_flag", "time_flag", low=0, high=1, whole=True)
    sieve.keep((sieve.rows[left] != sieve.rows[right]).to_numpy(), "pairs of an image with itself")
    if not flagged:
        flags = sieve.rows[["QA_flag", "time_flag"]].any(axis=1).to_numpy(dtype=bool)
        sieve.keep(~flags, "assignments that the authors flagged")
    comparisons = _comparisons(sieve, left, right, slider)
    ids = pd.Series(pd.concat([comparisons["first_id"], comparisons["second_id"]]).unique())
    ids = ids.sort_values(ignore_index=True)
    images = pd.DataFrame(
        {"image_id": ids, "source": NAME, "source_id": ids.str.removeprefix(f"{NAME}:"), "file": None}
    )
    return Published(
        NAME,
        images,
        {"comparisons": comparisons},
        notes=(
            "who answered was not published: each assignment stands as a rater of its own",
            "the time is that of an assignment of five pairs, divided by five",
            "a street view is a place and a direction, place_angle: views of one place are no series here",
        ),
        left_out=sieve.left_out,
    )


def _comparisons(sieve: Sieve, left: str, right: str, slider: str) -> pd.DataFrame:
    rows = sieve.rows
    # The slider tells how far the right one is better, and our values how far the first, the left one, is.
    level = 2.0 - np.searchsorted(CUTS, rows[slider].to_numpy(), side="left")
    number = rows.index.astype("str")
    return pd.DataFrame(
        {
            "first_id": f"{NAME}:" + rows[left],
            "second_id": f"{NAME}:" + rows[right],
            "value": level,
            "rater_id": "assignment-" + number,
            "assignment_id": number,
            "unit_id": number,
            "task": "five_level",
            "first_shown_left": True,
            "milliseconds": 1000 * rows["mt_elapsed"] / 5,
            "accepted_at": _seconds(rows["mt_accept"]),
            "submitted_at": _seconds(rows["mt_submit"]),
            "slider": rows[slider],
        }
    ).reset_index(drop=True)


def _seconds(times: "pd.Series[str]") -> "pd.Series[float]":
    """Seconds since 1970; NaN where a cell is no time."""
    stamps = pd.to_datetime(times, errors="coerce", utc=True, format="%Y-%m-%d %H:%M:%S%z")
    return (stamps - pd.Timestamp(0, tz="UTC")).dt.total_seconds()
