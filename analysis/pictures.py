"""What became of the pictures: the funnel from what sources offered to what is kept, and pictures that are nearly the same.

Takes in an open study; gives out counts made by the database, and a few rows of pictures.

    >>> funnel(open_study(Path("demo-study"))).head(2)          # doctest: +SKIP
          step  pictures
    0  offered        90
    1   stored        84
"""

from typing import Any

import pandas as pd
import sqlalchemy as sa

from photojury.datasets import tables
from photojury.datasets.store import Study

STATES = {
    "found": "not downloaded yet",
    "failed": "download failed, to be tried again",
    "duplicate": "the same bytes as another",
    "rejected": "no picture to show",
    "gone": "gone at its source",
    "barred": "taken back, or barred by its source",
}
"""Candidates that are no stored picture, in words; see `datasets.tables.candidates`."""

_CANDIDATES, _CHECKS, _IMAGES = tables.candidates, tables.checks, tables.images


def funnel(study: Study) -> pd.DataFrame:
    """How many pictures got how far: step (offered, stored, kept), pictures."""
    images = _by(study, _IMAGES.c.status)
    offered = _by(study, _CANDIDATES.c.state)
    stored, kept = int(images["n"].sum()), int(images.loc[images["status"] == "kept", "n"].sum())
    # Pictures of an import have no candidates.
    steps = {"offered": max(stored, int(offered["n"].sum())), "stored": stored, "kept": kept}
    return pd.DataFrame({"step": list(steps), "pictures": list(steps.values())})


def losses(study: Study) -> pd.DataFrame:
    """Where pictures were lost: before (the step that they did not reach), reason, rule, pictures; the most first."""
    offered = _by(study, _CANDIDATES.c.state, _CANDIDATES.c.rule)
    offered = offered[offered["state"] != "stored"]
    offered = offered.assign(before="stored", reason=offered["state"].map(STATES).fillna(offered["state"]))
    images = _by(study, _IMAGES.c.status, _IMAGES.c.rule)
    images = images[images["status"] != "kept"]
    words = {"rejected": "rejected by a check or by hand", "tombstoned": "taken back"}
    images = images.assign(before="kept", reason=images["status"].map(words).fillna(images["status"]))
    both = pd.concat([offered, images])[["before", "reason", "rule", "n"]].rename(columns={"n": "pictures"})
    return both.sort_values("pictures", ascending=False, ignore_index=True)


def duplicates(study: Study, most: int) -> tuple[int, pd.DataFrame]:
    """Pictures that `collect check` found to be nearly another one.

    Returns:
        How many there are, and `most` of them, the nearest first: image_id, title, source_id, format, other_id,
        other_title, other_source_id, other_format, bits (of 64 in which their hashes differ).
    """
    one, other = _IMAGES, _IMAGES.alias("other")
    found = (
        (_CHECKS.c.check == "near_duplicate")
        & (_CHECKS.c.verdict == "fail")
        & _CHECKS.c.other_id.is_not(None)
    )
    names = ("image_id", "title", "source_id", "format")
    query = (
        sa.select(
            *(one.c[name] for name in names),
            *(other.c[name].label("other_id" if name == "image_id" else f"other_{name}") for name in names),
            _CHECKS.c.value.label("bits"),
        )
        .join(_CHECKS, _CHECKS.c.image_id == one.c.image_id)
        .join(other, other.c.image_id == _CHECKS.c.other_id)
    )
    wanted: Any = query
    rows = study.frame(wanted.where(found).order_by(_CHECKS.c.value, one.c.image_id).limit(most))
    count = study.rows(sa.select(sa.func.count().label("n")).where(found))[0]["n"]
    return int(count), rows


def _by(study: Study, *columns: "sa.Column[str]") -> pd.DataFrame:
    """Counts by columns: these, n."""
    query: Any = sa.select(*columns, sa.func.count().label("n")).group_by(*columns)
    return study.frame(query).astype({"n": "int64"})
