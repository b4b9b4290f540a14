"""Leaks of splits: what a network has seen in training, or something very like it, before it is tested on it.

Takes in a `RatedSet`; gives out, for each split, the pictures, clusters of near duplicates, series, authors and
comparisons that lie in more than one of its parts; how much of one split's test part is in another's training part; and
what is commonly wrong with splits of AVA and AADB, where such pictures are among them.

    >>> found = check(open_rated_set(Path("demo-study")))         # doctest: +SKIP
    >>> [(leak.kind, leak.crossing) for leak in found.leaks]       # doctest: +SKIP
    [('series', 0), ('comparison', 0)]
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from photojury.datasets import groups
from photojury.datasets.rated_sets import RatedSet
from photojury.errors import InputError

KINDS = ("image", "near_duplicate", "series", "author", "comparison")
"""What can cross a split."""

_EXAMPLES = 3
_LAST = ("test", "validation")
"""Parts that judge a network: the first that a split has is the one that leaks are counted in."""


@dataclass(frozen=True)
class Leak:
    """What of one kind crosses one split.

    Attributes:
        split: its name.
        kind: one of KINDS.
        known: how many groups (of comparisons: rows) are known at all; 0: nothing could be checked.
        crossing: how many of them lie in more than one part.
        part: the part that is judged on: test, or validation where there is no test part.
        seen: how many pictures of that part share such a group with a picture of another part.
        pictures: how many pictures it has.
        examples: some crossing groups: a picture of each part.
    """

    split: str
    kind: str
    known: int
    crossing: int
    part: str
    seen: int
    pictures: int
    examples: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Across:
    """How much of the test part of `split` lies in the training part of `trained_on`."""

    trained_on: str
    split: str
    seen: int
    pictures: int


@dataclass(frozen=True)
class Leaks:
    """What `check` found.

    Attributes:
        leaks: one for each split and kind.
        across: of each two splits between which something is seen.
        notes: of the datasets that are known for it, a sentence each.
    """

    leaks: tuple[Leak, ...]
    across: tuple[Across, ...]
    notes: tuple[str, ...]

    def crossing(self, allowed: Sequence[str] = ()) -> list[Leak]:
        """Those that cross, of kinds that are not allowed to."""
        return [leak for leak in self.leaks if leak.crossing and leak.kind not in allowed]


def check(rated: RatedSet, split: str | None = None) -> Leaks:
    """Look for what crosses splits.

    Args:
        split: only this one; None: all.

    Raises:
        InputError: there is no split at all, or not this one.
    """
    names = rated.splits()
    if not names:
        raise InputError(f"{rated.name} has no split yet; make one with: photojury datasets split")
    chosen = names if split is None else [split]
    parts = {name: rated.parts(name) for name in dict.fromkeys([*chosen, *names])}
    kinds = _kinds(rated)
    leaks = [
        _leak(name, kind, memberships, parts[name]) for name in chosen for kind, memberships in kinds.items()
    ]
    across = [found for found in _across(parts) if split in (None, found.split, found.trained_on)]
    return Leaks(tuple(leaks), tuple(across), tuple(_notes(rated, parts)))


def _kinds(rated: RatedSet) -> dict[str, pd.DataFrame]:
    """What must not cross, as memberships (group, image_id)."""
    images, pairs = rated.read("images"), rated.read("comparisons")
    images = images.assign(**{name: None for name in ("author",) if name not in images})
    planned = rated.read("units")
    both = ["first_id", "second_id"]
    pairs = pd.concat([table[both] for table in (pairs, planned) if len(table)] or [pairs[both]])
    ids = images["image_id"]
    return {
        "image": pd.DataFrame({"group": ids, "image_id": ids}),
        "near_duplicate": rated.near_duplicates(),
        "series": groups.of_series(rated.read("series")),
        "author": groups.of_authors(images),
        "comparison": groups.of_pairs(pairs),
    }


def _leak(split: str, kind: str, memberships: pd.DataFrame, parts: pd.DataFrame) -> Leak:
    judged = next((part for part in _LAST if part in set(parts["part"])), "")
    rows = memberships.merge(parts, on="image_id").drop_duplicates()
    group = pd.factorize(rows["group"])[0]
    part, names = pd.factorize(rows["part"])
    # The parts that each group has pictures in.
    present = np.zeros((int(group.max(initial=-1)) + 1, len(names)), bool)
    present[group, part] = True
    crosses = present.sum(axis=1) > 1
    torn = rows[crosses[group]]
    seen = torn.loc[torn["part"] == judged, "image_id"].nunique()
    firsts = torn.drop_duplicates(["group", "part"])
    examples = firsts.groupby("group", sort=False)["image_id"].agg(tuple).head(_EXAMPLES)
    return Leak(
        split,
        kind,
        known=len(present),
        crossing=int(crosses.sum()),
        part=judged,
        seen=int(seen),
        pictures=int((parts["part"] == judged).sum()),
        examples=tuple(tuple(map(str, example)) for example in examples),
    )


def _across(parts: Mapping[str, pd.DataFrame]) -> Iterator[Across]:
    """The share of each split's test part in the training part of every other."""
    train = {name: set(table.loc[table["part"] == "train", "image_id"]) for name, table in parts.items()}
    for name, table in parts.items():
        test = set(table.loc[table["part"] == "test", "image_id"])
        for other, known in train.items():
            if other != name and (seen := len(test & known)):
                yield Across(other, name, seen, len(test))


def _notes(rated: RatedSet, parts: Mapping[str, pd.DataFrame]) -> Iterator[str]:
    """What is known of the datasets that the pictures come from."""
    images = rated.read("images")
    sources = set(images["source"].dropna()) if "source" in images else set()
    known: dict[str, Callable[[Mapping[str, pd.DataFrame]], str]] = {"ava": _ava, "aadb": _aadb}
    for name, note in known.items():
        if name in sources or rated.name == name:
            yield note(parts)


def _ava(parts: Mapping[str, pd.DataFrame]) -> str:
    note = (
        "AVA: the official test list (20,000 ids) and the random 90/10 splits in common use (idealo, MPADA, TANet, ReLIC) "
        "must not be mixed: a network trained on a random nine tenths has seen some 90 % of the official test images"
    )
    for found in _across(parts):
        if found.split == "official" and found.trained_on.startswith("random"):
            note += f"; here the train part of {found.trained_on} holds {found.seen:,} of {found.pictures:,}"
    return note


def _aadb(parts: Mapping[str, pd.DataFrame]) -> str:
    note = (
        "AADB: 127 of the 500 official validation images are in the official test list, too; who chooses a network on all "
        "500 chooses it on an eighth of the test set"
    )
    if "official" not in parts:
        return note
    rows = parts["official"]
    of = {part: set(rows.loc[rows["part"] == part, "image_id"]) for part in ("validation", "test")}
    shared = len(of["validation"] & of["test"])
    return (
        f"{note}; here {shared or 'none'} of {len(of['validation'])} {'is' if shared == 1 else 'are'} in both"
    )
