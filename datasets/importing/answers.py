"""What people answered in a published dataset, as the study's tables: questions, assignments, ratings, comparisons.

Takes in a dataset's ratings and comparisons; gives out rows of `units`, `hits`, `assignments`, `ratings` and
`comparisons`, with no more in them than the dataset tells:

* one unit for each image, or pair, and task; a further one for each time that one person was asked the same again;
* one assignment for each of the dataset's own, or, where it tells none, one for each rater (and batch, where it tells
  these); without times where it tells none;
* one HIT for each batch that it tells; without any, an assignment has no HIT, so no test takes the whole for a batch.

Ids are hashes of the dataset's name and its own ids, so the same dataset gives the same rows.

    rows = answers_of(published)
    rows.tables["ratings"]
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from photojury.datasets import tables
from photojury.datasets.readers.published import Published

LEVELS: Mapping[str, Sequence[float]] = {
    "five_level": (-2, -1, 0, 1, 2),
    "forced_choice": (-1, 1),
    "series": (-1, 1),
}
"""The tasks on pairs, with the answers that each takes."""

# What a dataset may tell of an answer beside whom and what it is about.
_TOLD = ("position_in_hit", "milliseconds", "simulated")
_HASHED = re.compile("[0-9a-f]{16}")


@dataclass(frozen=True)
class Rows:
    """The rows of each table, and answers that are none of single people, by reason."""

    tables: Mapping[str, pd.DataFrame]
    left_out: Mapping[str, int]


def answers_of(published: Published) -> Rows:
    """The rows of a dataset's answers; images still have the dataset's ids."""
    left_out: dict[str, int] = {}
    ratings = _ratings(published, left_out)
    comparisons = _comparisons(published, left_out)
    both = pd.concat([ratings, comparisons], ignore_index=True)
    if both.empty:
        return Rows({}, left_out)
    units = _units(both, published.name)
    both["unit_id"] = _unit_ids(both, published.name)
    hits = _hits(both, published.name)
    assignments = _assignments(both)
    made = {"units": units, "hits": hits, "assignments": assignments}
    for name, table in (("ratings", ratings), ("comparisons", comparisons)):
        own = both.iloc[: len(ratings)] if name == "ratings" else both.iloc[len(ratings) :]
        wanted = [column.name for column in tables.metadata.tables[name].c]
        own = own.rename(columns={"first_id": "image_id"}) if name == "ratings" else own
        if len(table):
            made[name] = own[[column for column in wanted if column in own]].reset_index(drop=True)
    return Rows({name: table for name, table in made.items() if len(table)}, left_out)


def key_of(*names: str) -> str:
    """A 20-digit hexadecimal key that depends on the names, on nothing else."""
    return hashlib.sha256("\x1f".join(names).encode()).hexdigest()[:20]


def short(name: str, own: str, most: int) -> str:
    """A dataset's own id with its name before it, or a hash of it where that is longer than a column takes."""
    full = own if own.startswith(f"{name}:") else f"{name}:{own}"
    return full if len(full) <= most else f"{name[: most - 21]}:{key_of(full)}"


def _ratings(published: Published, left_out: dict[str, int]) -> pd.DataFrame:
    table = published.read("ratings").rename(columns={"image_id": "first_id"})
    if table.empty:
        return pd.DataFrame()
    defaults = {"attribute": "overall", "task": "stars"}
    table = table.assign(**{name: value for name, value in defaults.items() if name not in table})
    return _prepared(table.assign(second_id=None), published.name, "ratings", left_out)


def _comparisons(published: Published, left_out: dict[str, int]) -> pd.DataFrame:
    table = published.read("comparisons")
    if table.empty:
        return pd.DataFrame()
    known = np.zeros(len(table), dtype=bool)
    for task, levels in LEVELS.items():
        known |= table["task"].eq(task).to_numpy() & table["value"].isin(levels).to_numpy()
    if not known.all():
        left_out["preferences that are no single answers, which a study has no place for"] = int(
            (~known).sum()
        )
    return _prepared(table[known].assign(attribute=None), published.name, "comparisons", left_out)


def _prepared(table: pd.DataFrame, name: str, what: str, left_out: dict[str, int]) -> pd.DataFrame:
    """Rows with a rater, his id with the dataset's name before it; how often he was asked the same; his assignment."""
    nobody = table["rater_id"].isna()
    if nobody.any():
        left_out[f"{what} without a rater"] = int(nobody.sum())
    table = table[~nobody].reset_index(drop=True)
    people = table["rater_id"].astype("str")
    renamed = {one: one if _HASHED.fullmatch(one) else short(name, one, 32) for one in people.unique()}
    table["rater_id"] = people.map(renamed)
    hits = table["hit_key"].astype("str") if "hit_key" in table else pd.Series("", index=table.index)
    hits = hits.where(table["hit_key"].notna(), "") if "hit_key" in table else hits
    table["own_hit"] = hits
    table["hit_key"] = hits.map({one: key_of(name, one) if one else None for one in hits.unique()})
    if "assignment_id" in table:
        own = table["assignment_id"].astype("str")
        table["assignment_id"] = own.map({one: short(name, one, 64) for one in own.unique()})
    else:
        pairs = hits + "\x1f" + table["rater_id"]
        table["assignment_id"] = pairs.map({one: key_of(name, *one.split("\x1f")) for one in pairs.unique()})
    if "repeat" not in table:
        table["repeat"] = 0
    # The same asked again without a word is one more question.
    same = ["assignment_id", "task", "first_id", "second_id", "attribute", "repeat"]
    table["again"] = table.groupby([table[key].fillna("") for key in same], sort=False).cumcount()
    if "simulated" in table:
        table["simulated"] = table["simulated"].astype(bool)
    else:
        table["simulated"] = False
    columns = (
        "task", "first_id", "second_id", "attribute", "rater_id", "value", "assignment_id", "hit_key", "own_hit", "repeat",
        "again", "first_shown_left", "accepted_at", "submitted_at", *_TOLD,
    )  # fmt: skip
    return table[[column for column in columns if column in table]]


def _identity(rows: pd.DataFrame) -> list["pd.Series[str]"]:
    names = ["task", "first_id", "second_id", "repeat", "again"]
    return [rows[name].astype("str").where(rows[name].notna(), "") for name in names]


def _unit_ids(rows: pd.DataFrame, name: str) -> "pd.Series[str]":
    task, first, second, repeat, again = _identity(rows)
    whole = task + "\x1f" + first + "\x1f" + second + "\x1f" + repeat + "\x1f" + again
    return whole.map({one: key_of(name, *one.split("\x1f")) for one in whole.unique()})


def _units(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    """One question each; one that is asked again to see whether a person answers the same says so."""
    asked = rows[["task", "first_id", "second_id", "repeat", "again"]].drop_duplicates()
    repeats = asked[asked["repeat"] > 0].assign(repeat=0)
    asked = pd.concat([asked, repeats], ignore_index=True).drop_duplicates()
    first = _unit_ids(asked.assign(repeat=0), name)
    again = asked["repeat"] > 0
    return pd.DataFrame(
        {
            "unit_id": _unit_ids(asked, name),
            "batch": name,
            "task": asked["task"],
            "first_id": asked["first_id"],
            "second_id": asked["second_id"],
            "control": pd.Series("repeat", index=asked.index).where(again),
            "repeat_of": first.where(again),
        }
    ).sort_values(["repeat_of", "unit_id"], na_position="first", ignore_index=True)


def _hits(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    """The batches that the dataset tells; nobody can be asked about them, or paid for them."""
    known = rows[rows["hit_key"].notna()]
    if known.empty:
        return pd.DataFrame()
    order = known.sort_values("position_in_hit", kind="stable") if "position_in_hit" in known else known
    asked = order.drop_duplicates(["hit_key", "unit_id"]).groupby("hit_key")["unit_id"].agg(list)
    people = known.drop_duplicates(["hit_key", "assignment_id", "rater_id"]).groupby("hit_key").size()
    first = known.drop_duplicates("hit_key").set_index("hit_key").reindex(asked.index)
    return pd.DataFrame(
        {
            "hit_key": asked.index,
            "batch": name,
            "task": first["task"].to_numpy(),
            "unit_ids": [json.dumps(units) for units in asked],
            "marketplace": tables.IMPORTED,
            "hit_id": first["own_hit"].str[:64].to_numpy(),
            "request_token": asked.index,
            "state": "closed",
            "reward": 0,
            "max_assignments": people.reindex(asked.index).to_numpy(),
        }
    )


def _assignments(rows: pd.DataFrame) -> pd.DataFrame:
    keys = ["assignment_id", "rater_id"]
    times = {
        name: ("min" if name == "accepted_at" else "max")
        for name in ("accepted_at", "submitted_at")
        if name in rows
    }
    found = (
        rows.groupby(keys, sort=False).agg({"hit_key": "first", "simulated": "any", **times}).reset_index()
    )
    return found.assign(status="Approved", use=True, answers="")
