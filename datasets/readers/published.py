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
import tempfile
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from photojury.datasets import archives, tables
from photojury.errors import InputError, unknown_name

READERS: dict[str, str] = {
    "aadb": "photojury.datasets.readers.aadb",
    "ava": "photojury.datasets.readers.ava",
    "clic2021": "photojury.datasets.readers.clic2021",
    "csv": "photojury.datasets.readers.csv_map",
    "eva": "photojury.datasets.readers.eva",
    "flickr-aes": "photojury.datasets.readers.flickr_aes",
    "flickr-counters": "photojury.datasets.readers.flickr_counters",
    "iqa-table": "photojury.datasets.readers.iqa_table",
    "koniq": "photojury.datasets.readers.koniq",
    "mturk-csv": "photojury.datasets.readers.mturk_csv",
    "oasis": "photojury.datasets.readers.oasis",
    "para": "photojury.datasets.readers.para",
    "perceptions-mturk": "photojury.datasets.readers.perceptions_mturk",
    "photo-triage": "photojury.datasets.readers.photo_triage",
    "piq2023": "photojury.datasets.readers.piq2023",
    "pwcmp": "photojury.datasets.readers.pwcmp",
    "thu": "photojury.datasets.readers.thu",
}
"""Each dataset's name with the module of its reader."""

LABELS = (
    ".csv", ".tsv", ".txt", ".json", ".lst", ".jpgl", ".lab", ".multilab", ".mat", ".parquet", ".gz", ".toml",
    "image_pairs_annotation",
)  # fmt: skip
"""How files of labels end; these are taken out of an archive, pictures are not."""

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
        rivals: splits, or how their names begin, that must not stand beside these unless somebody asks for both: what one
            tests on, the other has trained on.
    """

    name: str
    images: pd.DataFrame
    tables: Mapping[str, pd.DataFrame]
    scale: tuple[float, float] | None = None
    notes: tuple[str, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)
    rivals: tuple[str, ...] = ()

    def read(self, name: str) -> pd.DataFrame:
        """A table by its name, empty where the dataset has none."""
        if name == "images":
            return self.images
        columns = {column.name: pd.Series(dtype=object) for column in tables.metadata.tables[name].c}
        return self.tables.get(name, pd.DataFrame(columns))


def read(name: str, root: Path, **options: object) -> Published:
    """Read a dataset.

    Args:
        name: a key of READERS.
        root: the folder, the file or the archive (zip, tar) with its labels.
        options: the reader's own; see its docstring.

    Raises:
        InputError: an unknown name or option, or a file that is missing or broken.
    """
    found = reader(name)
    known = options_known(name)
    for key in options:
        if key not in known:
            raise unknown_name(f"option of {name}", key, known)
    if not root.exists():
        raise InputError(f"{root} is not there; name the folder with the label files of {name}")
    return _of_archive(found, root, options) if archives.is_archive(root) else found(root, **options)


def options_of(name: str, texts: Mapping[str, str]) -> dict[str, object]:
    """A reader's options from texts, as a command line has them.

    Raises:
        InputError: an unknown dataset, or a text that is no value of its option.
    """
    kinds = typing.get_type_hints(reader(name))
    return {key: _value(f"{name}: {key}", text, kinds.get(key, str)) for key, text in texts.items()}


def options_known(name: str) -> list[str]:
    """The options of a reader.

    Raises:
        InputError: an unknown dataset.
    """
    given = inspect.signature(reader(name)).parameters
    return [key for key, one in given.items() if one.kind is one.KEYWORD_ONLY]


def about(name: str) -> str:
    """What a reader says of itself, where the labels come from and which files it takes: its module's docstring.

    Raises:
        InputError: an unknown dataset.
    """
    doc = inspect.getdoc(inspect.getmodule(reader(name))) or ""
    return doc.partition("\n\n    >>>")[0].strip()


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


def _of_archive(found: Callable[..., Published], root: Path, options: Mapping[str, object]) -> Published:
    """Read the label files of an archive, from a folder that lives as long as that takes."""
    with tempfile.TemporaryDirectory(prefix="photojury-") as place:
        folder = Path(place)
        archives.unpack(root, folder, LABELS)
        try:
            return found(_innermost(folder), **options)
        except InputError as error:
            # Nobody knows the folder of the moment.
            said = (
                str(error)
                .replace(f"{_innermost(folder)}/", f"{root}: ")
                .replace(str(_innermost(folder)), str(root))
            )
            raise InputError(said) from None


def _innermost(folder: Path) -> Path:
    """The first folder, going down, that holds more than one folder."""
    inside = list(folder.iterdir())
    return _innermost(inside[0]) if len(inside) == 1 and inside[0].is_dir() else folder


def _value(where: str, text: str, kind: object) -> object:
    """A text as the value of an option of a kind; None is not typed, it is the option left away."""
    kinds = (
        [one for one in typing.get_args(kind) if one is not type(None)]
        if typing.get_origin(kind) is not typing.Literal
        else []
    )
    wanted = kinds[0] if kinds else kind
    if typing.get_origin(wanted) is typing.Literal:
        if text not in typing.get_args(wanted):
            raise unknown_name(f"value of {where}", text, typing.get_args(wanted))
        return text
    if wanted is bool:
        if text.lower() not in ("true", "false"):
            raise InputError(f"{where} must be true or false, not {text!r}")
        return text.lower() == "true"
    try:
        return Path(text) if wanted is Path else wanted(text)  # type: ignore[operator]
    except (TypeError, ValueError):
        raise InputError(f"{where} is {text!r}, which is no number") from None
