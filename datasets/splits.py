"""Splits: which pictures train, which choose between models, which test.

Takes in the study's tables; gives out image_id and part (train, validation or test), seeded, with whole groups kept
together: series, authors, clusters of near duplicates, pictures that were compared, or any of these at once. A pair of
pictures never lies across a split: pairs are planned inside a part, and a split that would cut pairs already planned
is refused. Splits that came with a dataset keep their names beside one's own.

    >>> images = pd.DataFrame({"image_id": list("abcdefgh"), "author": list("xxyyzzww")})
    >>> parts = assign_parts(images, by="author", validation=0.25, test=0.25, seed=1)
    >>> parts.groupby("part").size().to_dict()
    {'test': 2, 'train': 4, 'validation': 2}
"""

from collections.abc import Callable, Mapping, Sequence

import pandas as pd

from photojury.datasets import groups
from photojury.datasets.rated_sets import RatedSet, mean_votes, of_study, scores
from photojury.datasets.store import Study
from photojury.datasets.strata import fill_evenly, strata
from photojury.datasets.streams import stream
from photojury.errors import InputError, require_columns, unknown_name

DEFAULT = "default"
PARTS = ("train", "validation", "test")
BY = ("image", "series", "author", "near_duplicate", "pair")
"""What can stay together; a picture that is in no such group is one by itself."""

RATINGS = "ratings"
"""Stratify by the mean rating, not by a method of the table `scores`."""


def assign_parts(
    images: pd.DataFrame,
    *,
    by: str | Sequence[str],
    validation: float,
    test: float,
    seed: int,
    series: pd.DataFrame | None = None,
    duplicates: pd.DataFrame | None = None,
    pairs: pd.DataFrame | None = None,
    scores: "pd.Series[float] | None" = None,
) -> pd.DataFrame:
    """Part pictures at random, whole groups at a time.

    Groups are drawn in random order; the test part is filled first, then validation, each until it holds its
    share of the pictures as closely as whole groups allow. A part with a positive share gets at least one
    group, and training always keeps one. With `scores`, each part also gets its share of each tenth of the scores, see
    `photojury.datasets.strata`.

    Args:
        images: image_id, and author where authors stay together. A picture whose author is unknown is a group of
            its own.
        by: what stays together, of BY; of several, each: groups that have a picture in common are one.
        validation: share of the pictures, 0 to 1.
        test: share of the pictures, 0 to 1.
        seed: the study's seed.
        series: series_id and image_id, where series stay together.
        duplicates: group and image_id, where near duplicates do: a table of clusters, as
            `photojury.datasets.groups.of_near_duplicates` makes it.
        pairs: first_id and second_id, where pairs do.
        scores: the score of pictures, indexed by image_id; those that have none are a stratum by themselves.

    Returns:
        image_id and part, ordered by image_id.

    Raises:
        InputError: an unknown `by`, or fewer groups than parts.
    """
    require_columns(images.columns, ("image_id",), "images")
    keys = (by,) if isinstance(by, str) else tuple(by)
    tables = {"series": series, "near_duplicate": duplicates, "pair": pairs}
    group_of = groups.joined(images["image_id"], [_memberships(key, images, tables) for key in keys])
    shares = {"test": test, "validation": validation}
    shares = {part: share for part, share in shares.items() if share > 0}
    names = sorted(set(group_of))
    if len(names) < 1 + len(shares):
        raise InputError(
            f"{len(names)} groups by {' and '.join(keys)} cannot be parted into {1 + len(shares)}; collect more "
            "pictures, or keep less together (splits.by, or --by)"
        )
    random = stream(seed, "splits", "+".join(sorted(keys)))
    order = [names[i] for i in random.permutation(len(names))]
    if scores is None:
        part_of = _fill(order, group_of.value_counts(), shares)
    else:
        part_of = fill_evenly(order, group_of, strata(scores.reindex(group_of.index)), shares)
    parts = group_of.map(part_of).fillna("train")
    return pd.DataFrame({"image_id": parts.index, "part": parts.to_numpy()}).sort_values(
        "image_id", ignore_index=True
    )


def split(
    study: Study, *, by: Sequence[str] = (), name: str = DEFAULT, stratify: str | None = None
) -> pd.DataFrame:
    """Part the study's kept pictures as its settings say, and store it; the same settings give the same parts.

    A study of labels only, all of whose pictures are absent, is parted by its labels.

    Args:
        study: whose pictures.
        by: what stays together; empty: as settings.splits.by says.
        name: of the split. The default one is made anew when it is made again; every other stays as it is, those that
            came with a dataset (official, ...) among them.
        stratify: "ratings", or a method of the table `scores`: its scores are spread evenly over the parts.

    Raises:
        InputError: no pictures or scores, pairs were planned that the new split would cut, or there is another split
            of that name.
    """
    rated = of_study(study)
    images = rated.read("images")
    if images["status"].eq("kept").any():
        images = images[images["status"] == "kept"]
    if images.empty:
        raise InputError("the study has no pictures to split; first: photojury collect folder DIR")
    settings = study.settings.splits
    keys = tuple(by) or (settings.by,)
    pairs = _pairs(study)
    parts = assign_parts(
        images,
        by=keys,
        validation=settings.validation,
        test=settings.test,
        seed=study.settings.study.seed,
        series=rated.read("series"),
        duplicates=rated.near_duplicates() if "near_duplicate" in keys else None,
        pairs=pairs,
        scores=_worth(rated, stratify) if stratify else None,
    )
    cut = crossing(pairs, parts)
    if len(cut):
        raise InputError(
            f"{len(cut)} pairs that were planned or compared already would lie across the new split; split before pairs "
            "are planned, keep the split that they were planned in, or keep pairs together (--by pair)"
        )
    _store(study, parts, name)
    return parts


def read_parts(study: Study, name: str = DEFAULT) -> pd.DataFrame:
    """image_id and part of a stored split; empty where there is none."""
    return study.read("splits", {"split": name})[["image_id", "part"]]


def part_of_images(study: Study, name: str = DEFAULT) -> dict[str, str]:
    """The part of each picture of a stored split, by image_id; empty where there is none."""
    parts = read_parts(study, name)
    return dict(zip(parts["image_id"], parts["part"], strict=True))


def crossing(pairs: pd.DataFrame, parts: pd.DataFrame) -> pd.DataFrame:
    """The rows of `pairs` (first_id, second_id) whose two pictures lie in different parts."""
    require_columns(pairs.columns, ("first_id", "second_id"), "pairs")
    part_of = parts.set_index("image_id")["part"]
    pairs = pairs[pairs["second_id"].notna()]
    first, second = pairs["first_id"].map(part_of), pairs["second_id"].map(part_of)
    return pairs[(first != second) & first.notna() & second.notna()]


def _memberships(key: str, images: pd.DataFrame, tables: Mapping[str, pd.DataFrame | None]) -> pd.DataFrame:
    """Which group of one kind each picture is in."""
    if key not in BY:
        raise unknown_name("way to split", key, BY)
    if key == "author":
        return groups.of_authors(images)
    table = tables.get(key)
    if table is None or table.empty:
        return pd.DataFrame({"group": [], "image_id": []})
    made: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
        "series": groups.of_series,
        "pair": groups.of_pairs,
    }
    return made[key](table) if key in made else table


def _pairs(study: Study) -> pd.DataFrame:
    """The pairs that were planned, or that somebody compared."""
    columns = ["first_id", "second_id"]
    return pd.concat(
        [study.read("units", columns=columns), study.read("comparisons", columns=columns)]
    ).drop_duplicates(ignore_index=True)


def _worth(rated: RatedSet, method: str) -> "pd.Series[float]":
    """What pictures are worth, indexed by image_id."""
    if method != RATINGS:
        return scores(rated, method)
    found = mean_votes(rated)
    if found.empty:
        raise InputError(
            "nobody has rated the pictures yet, so they cannot be spread evenly by their ratings; split without --stratify"
        )
    return found


def _store(study: Study, parts: pd.DataFrame, name: str) -> None:
    known = read_parts(study, name)
    same = known.sort_values("image_id", ignore_index=True).equals(parts)
    if name != DEFAULT and len(known) and not same:
        raise InputError(
            f"the study has a split {name!r} already, with other parts, and only the split {DEFAULT!r} is made anew; "
            "give another --name"
        )
    study.replace("splits", parts.assign(split=name), {"split": name})


def _fill(order: list[str], sizes: "pd.Series[int]", shares: Mapping[str, float]) -> dict[str, str]:
    """The part of each group that is not left for training."""
    part_of: dict[str, str] = {}
    later = len(shares)
    for part, share in shares.items():
        left = [name for name in order if name not in part_of]
        taken = _nearest(left[: len(left) - later], sizes, share * int(sizes.sum()))
        part_of.update(dict.fromkeys(taken, part))
        later -= 1
    return part_of


def _nearest(order: list[str], sizes: "pd.Series[int]", goal: float) -> list[str]:
    """The first groups of `order` that come nearest to `goal` pictures; at least one."""
    taken: list[str] = []
    total = 0
    for name in order:
        size = int(sizes[name])
        # One more group only if that brings the part nearer to its share; the first one always.
        if taken and abs(total + size - goal) >= abs(total - goal):
            break
        taken.append(name)
        total += size
    return taken
