"""What changed from one release to another.

Takes in two release folders; gives out a `Difference`: pictures, answers, scores and parts that came, went or changed.
Raters have other ids in every release, so answers are matched by what they say and not by who gave them.

    found = diff(Path("skies-1.0.0"), Path("skies-1.1.0"))
    print("\\n".join(found.lines()))
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from photojury.datasets.releases.layout import TABLES, keys
from photojury.datasets.releases.read import Release

_ANSWERS = ("ratings", "comparisons")
_SECRET = ("assignment_id", "rater_id")
_SHOWN = 5


@dataclass(frozen=True)
class Change:
    """How one table changed.

    Attributes:
        same: rows that are in both releases, changed or not.
        added, removed: rows that are in one of them.
        changed: how many of the rows in both have another value, by column.
    """

    same: int
    added: int
    removed: int
    changed: Mapping[str, int]


@dataclass(frozen=True)
class Difference:
    """What changed.

    Attributes:
        first, second: name and version of the releases.
        added, removed: pictures that are in one of them, by image_id.
        changed: pictures that are in both, with the columns that differ.
        tables: every table that is in one of them.
        scores: the largest change of a score, by method.
    """

    first: str
    second: str
    added: Sequence[str]
    removed: Sequence[str]
    changed: Mapping[str, Sequence[str]]
    tables: Mapping[str, Change]
    scores: Mapping[str, float]

    def lines(self) -> list[str]:
        """The difference for people; one line where there is none."""
        found = [f"{self.first} -> {self.second}"]
        for name, change in self.tables.items():
            if not (change.added or change.removed or change.changed):
                continue
            parts = [f"{change.same:,} in both", f"{change.added:,} added", f"{change.removed:,} removed"]
            parts += [f"{count:,} with another {column}" for column, count in change.changed.items()]
            found.append(f"{name}: {', '.join(parts)}")
        for word, ids in (("added", self.added), ("removed", self.removed)):
            if ids:
                more = f" and {len(ids) - _SHOWN:,} more" if len(ids) > _SHOWN else ""
                found.append(f"pictures {word}: {', '.join(one[:16] for one in ids[:_SHOWN])}{more}")
        found += [f"scores {method}: by up to {most:.4g}" for method, most in self.scores.items()]
        return found if found[1:] else [*found, "no differences in the tables"]


def diff(first: Release, second: Release) -> Difference:
    """Compare two releases.

    Raises:
        InputError: a table of them is damaged.
    """
    changes, names = {}, {*first.tables(), *second.tables()}
    matched: dict[str, pd.DataFrame] = {}
    for name in TABLES:
        if name in names and name not in ("assignments", "presentations"):
            matched[name] = _matched(name, first.read(name), second.read(name))
            changes[name] = _change(matched[name])
    images = matched["images"]
    both = images[images["_merge"] == "both"]
    differing: dict[str, list[str]] = {}
    for column in _compared(images):
        for image in both.loc[_differ(both, column), "image_id"]:
            differing.setdefault(str(image), []).append(column)
    return Difference(
        f"{first.name} {first.version}",
        f"{second.name} {second.version}",
        list(images.loc[images["_merge"] == "right_only", "image_id"]),
        list(images.loc[images["_merge"] == "left_only", "image_id"]),
        differing,
        changes,
        dict(_largest(matched["scores"])) if "scores" in matched else {},
    )


def _matched(name: str, first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """Both tables side by side: columns of the first end in _x, of the second in _y; _merge says where a row is."""
    known = keys(name)
    if name in _ANSWERS:
        known = [column for column in TABLES[name] if column not in (*_SECRET, "use")]
    sides = []
    for table in (first, second):
        table = table.drop(columns=[column for column in _SECRET if column in table])
        if name in _ANSWERS:  # the same answer may have been given twice: the first is matched with the first
            table = table.sort_values("use", kind="stable")
            table["_nth"] = table.groupby(known, dropna=False, sort=False).cumcount()
        sides.append(table)
    return sides[0].merge(
        sides[1], how="outer", on=[*known, *(["_nth"] if name in _ANSWERS else [])], indicator=True
    )


def _change(matched: pd.DataFrame) -> Change:
    where = matched["_merge"]
    both = matched[where == "both"]
    counts = {column: int(_differ(both, column).sum()) for column in _compared(matched)}
    return Change(
        len(both),
        int((where == "right_only").sum()),
        int((where == "left_only").sum()),
        {column: count for column, count in counts.items() if count},
    )


def _compared(matched: pd.DataFrame) -> list[str]:
    return [str(column).removesuffix("_x") for column in matched if str(column).endswith("_x")]


def _differ(both: pd.DataFrame, column: str) -> "pd.Series[bool]":
    one, other = both[f"{column}_x"].astype(object), both[f"{column}_y"].astype(object)
    return (one != other) & ~(one.isna() & other.isna())


def _largest(scores: pd.DataFrame) -> Iterator[tuple[str, float]]:
    """The largest change of a score, by method; methods of which nothing changed are left out."""
    both = scores[scores["_merge"] == "both"]
    change = (both["score_x"].astype(float) - both["score_y"].astype(float)).abs()
    for method, most in change.groupby(both["method"]).max().items():
        if np.isfinite(most) and most > 0:
            yield str(method), float(most)
