"""Splits: which pictures train, which choose between models, which test.

Takes in the images, series and units tables; gives out image_id and part (train, validation or test), seeded,
with whole series or whole authors kept together. A pair of pictures never lies across a split: pairs are
planned inside a part, and a split that would cut pairs already planned is refused.

    >>> images = pd.DataFrame({"image_id": list("abcdefgh"), "author": list("xxyyzzww")})
    >>> parts = assign_parts(images, by="author", validation=0.25, test=0.25, seed=1)
    >>> parts.groupby("part").size().to_dict()
    {'test': 2, 'train': 4, 'validation': 2}
"""

import pandas as pd

from photojury.datasets.store import Study
from photojury.datasets.streams import stream
from photojury.errors import InputError, require_columns, unknown_name

DEFAULT = "default"
PARTS = ("train", "validation", "test")
BY = ("image", "series", "author")


def assign_parts(
    images: pd.DataFrame,
    *,
    by: str,
    validation: float,
    test: float,
    seed: int,
    series: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Part pictures at random, whole groups at a time.

    Groups are drawn in random order; the test part is filled first, then validation, each until it holds its
    share of the pictures as closely as whole groups allow. A part with a positive share gets at least one
    group, and training always keeps one.

    Args:
        images: image_id, and author where `by` is "author". A picture whose author is unknown is a group of
            its own.
        by: image, series or author: what stays together.
        validation: share of the pictures, 0 to 1.
        test: share of the pictures, 0 to 1.
        seed: the study's seed.
        series: series_id and image_id, where `by` is "series"; a picture in no series is a group of its own,
            and series that share a picture are one group.

    Returns:
        image_id and part, ordered by image_id.

    Raises:
        InputError: an unknown `by`, or fewer groups than parts.
    """
    require_columns(images.columns, ("image_id",), "images")
    groups = _groups(images, by, series)
    names = sorted(set(groups))
    wanted = 1 + (validation > 0) + (test > 0)
    if len(names) < wanted:
        raise InputError(
            f"{len(names)} groups by {by} cannot be parted into {wanted}; collect more pictures, or set splits.by"
        )
    sizes = groups.value_counts()
    order = [names[i] for i in stream(seed, "splits", by).permutation(len(names))]
    part_of: dict[str, str] = {}
    for part, share in (("test", test), ("validation", validation)):
        later = 1 + (part == "test" and validation > 0)
        part_of.update(dict.fromkeys(_fill(order, sizes, share * len(groups), later), part))
        order = [name for name in order if name not in part_of]
    parts = [part_of.get(name, "train") for name in groups]
    return pd.DataFrame({"image_id": groups.index, "part": parts}).sort_values("image_id", ignore_index=True)


def split(study: Study, *, by: str | None = None, name: str = DEFAULT) -> pd.DataFrame:
    """Part the study's kept pictures as its settings say, and store it; the same settings give the same parts.

    Raises:
        InputError: no pictures, or pairs were planned that the new split would cut.
    """
    images = study.read("images", {"status": "kept"})
    if images.empty:
        raise InputError("the study has no pictures to split; first: photojury collect folder DIR")
    settings = study.settings.splits
    parts = assign_parts(
        images,
        by=by or settings.by,
        validation=settings.validation,
        test=settings.test,
        seed=study.settings.study.seed,
        series=study.read("series"),
    )
    cut = crossing(study.read("units"), parts)
    if len(cut):
        raise InputError(
            f"{len(cut)} pairs that were planned already would lie across the new split; "
            "split before pairs are planned, or keep the split that they were planned in"
        )
    study.replace("splits", parts.assign(split=name), {"split": name})
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


def _groups(images: pd.DataFrame, by: str, series: pd.DataFrame | None) -> "pd.Series[str]":
    """The group of each picture, indexed by image_id."""
    ids = images["image_id"]
    own = pd.Series([f"image {image}" for image in ids], index=ids)
    if by == "image":
        return own
    if by == "author":
        require_columns(images.columns, ("author",), "images")
        authors = pd.Series(list(images["author"]), index=ids)
        return own.where(authors.isna(), "author " + authors.astype(str))
    if by == "series":
        return _series_groups(own, pd.DataFrame() if series is None else series)
    raise unknown_name("way to split", by, BY)


def _series_groups(own: "pd.Series[str]", series: pd.DataFrame) -> "pd.Series[str]":
    """Connected groups of series: two series with a common picture must not be parted."""
    groups = own.to_dict()
    if series.empty:
        return own
    for _, members in series.groupby("series_id", sort=True):
        images = [image for image in members["image_id"] if image in groups]
        joined = {groups[image] for image in images}
        if len(joined) > 1:
            name = min(joined)
            groups.update({image: name for image, group in groups.items() if group in joined})
    return pd.Series(groups)


def _fill(order: list[str], sizes: "pd.Series[int]", goal: float, keep: int) -> list[str]:
    """The first groups of `order` that come nearest to `goal` pictures; `keep` groups stay for later parts."""
    taken: list[str] = []
    total = 0
    if goal <= 0:
        return taken
    for name in order[: len(order) - keep]:
        size = int(sizes[name])
        # One more group only if that brings the part nearer to its share; the first one always.
        if taken and abs(total + size - goal) >= abs(total - goal):
            break
        taken.append(name)
        total += size
    return taken
