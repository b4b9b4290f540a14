"""Published datasets as torchvision has its own: root, split, transform; a picture and its target at each index.

Takes in a dataset's name and the folder with its labels and pictures; gives out a torchvision `VisionDataset`. It is the
plain way in, for whoever has a training loop already; `photojury.datasets.loading` decodes faster.

    >>> koniq = PublishedImages(Path("koniq10k"), "koniq", split="test", target="distribution")      # doctest: +SKIP
    >>> picture, shares = koniq[0]               # doctest: +SKIP
    >>> shares.shape             # doctest: +SKIP
    torch.Size([5])
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from PIL import Image
from torchvision.datasets.vision import VisionDataset

from photojury.datasets.images import decode
from photojury.datasets.importing.pictures import path_of
from photojury.datasets.readers.published import Published, read
from photojury.datasets.splits import PARTS
from photojury.errors import InputError, unknown_name

Target = Literal["mean", "distribution", "score", "attributes"]

FloatArray = NDArray[np.float64]


class PublishedImages(VisionDataset):  # type: ignore[misc]
    """Pictures of a published dataset with what people said of them.

    Args:
        root: the folder with the dataset's label files, as `photojury datasets list` names them.
        name: of the dataset: koniq, ava, aadb, ...
        split: train, validation or test, or all.
        splits: which split of the dataset is meant; None: the only one, or official.
        target: mean (of the ratings, a float), distribution (share of the ratings at each level of the scale, (levels,)
            float32, worst first), score (a float) or attributes ((methods,) float32 in the order of `attributes`, NaN
            where one is unknown).
        score: which score is meant, as the dataset names it; None: the only one, or the one named like the dataset.
        images: the folder with the pictures; None: root/images where there is one, else root.
        missing: error, or skip: leave out images without a picture.
        transform: of the PIL picture (RGB, as people see it).
        target_transform: of the target.
        transforms: of both; not beside the others.
        options: of the reader, such as {"splits": "both"}.

    Attributes:
        image_ids: the id of each picture, sorted.
        levels: of the scale, worst first; empty where there are no ratings.
        attributes: the methods that target="attributes" gives, sorted.

    Raises:
        InputError: an unknown name, split, target or score, one that the dataset has not, or pictures that are missing.
    """

    def __init__(
        self,
        root: str | Path,
        name: str,
        *,
        split: str = "train",
        splits: str | None = None,
        target: Target = "mean",
        score: str | None = None,
        images: str | Path | None = None,
        missing: Literal["error", "skip"] = "error",
        transform: Callable[[Image.Image], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
        transforms: Callable[[Any, Any], Any] | None = None,
        options: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(root, transforms, transform, target_transform)
        _one_of("split", split, (*PARTS, "all"))
        _one_of("target", target, get_args(Target))
        _one_of("missing", missing, ("error", "skip"))
        published = read(name, Path(root), **(options or {}))
        self.name, self.split, self.target = name, split, target
        self.levels: tuple[float, ...] = ()
        self.attributes: tuple[str, ...] = ()
        targets = self._targets(published, score)
        table = (
            published.images[["image_id", "file"]].drop_duplicates("image_id").set_index("image_id")["file"]
        )
        wanted = table.index.intersection(targets.index).intersection(
            _members(published, split, splits, table.index)
        )
        paths = _paths(table.reindex(sorted(wanted)), _folder(Path(root), images))
        lost = [image for image, path in paths.items() if path is None]
        if lost and (missing == "error" or len(lost) == len(paths)):
            raise InputError(
                f"{len(lost):,} of {len(paths):,} pictures of {name} are missing, such as {table[lost[0]]} in "
                f"{_folder(Path(root), images)}; get the pictures from the dataset's makers"
                + (", or leave those out with missing='skip'" if len(lost) < len(paths) else "")
            )
        if not paths:
            raise InputError(f"{name} has no images with such a target in the part {split}")
        self.paths = [path for path in paths.values() if path is not None]
        self.image_ids = [image for image, path in paths.items() if path is not None]
        self.targets = targets.reindex(self.image_ids).to_numpy(dtype=np.float64)

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        picture: Any = decode(self.paths[index])
        found: Any = self.targets[index]
        one = self.target in ("mean", "score")
        found = float(found[0]) if one else torch.tensor(found, dtype=torch.float32)
        return (picture, found) if self.transforms is None else self.transforms(picture, found)

    def extra_repr(self) -> str:
        return f"Dataset: {self.name}\nSplit: {self.split}\nTarget: {self.target}"

    def _targets(self, published: Published, score: str | None) -> pd.DataFrame:
        """What is told of each image, by its id: a column, or one for each level or attribute."""
        if self.target in ("mean", "distribution"):
            counts = _counts(published)
            given = np.asarray(counts.columns, dtype=np.float64)
            low, high = published.scale or (float(given.min()), float(given.max()))
            whole = (given == np.floor(given)).all() and float(low).is_integer()
            levels = np.arange(low, high + 1) if whole else given
            self.levels = tuple(float(level) for level in levels)
            counts = counts.reindex(columns=list(self.levels), fill_value=0)
            shares = counts.div(counts.sum(axis=1), axis=0)
            if self.target == "distribution":
                return shares
            return pd.DataFrame({"mean": shares.to_numpy() @ levels}, index=shares.index)
        scores = published.read("scores")
        if scores.empty:
            raise InputError(f"{published.name} has no scores; its targets are mean and distribution")
        wide = scores.pivot(index="image_id", columns="method", values="score")
        if self.target == "attributes":
            named = [method for method in wide.columns if ":" in method]
            if not named:
                raise InputError(
                    f"{published.name} has no attributes; its scores are {', '.join(wide.columns)}"
                )
            self.attributes = tuple(sorted(named))
            return wide[list(self.attributes)].dropna(how="all")
        only = (
            [*wide.columns]
            if len(wide.columns) == 1
            else [one for one in wide.columns if one == published.name]
        )
        chosen = score or (only[0] if only else "")
        _one_of("score", chosen, list(wide.columns))
        return wide[[chosen]].dropna()


def _counts(published: Published) -> pd.DataFrame:
    """How many ratings each image has at each level: a row for each image, a column for each level."""
    ratings, counted = published.read("ratings"), published.read("histograms")
    parts = []
    if len(ratings):
        overall = ratings[ratings["attribute"].eq("overall")] if "attribute" in ratings else ratings
        overall = overall[overall["repeat"].eq(0)] if "repeat" in overall else overall
        parts.append(overall.groupby(["image_id", "value"]).size().rename("count").reset_index())
    if len(counted):
        parts.append(counted.loc[counted["attribute"].eq("overall"), ["image_id", "value", "count"]])
    if not parts:
        raise InputError(f"{published.name} has no ratings; its targets are score and attributes")
    table = pd.concat(parts)
    return table.pivot_table(index="image_id", columns="value", values="count", aggfunc="sum", fill_value=0)


def _members(
    published: Published, split: str, splits: str | None, everything: "pd.Index[str]"
) -> "pd.Index[str]":
    """The images of a part of a split."""
    if split == "all":
        return everything
    table = published.read("splits")
    known = sorted(set(table["split"]))
    if not known:
        raise InputError(f"{published.name} has no split of its own; take split='all'")
    chosen = splits or (known[0] if len(known) == 1 else "official")
    _one_of(f"split of {published.name}", chosen, known)
    mine = table[table["split"].eq(chosen)]
    if split not in set(mine["part"]):
        raise InputError(
            f"the split {chosen} of {published.name} has no part {split}; it has {', '.join(sorted(set(mine['part'])))}"
        )
    members: pd.Index[str] = pd.Index(mine.loc[mine["part"].eq(split), "image_id"], dtype="str")
    return members


def _folder(root: Path, images: str | Path | None) -> Path:
    if images is not None:
        return Path(images)
    inside = root / "images"
    return inside if inside.is_dir() else root


def _paths(files: "pd.Series[str]", folder: Path) -> dict[str, Path | None]:
    return {
        str(image): path_of(folder, name) if isinstance(name, str) else None for image, name in files.items()
    }


def _one_of(kind: str, value: str, known: "tuple[str, ...] | list[str]") -> None:
    if value not in known:
        raise unknown_name(kind, value, known)
