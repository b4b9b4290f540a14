"""Photo triage: series of two to eight photographs of one subject, and which of each two people would keep.

Chang, Yu, Wang, Ashley, Finkelstein, "Automatic Triage for a Photo Series", ACM Transactions on Graphics 35(4), 2016 (for
research only): 5,953 series, 15,545 photographs, 15,143 pairs. Takes in

* train_pairlist.txt and val_pairlist.txt, the official lists: series, photo_i, photo_j, preference, rank_i, rank_j, a pair a
  line. The preference is .01 + .98 times the share of votes for i (in a series of two), or what Bradley and Terry's model
  makes of the votes of the series. The 2,585 pairs of the test list have no labels, so it is not read.
* votes_matched_to_pairlist.csv: the votes of 4,505 series with the side on which each photograph was shown.
* trainval_votes_ordered_pairs.csv: the votes of 4,986 series, likewise, but with the photographs of each series numbered in
  another order than in the lists. Its photographs have ids of their own, so that nobody joins the two by number: joined so,
  votes and preferences correlate by 0.00.

Nobody published who gave which vote: each vote stands as a rater of its own, so measures of raters say nothing.

    >>> triage = read(Path("photo_triage"), votes="matched")         # doctest: +SKIP
"""

from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from photojury.datasets.readers.label_files import Sieve, look, open_labels, together
from photojury.datasets.readers.published import Published
from photojury.errors import InputError

NAME = "photo-triage"
LISTS = {"train": "train_pairlist.txt", "validation": "val_pairlist.txt"}
TEST_PAIRS = 2_585
PREFERENCE = "preference"
"""The task of pairs of which only the share of votes is known: value is twice the preference, less 1."""

Votes = Literal["none", "matched", "ordered"]
Ties = Literal["keep", "drop"]

_PAIRS = ["series", "photo_i", "photo_j", "preference", "rank_i", "rank_j"]
_WHOLE = ["series", "photo_i", "photo_j", "rank_i", "rank_j"]
_OTHER_ORDER = ".JPG"
_OTHER_NUMBERS = (
    "photographs are numbered in another order than in the official lists; their ids end in .JPG, and must not be joined "
    "with those of the lists"
)
_MOST_VOTES = 1_000  # of a pair; more is a broken count
_UNKNOWN_RATERS = "who voted was not published: each vote stands as a rater of its own"
_COUNTS = {  # of the matched votes: whether i was left, and whether i won
    "i_left_i_wins": (True, 1.0),
    "i_left_j_wins": (True, -1.0),
    "j_left_i_wins": (False, 1.0),
    "j_left_j_wins": (False, -1.0),
}


def read(root: Path, *, votes: Votes = "none", ties: Ties = "keep") -> Published:
    """Read photo triage's labels.

    Args:
        root: the folder with the files.
        votes: none gives the official pairs as comparisons of the task `preference`, with `preference` (of the first, .01
            to .99), `first_rank`, `second_rank` and no rater; matched and ordered give single votes of the task `series`.
        ties: whether official pairs with a preference of exactly .5, which have no winner, are kept or dropped.

    Raises:
        InputError: the files are not there, or a file is no such file.
    """
    if votes == "ordered":
        return _ordered(root)
    lists = _lists(root)
    if not lists:
        raise InputError(
            f"{root} holds no {' or '.join(LISTS.values())}, photo triage's labels; name the folder that does"
        )
    sieves = list(lists.values())
    pairs = pd.concat([sieve.rows.assign(part=part) for part, sieve in lists.items()], ignore_index=True)
    photos = _photos(pairs)
    if votes == "matched":
        sieve = _counts(root)
        sieves.append(sieve)
        comparisons, notes = _votes(sieve.rows), [_side(sieve.rows), _UNKNOWN_RATERS]
    else:
        comparisons, notes = _preferences(pairs, ties), [_tied(pairs, ties)]
    return Published(
        NAME,
        _images(photos),
        {
            "comparisons": comparisons,
            "series": _series(photos),
            "splits": _splits(photos, pairs),
            "scores": _scores(pairs),
        },
        notes=(*notes, f"the {TEST_PAIRS:,} pairs of the official test list have no labels"),
        left_out=together(*sieves),
    )


def _lists(root: Path) -> dict[str, Sieve]:
    """The official lists that are there, by part."""
    found = {}
    for part, name in LISTS.items():
        if root.is_file() or look(root, [name]) is None:
            continue
        sieve = open_labels(root, [name], what="pairs", columns=_PAIRS, header=False, separator=" ")
        sieve.number(*_WHOLE, low=1, whole=True)
        sieve.number("preference", low=0, high=1)
        sieve.rows = sieve.rows.astype(dict.fromkeys(_WHOLE, "int64"))
        sieve.keep(
            (sieve.rows["photo_i"] != sieve.rows["photo_j"]).to_numpy(), "pairs of a photograph with itself"
        )
        sieve.once(["series", "photo_i", "photo_j"])
        found[part] = sieve
    return found


def _counts(root: Path) -> Sieve:
    """The votes that were matched to the lists, counted by pair, side and winner."""
    columns = ["series", "photo_i", "photo_j", "released_pref_i_over_j", *_COUNTS]
    names = ["votes_matched_to_pairlist.csv"]
    sieve = open_labels(root, names, what="votes matched to the lists", columns=columns)
    sieve.number("series", "photo_i", "photo_j", low=1, whole=True)
    sieve.number(*_COUNTS, low=0, high=_MOST_VOTES, whole=True)
    sieve.number("released_pref_i_over_j", low=0, high=1)
    sieve.rows = sieve.rows.rename(columns={"released_pref_i_over_j": "preference"})
    sieve.rows = sieve.rows.astype(dict.fromkeys(["series", "photo_i", "photo_j", *_COUNTS], "int64"))
    sieve.once(["series", "photo_i", "photo_j"])
    return sieve


def _ordered(root: Path) -> Published:
    """The votes whose photographs are numbered in another order; nothing of the lists but the parts of the series."""
    columns = ["series_id", "compareID1", "compareID2", "LEFT", "RIGHT"]
    names = ["trainval_votes_ordered_pairs.csv", "photo_triage_pairs_embedding_labels.csv"]
    sieve = open_labels(root, names, what="the votes", columns=columns)
    sieve.number("series_id", low=1, whole=True)
    sieve.number("compareID1", "compareID2", low=0, whole=True)
    sieve.number("LEFT", "RIGHT", low=0, high=_MOST_VOTES, whole=True)
    rows = sieve.rows[columns].astype("int64")
    sieve.rows = pd.DataFrame(
        {
            "series": rows["series_id"],
            # Their numbers begin at 0, the names of their files at 1.
            "photo_i": rows["compareID1"] + 1,
            "photo_j": rows["compareID2"] + 1,
            "i_left_i_wins": rows["LEFT"],
            "i_left_j_wins": rows["RIGHT"],
        }
    )
    sieve.once(["series", "photo_i", "photo_j"])
    lists = _lists(root)
    known = [table.rows.assign(part=part) for part, table in lists.items()]
    photos = _photos(sieve.rows)
    tables = {"comparisons": _votes(sieve.rows, _OTHER_ORDER), "series": _series(photos, _OTHER_ORDER)}
    if known:
        tables["splits"] = _splits(photos, pd.concat(known, ignore_index=True), _OTHER_ORDER)
    return Published(
        NAME,
        _images(photos, _OTHER_ORDER),
        tables,
        notes=(
            _side(sieve.rows),
            _OTHER_NUMBERS,
            _UNKNOWN_RATERS,
        ),
        left_out=together(sieve, *lists.values()),
    )


def _ids(series: "pd.Series[int]", photo: "pd.Series[int]", ending: str = "") -> "pd.Series[str]":
    """An image's id; `ending` tells the two orders of numbers apart."""
    return f"{NAME}:" + series.astype("str") + "-" + photo.astype("str") + ending


def _photos(pairs: pd.DataFrame) -> pd.DataFrame:
    """Each photograph once: series and photo, in this order."""
    sides = [pairs[["series", f"photo_{side}"]].set_axis(["series", "photo"], axis=1) for side in "ij"]
    return pd.concat(sides).drop_duplicates().sort_values(["series", "photo"], ignore_index=True)


def _preferences(pairs: pd.DataFrame, ties: Ties) -> pd.DataFrame:
    """The official pairs as comparisons without a rater."""
    wanted = pairs[pairs["preference"] != 0.5] if ties == "drop" else pairs
    return pd.DataFrame(
        {
            "first_id": _ids(wanted["series"], wanted["photo_i"]),
            "second_id": _ids(wanted["series"], wanted["photo_j"]),
            "value": 2 * wanted["preference"] - 1,
            "rater_id": None,
            "task": PREFERENCE,
            "preference": wanted["preference"],
            "first_rank": wanted["rank_i"],
            "second_rank": wanted["rank_j"],
        }
    ).reset_index(drop=True)


def _tied(pairs: pd.DataFrame, ties: Ties) -> str:
    counts = pairs.assign(tied=pairs["preference"] == 0.5).groupby("part", sort=False)["tied"].sum()
    said = " and ".join(f"{count:,} pairs of the {part} list" for part, count in counts.items())
    done = "were left out" if ties == "drop" else "are kept, with a value of 0"
    return f"{said} have a preference of exactly .5; they {done}"


def _votes(rows: pd.DataFrame, ending: str = "") -> pd.DataFrame:
    """A row for each vote."""
    base = pd.DataFrame(
        {
            "first_id": _ids(rows["series"], rows["photo_i"], ending),
            "second_id": _ids(rows["series"], rows["photo_j"], ending),
            "unit_id": rows["series"].astype("str")
            + f":{'ordered' if ending else ''}"
            + rows["photo_i"].astype("str")
            + "-"
            + rows["photo_j"].astype("str"),
            "task": "series",
        }
    )
    if "preference" in rows:
        base["preference"] = rows["preference"]
    parts = [
        base.assign(first_shown_left=left, value=value).loc[base.index.repeat(rows[name])]
        for name, (left, value) in _COUNTS.items()
        if name in rows
    ]
    table = pd.concat(parts).sort_index(kind="stable").reset_index(drop=True)
    return table.assign(rater_id=[f"vote-{number:06d}" for number in range(len(table))])


def _side(rows: pd.DataFrame) -> str:
    """How often the left photograph was chosen."""
    votes = {name: int(rows[name].sum()) for name in _COUNTS if name in rows}
    left = sum(count for name, count in votes.items() if _COUNTS[name] in ((True, 1.0), (False, -1.0)))
    n = sum(votes.values())
    z = (left - n / 2) / np.sqrt(n / 4) if n else np.nan
    return (
        f"{n:,} votes; the photograph on the left was chosen in {left / max(n, 1):.1%} of them (z = {z:.2f})"
    )


def _series(photos: pd.DataFrame, ending: str = "") -> pd.DataFrame:
    return pd.DataFrame(
        {
            "series_id": f"{NAME}:" + photos["series"].astype("str"),
            "image_id": _ids(photos["series"], photos["photo"], ending),
            "position": photos["photo"] - 1,
        }
    )


def _splits(photos: pd.DataFrame, pairs: pd.DataFrame, ending: str = "") -> pd.DataFrame:
    """Whole series, as the official lists have them."""
    parts = pairs[["series", "part"]].drop_duplicates()
    table = photos.merge(parts, on="series")
    ids = _ids(table["series"], table["photo"], ending)
    return pd.DataFrame({"image_id": ids, "split": "official", "part": table["part"]})


def _scores(pairs: pd.DataFrame) -> pd.DataFrame:
    """The released rank in the series, negative, so that the best has -1 and more is better."""
    sides = [
        pairs[["series", f"photo_{side}", f"rank_{side}"]].set_axis(["series", "photo", "rank"], axis=1)
        for side in "ij"
    ]
    table = pd.concat(sides).drop_duplicates().sort_values(["series", "photo"], ignore_index=True)
    # Whoever is ranked twice, differently, has no rank.
    table = table[~table.duplicated(["series", "photo"], keep=False)].reset_index(drop=True)
    return pd.DataFrame(
        {
            "image_id": _ids(table["series"], table["photo"]),
            "method": f"{NAME}-rank",
            "score": -table["rank"].astype("float64"),
            "standard_error": np.nan,
        }
    )


def _images(photos: pd.DataFrame, ending: str = "") -> pd.DataFrame:
    """Without files: which of the two orders their names follow, nobody has said."""
    ids = _ids(photos["series"], photos["photo"], ending)
    return pd.DataFrame(
        {"image_id": ids, "source": NAME, "source_id": ids.str.removeprefix(f"{NAME}:"), "file": None}
    )
