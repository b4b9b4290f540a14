"""Published datasets as tables of ours: what every reader gives out, and how a reader is found by its name.

Takes in a dataset's name and the folder of its label files; gives out `Published`: the tables of
`photojury.datasets.tables`, for any analysis, with what a user must know about them. Pictures are optional: a row of
`images` names its file where there is one.

    >>> published = read("ava", Path("AVA"), splits="official")      # doctest: +SKIP
    >>> published.tables["histograms"].groupby("image_id")["count"].sum()      # doctest: +SKIP

A new dataset is one file with a function `read` and one line in READERS.
"""

import importlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from photojury.datasets import tables
from photojury.errors import InputError, unknown_name

READERS: dict[str, str] = {}
"""Each dataset's name with the module of its reader."""

TABLES = ("ratings", "comparisons", "histograms", "scores", "splits", "series", "observations")
"""What a dataset may bring beside its images."""


@dataclass(frozen=True)
class Published:
    """A dataset as tables.

    Attributes:
        name: of the dataset.
        images: image_id (NAME:ID), source (the name), source_id (the dataset's own id), file (path of the picture below
            its folder of pictures; null where it has none), and what else of the columns of `images` is known.
        tables: those of TABLES that it has, with our columns as far as they are known.
        scale: worst and best level of its ratings; None where it has none.
        notes: what a user must know, a sentence each.
        left_out: rows that were not taken, by reason.
    """

    name: str
    images: pd.DataFrame
    tables: Mapping[str, pd.DataFrame]
    scale: tuple[float, float] | None = None
    notes: tuple[str, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)

    def read(self, name: str) -> pd.DataFrame:
        """A table by its name, empty where the dataset has none; so that `analysis.answers` can read a dataset."""
        if name == "images":
            return self.images
        columns = {column.name: pd.Series(dtype=object) for column in tables.metadata.tables[name].c}
        return self.tables.get(name, pd.DataFrame(columns))


def read(name: str, root: Path, **options: object) -> Published:
    """Read a dataset.

    Args:
        name: a key of READERS.
        root: the folder, or the file, with its labels.
        options: the reader's own; see its docstring.

    Raises:
        InputError: an unknown name or option, or a file that is missing or broken.
    """
    found = reader(name)
    known = [key for key, one in inspect.signature(found).parameters.items() if one.kind is one.KEYWORD_ONLY]
    for key in options:
        if key not in known:
            raise unknown_name(f"option of {name}", key, known)
    if not root.exists():
        raise InputError(f"{root} is not there; name the folder with the label files of {name}")
    return found(root, **options)


def reader(name: str) -> Callable[..., Published]:
    """The function that reads a dataset.

    Raises:
        InputError: an unknown name.
    """
    if name not in READERS:
        raise unknown_name("dataset", name, READERS)
    found: Callable[..., Published] = importlib.import_module(READERS[name]).read
    return found


def key(name: str, source_id: object) -> str:
    """The id of an image of which no file is at hand."""
    return f"{name}:{source_id}"
