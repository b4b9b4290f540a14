"""Rated pictures wherever they lie, read in one way: a study, a release, or a dataset that others published.

Takes in an open study, a release's folder, or what a reader gave out; gives out a `RatedSet`: tables of which only
answers that count are left, and the files of the pictures that are at hand.

    >>> rated = open_rated_set(Path("demo-study"))          # doctest: +SKIP
    >>> votes(rated).groupby("image_id")["count"].sum()     # doctest: +SKIP
    >>> rated.pictures()["3f…"]                             # doctest: +SKIP
    PosixPath('demo-study/images/3f/3f….jpg')
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd

from photojury.datasets import groups, tables
from photojury.datasets.counting import not_counted, one_scale
from photojury.datasets.importing.pictures import path_of
from photojury.datasets.readers.published import Published, options_of, read
from photojury.datasets.releases.layout import FACTS
from photojury.datasets.scales import scale_of
from photojury.datasets.store import Study, open_study
from photojury.errors import InputError, unknown_name
from photojury.settings import FILE_NAME

_NEAR = 4
"""Bits in which the hashes of near duplicates differ at most, where no study says another number."""


@dataclass(frozen=True)
class RatedSet:
    """Rated pictures.

    Attributes:
        name: for sentences.
        read: any table by its name, empty where there is none; `images` without those that were rejected or taken back,
            `ratings` and `comparisons` with the rows that count only.
        pictures: the file of each picture that is at hand, by image_id; pictures of a study that are lost are among them.
        scales: worst and best level of the answers to each task, as far as they are known.
        distance: bits in which the hashes of near duplicates differ at most.
    """

    name: str
    read: Callable[[str], pd.DataFrame]
    pictures: Callable[[], dict[str, Path]]
    scales: Mapping[str, tuple[float, float]]
    distance: int = _NEAR

    def near_duplicates(self) -> pd.DataFrame:
        """Clusters (group, image_id); see photojury.datasets.groups."""
        return groups.of_near_duplicates(self.read("images"), self.read("checks"), distance=self.distance)

    def splits(self) -> list[str]:
        """The names of its splits, sorted."""
        return sorted(set(self.read("splits")["split"]))

    def parts(self, split: str) -> pd.DataFrame:
        """image_id and part of one split.

        Raises:
            InputError: there is no such split.
        """
        rows = self.read("splits")
        if not len(rows):
            raise InputError(
                f"{self.name} has no split {split!r} yet; make one with: photojury datasets split"
            )
        if split not in set(rows["split"]):
            raise unknown_name(f"split of {self.name}", split, set(rows["split"]))
        return rows.loc[rows["split"] == split, ["image_id", "part"]].reset_index(drop=True)


def of_study(study: Study) -> RatedSet:
    """An open study."""

    def read(name: str) -> pd.DataFrame:
        if name == "images":
            images = study.read("images")
            return images[images["status"].isin(["kept", "absent"])].reset_index(drop=True)
        if name == "checks":
            return study.read("checks", {"check": groups.NEAR_DUPLICATE})
        table = study.read(name)
        if name in ("ratings", "comparisons"):
            table = table[not_counted(table, study.read("assignments"), study.read("units")).isna()]
        return table

    def pictures() -> dict[str, Path]:
        images = study.read("images", {"status": "kept"}, columns=["image_id", "format"])
        return {
            image: study.image_path(image, kind)
            for image, kind in zip(images["image_id"], images["format"], strict=True)
        }

    settings = study.settings
    scales = {"stars": scale_of(settings), "attributes": (1.0, float(settings.attributes.levels))}
    return RatedSet(settings.study.name, read, pictures, scales, settings.checks.near_duplicate_distance)


def of_release(folder: Path) -> RatedSet:
    """A release of photojury.

    Raises:
        InputError: the folder is no release.
    """
    from photojury.datasets.releases.read import open_release  # which knows the parts of splits

    opened = open_release(folder)

    def read(name: str) -> pd.DataFrame:
        if name == "checks":
            return _empty("checks")
        table = opened.read(name)
        return table[table["use"].eq(True)] if name in ("ratings", "comparisons") else table

    def pictures() -> dict[str, Path]:
        if opened.form not in ("folder", "csv"):
            raise InputError(
                f"the pictures of {folder} lie in shards; make a study of it first: "
                f"photojury datasets import release {folder} --study DIR"
            )
        images = opened.read("images")
        found = {
            image: opened.picture(image, kind)
            for image, kind in zip(images["image_id"], images["format"], strict=True)
        }
        return {image: path for image, path in found.items() if path is not None}

    return RatedSet(folder.name, read, pictures, opened.scales)


def of_published(published: Published, images: Path | None = None) -> RatedSet:
    """A published dataset, as its reader gave it out.

    Args:
        images: the folder with its pictures; None: labels only.
    """

    def read(name: str) -> pd.DataFrame:
        return _empty("checks") if name == "checks" else published.read(name)

    def pictures() -> dict[str, Path]:
        if images is None or "file" not in published.images:
            return {}
        known = published.images.dropna(subset="file")
        found = {
            image: path_of(images, file) for image, file in zip(known["image_id"], known["file"], strict=True)
        }
        at_hand = {image: path for image, path in found.items() if path is not None}
        if len(known) and not at_hand:
            raise InputError(
                f"none of the {len(known):,} pictures of {published.name} is in {images}, such as "
                f"{known['file'].iloc[0]}; name the folder that holds them"
            )
        return at_hand

    scales = {} if published.scale is None else {"stars": published.scale}
    return RatedSet(published.name, read, pictures, scales)


def open_rated_set(
    place: Path,
    *,
    dataset: str | None = None,
    images: Path | None = None,
    options: Mapping[str, str] = MappingProxyType({}),
) -> RatedSet:
    """A study's folder, a release's folder, or the label files of a published dataset.

    Args:
        dataset: its name (`photojury datasets list`), for label files only.
        images: the folder with the pictures, for label files only.
        options: of the dataset's reader, for label files only.

    Raises:
        InputError: it is none of them.
    """
    if dataset is not None:
        return of_published(read(dataset, place, **options_of(dataset, options)), images)
    if (place / FILE_NAME).is_file():
        return of_study(open_study(place))
    if (place / FACTS).is_file():
        return of_release(place)
    raise InputError(
        f"{place} is neither a study (it has no {FILE_NAME}) nor a release (no {FACTS}); label files of a published "
        "dataset need its name: photojury datasets list"
    )


def votes(rated: RatedSet) -> pd.DataFrame:
    """How often each image got each level of one scale: image_id, value, count.

    Single ratings where an image has any, else its histogram.
    """
    parts = []
    ratings = rated.read("ratings")
    if len(ratings):
        ratings = one_scale(_with_task(ratings))
        ratings = ratings[ratings["repeat"].eq(0)] if "repeat" in ratings else ratings
        images, image = np.unique(ratings["image_id"].to_numpy(dtype=object), return_inverse=True)
        values, value = np.unique(ratings["value"].to_numpy(dtype=np.float64), return_inverse=True)
        counts = np.bincount(image * len(values) + value, minlength=len(images) * len(values))
        cells = np.flatnonzero(counts)
        parts.append(
            pd.DataFrame(
                {
                    "image_id": images[cells // max(len(values), 1)],
                    "value": values[cells % max(len(values), 1)],
                    "count": counts[cells],
                }
            )
        )
    histograms = rated.read("histograms")
    if len(histograms):
        overall = histograms.loc[histograms["attribute"].eq("overall"), ["image_id", "value", "count"]]
        parts.append(overall[~overall["image_id"].isin(parts[0]["image_id"])] if parts else overall)
    if not parts:
        return pd.DataFrame({"image_id": pd.Series(dtype=object), "value": [], "count": []})
    return pd.concat(parts, ignore_index=True)


def mean_votes(rated: RatedSet) -> "pd.Series[float]":
    """The mean of each image's votes, indexed by image_id, sorted."""
    counted = votes(rated)
    names, at = np.unique(counted["image_id"].to_numpy(dtype=object), return_inverse=True)
    weights = counted["count"].to_numpy(dtype=np.float64)
    sums = np.bincount(at, counted["value"].to_numpy(dtype=np.float64) * weights, minlength=len(names))
    return pd.Series(
        sums / np.bincount(at, weights, minlength=len(names)), index=pd.Index(names, dtype=object)
    )


def scores(rated: RatedSet, method: str) -> "pd.Series[float]":
    """The scores of one method of the table `scores`, indexed by image_id.

    Raises:
        InputError: there is no such method.
    """
    rows = rated.read("scores")
    if method not in set(rows["method"]):
        raise unknown_name(f"score of {rated.name}", method, set(rows["method"]))
    rows = rows[rows["method"] == method].drop_duplicates("image_id")
    return pd.Series(rows["score"].to_numpy(dtype=np.float64), index=pd.Index(rows["image_id"]))


def _with_task(ratings: pd.DataFrame) -> pd.DataFrame:
    """Datasets of others need not name attribute and task."""
    made = {"attribute": "overall", "task": None}
    return ratings.assign(**{name: value for name, value in made.items() if name not in ratings})


def _empty(name: str) -> pd.DataFrame:
    return pd.DataFrame({column.name: pd.Series(dtype=object) for column in tables.metadata.tables[name].c})
