"""The study's answers and pictures as a network sees them: votes per image and pair, and torch Datasets.

Takes in an open study; gives out `Answers` (votes by split part) and two Datasets of tensors. Only
assignments with use = True count. Control questions (gold, repeats, training) measure
the rater, not the picture, and are left out; so are pictures that are no longer kept.

    >>> answers = read_answers(open_study(Path("demo-study")))                # doctest: +SKIP
    >>> pictures = Pictures(answers.paths, size=128, cache=True)              # doctest: +SKIP
    >>> image, shares = RatedImageDataset(pictures, answers.parts["train"].images)[0]    # doctest: +SKIP
"""

import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from PIL import Image
from torch.utils.data import Dataset

from photojury.datasets.counting import not_counted, one_scale
from photojury.datasets.images import decode
from photojury.datasets.store import Study
from photojury.errors import InputError, StoreError

log = logging.getLogger(__name__)

IntArray = NDArray[np.int64]

PARTS = ("train", "validation", "test")
PAIR_LEVELS = (-2, -1, 0, 1, 2)
"""Levels of a five-level comparison; positive means that the first picture is better."""


@dataclass(frozen=True)
class RatedImages:
    """Pictures with their star votes.

    Attributes:
        image_ids: n ids, sorted.
        votes: (n, levels) int64, votes for 1, 2, ... stars; each row has at least one vote.
    """

    image_ids: tuple[str, ...]
    votes: IntArray


@dataclass(frozen=True)
class RatedPairs:
    """Pairs with their five-level votes.

    Attributes:
        first_ids, second_ids: n ids each; both orders of a pair are one row, in an order drawn by a hash.
        votes: (n, 5) int64, votes for -2 .. 2; positive means that the first is better.
    """

    first_ids: tuple[str, ...]
    second_ids: tuple[str, ...]
    votes: IntArray


@dataclass(frozen=True)
class Part:
    """What one part of the split holds."""

    images: RatedImages
    pairs: RatedPairs


@dataclass(frozen=True)
class Answers:
    """All that a study's raters said, by split part.

    Attributes:
        parts: train, validation and test.
        paths: the file of every kept picture, rated or not, sorted by id.
        part_of: the part of each kept picture that the split knows.
        levels: how many stars the best rating has.
        simulated: whether simulated raters gave any of the votes.
    """

    parts: Mapping[str, Part]
    paths: Mapping[str, Path]
    part_of: Mapping[str, str]
    levels: int
    simulated: bool


class PairItem(NamedTuple):
    """One pair: (3, size, size) pictures in [0, 1], (5,) shares of the levels, (levels,) shares of the stars.

    The shares of a picture that nobody rated with stars are all 0.
    """

    first: torch.Tensor
    second: torch.Tensor
    levels: torch.Tensor
    first_stars: torch.Tensor
    second_stars: torch.Tensor


class Pictures:
    """Pictures as square RGB tensors: warped to size x size (the aspect ratio is not kept, as in paper 1).

    Args:
        paths: the file of each image id.
        size: pixels of a side.
        cache: keep each picture in memory once it is read (3 * size * size bytes, or what transform gives).
        transform: applied to each (3, size, size) picture once; for spawned workers, a top-level function.
    """

    def __init__(
        self,
        paths: Mapping[str, Path],
        size: int,
        *,
        cache: bool,
        transform: Callable[[torch.Tensor], torch.Tensor] | None = None,
    ) -> None:
        self.paths = dict(paths)
        self.size = size
        self.transform = transform
        self._cache: dict[str, torch.Tensor] | None = {} if cache else None

    def __getitem__(self, image_id: str) -> torch.Tensor:
        """(3, size, size) float32 in [0, 1], or what the transform makes of it.

        Raises:
            StoreError: the file is missing or cannot be decoded.
        """
        kept = self._cache.get(image_id) if self._cache is not None else None
        if kept is None:
            kept = self._read(image_id)
            if self.transform is not None:
                kept = self.transform(kept.float() / 255)
            if self._cache is not None:
                self._cache[image_id] = kept
        return kept.float() / 255 if kept.dtype == torch.uint8 else kept

    def stack(self, image_ids: Sequence[str]) -> torch.Tensor:
        """(n, 3, size, size) float32 of several pictures."""
        return torch.stack([self[image_id] for image_id in image_ids])

    def _read(self, image_id: str) -> torch.Tensor:
        try:
            picture = decode(self.paths[image_id])
        except OSError as error:
            raise StoreError(
                f"the stored picture {self.paths[image_id]} cannot be read ({error}); "
                "restore the file, or collect it again"
            ) from None
        small = picture.resize((self.size, self.size), Image.Resampling.BICUBIC)
        return torch.from_numpy(np.array(small)).permute(2, 0, 1).contiguous()


class RatedImageDataset(Dataset[tuple[torch.Tensor, torch.Tensor]]):
    """Items (picture, shares of the stars) of rated images."""

    def __init__(self, pictures: Pictures, images: RatedImages) -> None:
        self.pictures = pictures
        self.image_ids = images.image_ids
        self.shares = torch.from_numpy(shares(images.votes))

    def __len__(self) -> int:
        return len(self.image_ids)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        return self.pictures[self.image_ids[index]], self.shares[index]


class PairDataset(Dataset[PairItem]):
    """Items `PairItem` of rated pairs."""

    def __init__(self, pictures: Pictures, part: Part) -> None:
        self.pictures = pictures
        self.pairs = part.pairs
        self.levels = torch.from_numpy(shares(part.pairs.votes))
        stars = torch.from_numpy(shares(part.images.votes))
        self.stars = dict(zip(part.images.image_ids, stars, strict=True))
        self.unrated = torch.zeros(part.images.votes.shape[1])

    def __len__(self) -> int:
        return len(self.pairs.first_ids)

    def __getitem__(self, index: int) -> PairItem:
        first, second = self.pairs.first_ids[index], self.pairs.second_ids[index]
        return PairItem(
            self.pictures[first],
            self.pictures[second],
            self.levels[index],
            self.stars.get(first, self.unrated),
            self.stars.get(second, self.unrated),
        )


def shares(votes: IntArray) -> NDArray[np.float32]:
    """(n, levels) float32 shares of (n, levels) votes; each row sums to 1."""
    found: NDArray[np.float32] = (votes / np.maximum(votes.sum(axis=1, keepdims=True), 1)).astype(np.float32)
    return found


def read_answers(study: Study, split: str = "default") -> Answers:
    """Gather the votes of a study by the parts of a split.

    Raises:
        InputError: there is no such split, or a rating that is off the scale of study.toml.
    """
    parts = study.read("splits", {"split": split})
    if parts.empty:
        raise InputError(f"the study has no split {split!r} yet; make one with: photojury datasets split")
    images = study.read("images", {"status": "kept"})
    formats: dict[str, str] = dict(zip(images["image_id"], images["format"], strict=True))
    paths = {image_id: study.image_path(image_id, formats[image_id]) for image_id in sorted(formats)}
    known: dict[str, str] = dict(zip(parts["image_id"], parts["part"], strict=True))
    part_of = {image_id: part for image_id, part in known.items() if image_id in paths}
    ratings, comparisons = _counted(study, "ratings"), _counted(study, "comparisons")
    ratings = one_scale(ratings)
    of_attributes = ratings["task"].eq("attributes").any()
    levels = study.settings.attributes.levels if of_attributes else study.settings.stars.levels
    comparisons = comparisons[comparisons["task"] == "five_level"]
    image_votes = _image_votes(ratings, levels)
    pair_votes = _pair_votes(comparisons)
    return Answers(
        parts={part: _part(part, part_of, image_votes, pair_votes) for part in PARTS},
        paths=paths,
        part_of=part_of,
        levels=levels,
        simulated=bool(ratings["simulated"].any() or comparisons["simulated"].any()),
    )


def _counted(study: Study, table: str) -> pd.DataFrame:
    """The answers that count."""
    answers = study.read(table)
    return answers[not_counted(answers, study.read("assignments"), study.read("units")).isna()]


def _image_votes(ratings: pd.DataFrame, levels: int) -> pd.DataFrame:
    """Votes by image (index image_id, columns 1 .. levels)."""
    off = ~ratings["value"].isin(range(1, levels + 1))
    if off.any():
        row = ratings[off].iloc[0]
        raise InputError(
            f"ratings: value {row['value']:g} of assignment {row['assignment_id']} is off the scale of 1 to "
            f"{levels} (stars.levels); correct stars.levels, or do not use the assignment"
        )
    return _votes(ratings, ["image_id"], range(1, levels + 1))


def _pair_votes(comparisons: pd.DataFrame) -> pd.DataFrame:
    """Votes by pair (index first_id, second_id, each pair in one order; columns -2 .. 2)."""
    off = ~comparisons["value"].isin(PAIR_LEVELS)
    if off.any():
        row = comparisons[off].iloc[0]
        raise InputError(
            f"comparisons: value {row['value']:g} of assignment {row['assignment_id']} is none of -2 .. 2; "
            "do not use the assignment"
        )
    pairs = zip(comparisons["first_id"], comparisons["second_id"], strict=True)
    turned = pd.Series([_turned(a, b) for a, b in pairs], index=comparisons.index, dtype=bool)
    upright = comparisons.assign(
        first_id=comparisons["first_id"].where(~turned, comparisons["second_id"]),
        second_id=comparisons["second_id"].where(~turned, comparisons["first_id"]),
        value=comparisons["value"].where(~turned, -comparisons["value"]),
    )
    return _votes(upright, ["first_id", "second_id"], PAIR_LEVELS)


def _turned(first: str, second: str) -> bool:
    """Whether a pair is kept in the other order: by a hash, so that the order says nothing of the pictures.

    By id, one good picture with a small id would be the first of all its pairs.
    """
    there, back = (hashlib.sha256(text.encode()).digest() for text in (first + second, second + first))
    return there > back


def _votes(answers: pd.DataFrame, key: list[str], levels: Sequence[int]) -> pd.DataFrame:
    coded = answers.assign(value=answers["value"].astype(int))
    counts = coded.groupby([*key, "value"]).size().unstack("value", fill_value=0)
    return counts.reindex(columns=list(levels), fill_value=0).sort_index()


def _part(part: str, part_of: Mapping[str, str], image_votes: pd.DataFrame, pair_votes: pd.DataFrame) -> Part:
    inside = np.array([part_of.get(image_id) == part for image_id in image_votes.index], dtype=bool)
    images = image_votes[inside]
    first = np.array([part_of.get(a) == part for a, _ in pair_votes.index], dtype=bool)
    second = np.array([part_of.get(b) == part for _, b in pair_votes.index], dtype=bool)
    pairs = pair_votes[first & second]
    if (first & ~second).any():
        log.warning(
            "%d pairs cross the border of the %s part and are left out", (first & ~second).sum(), part
        )
    return Part(
        RatedImages(tuple(images.index), images.to_numpy(dtype=np.int64)),
        RatedPairs(
            tuple(a for a, _ in pairs.index), tuple(b for _, b in pairs.index), pairs.to_numpy(dtype=np.int64)
        ),
    )
