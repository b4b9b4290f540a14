"""Reading a release: its folder back into tables and pictures, whatever its form.

Takes in a release's folder; gives out a `Release`, whose tables are what `Study.read` gives, and whose pictures are
bytes by id; or `Published`, as every reader of datasets gives it, after the whole release was checked.

    >>> opened = open_release(Path("exports/skies-1.0.0"))          # doctest: +SKIP
    >>> opened.read("ratings").query("use")                         # doctest: +SKIP
    >>> published = read(Path("exports/skies-1.0.0"))               # doctest: +SKIP
"""

import json
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pandas as pd

from photojury.datasets.images import EXTENSIONS
from photojury.datasets.readers.published import Published
from photojury.datasets.releases.layout import FACTS, FORMS, LAYOUT, TABLES, empty, read_table
from photojury.datasets.splits import PARTS
from photojury.errors import InputError


@dataclass(frozen=True)
class Release:
    """An open release.

    Attributes:
        folder: where it lies.
        form: a key of layout.FORMS.
        published: the day.
        scales: worst and best level of the answers, by task.
        allowed: checks whose findings its makers released all the same.
    """

    folder: Path
    name: str
    version: str
    form: str
    published: str
    scales: Mapping[str, tuple[float, float]]
    allowed: tuple[str, ...]

    def path(self, name: str) -> Path:
        """The file of a table, whether or not it is there."""
        return self.folder / "tables" / f"{name}.{'csv' if self.form == 'csv' else 'parquet'}"

    def tables(self) -> list[str]:
        """The names of the tables that it has."""
        return [name for name in TABLES if self.path(name).is_file()]

    def read(self, name: str) -> pd.DataFrame:
        """A table with the columns of layout.TABLES; empty where the release has none of it.

        Raises:
            InputError: the file is damaged, or lacks columns.
        """
        path = self.path(name)
        return read_table(path, name) if path.is_file() else empty(name)

    def picture(self, image_id: str, format: str) -> Path | None:
        """The file of a picture, where pictures are files and this one is among them."""
        if format not in EXTENSIONS or self.form not in ("folder", "csv"):
            return None
        paths = (self.folder / "data" / part / f"{image_id}.{EXTENSIONS[format]}" for part in PARTS)
        return next((path for path in paths if path.is_file()), None)

    def pictures(self) -> Iterator[tuple[str, bytes]]:
        """Id and bytes of every picture that the release holds, shard by shard.

        Raises:
            InputError: a shard is damaged.
        """
        suffixes = {".tar": _from_tar, ".parquet": _from_parquet if self.form == "parquet" else None}
        for path in sorted((self.folder / "data").glob("*/*")):
            if self.form in ("folder", "csv"):
                if path.stem != "metadata":
                    yield path.stem, path.read_bytes()
            elif reader := suffixes.get(path.suffix):
                yield from reader(path)


def open_release(folder: Path) -> Release:
    """Open a release without checking it.

    Raises:
        InputError: the folder is no release, or one of another layout.
    """
    path = folder / FACTS
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        layout, form = facts["layout"], facts["form"]
        scales = {task: (float(low), float(high)) for task, (low, high) in facts["scales"].items()}
        words = [str(facts[name]) for name in ("name", "version", "published")]
        allowed = tuple(map(str, facts["allowed"]))
    except FileNotFoundError:
        raise InputError(
            f"{folder} has no {FACTS}; it is no release of photojury, or not all of one"
        ) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path} is damaged: {type(error).__name__}: {error}") from None
    if layout != LAYOUT or form not in FORMS:
        raise InputError(f"{path} says layout {layout} and form {form}; this photojury reads layout {LAYOUT}")
    return Release(folder, words[0], words[1], form, words[2], scales, allowed)


def copied(folder: Path) -> frozenset[str]:
    """The ids of the pictures that a release holds copies of, in whatever form; empty where it cannot be told."""
    try:
        images = open_release(folder).read("images")
    except InputError:
        return frozenset()
    return frozenset(images.loc[images["left_out"].isna(), "image_id"])


def read(root: Path, *, check: bool = True) -> Published:
    """A release as every reader gives a dataset: image ids are the sha256 of the pictures already.

    Args:
        root: the release's folder.
        check: read every file and compare it with SHA256SUMS, and the tables with each other, before anything is given
            out.

    Raises:
        InputError: the folder is no release, or something in it is not as it should be.
    """
    from photojury.datasets.releases.verify import verify

    opened = open_release(root)
    if check and (found := verify(root)):
        more = f"; and {len(found) - 1} findings more: photojury datasets verify {root}" if found[1:] else ""
        raise InputError(f"{root}: {found[0]}{more}")
    tables = {name: opened.read(name) for name in opened.tables() if name != "images"}
    images = opened.read("images")
    paths = [
        opened.picture(image, format)
        for image, format in zip(images["image_id"], images["format"], strict=True)
    ]
    images["file"] = [path.relative_to(root).as_posix() if path else None for path in paths]
    images["status"] = "kept"
    scale = opened.scales.get("stars") or opened.scales.get("attributes")
    simulated = sum(
        int(tables[name]["simulated"].sum()) for name in ("ratings", "comparisons") if name in tables
    )
    notes = (f"{simulated:,} of its answers were given by simulated raters.",) if simulated else ()
    return Published(opened.name, images, tables, scale, notes)


def _from_tar(path: Path) -> Iterator[tuple[str, bytes]]:
    try:
        with tarfile.open(path) as tar:
            for member in tar:
                file = tar.extractfile(member) if member.isfile() else None
                name = PurePosixPath(member.name)
                if file is not None and name.suffix != ".json":
                    yield name.stem, file.read()
    except (tarfile.TarError, OSError) as error:
        raise InputError(f"{path} is damaged: {error}") from None


def _from_parquet(path: Path) -> Iterator[tuple[str, bytes]]:
    import pyarrow
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(100, columns=["image_id", "image"]):
                for row in batch.to_pylist():
                    yield row["image_id"], row["image"]["bytes"]
    except (pyarrow.ArrowException, OSError) as error:
        raise InputError(f"{path} is damaged: {' '.join(str(error).split())[:200]}") from None
