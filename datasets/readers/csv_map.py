"""Anybody's files: CSV or Parquet of ratings, comparisons, counts of levels, scores and splits, by a mapping file.

Takes in the folder of the files (or the only file) and a TOML file that says what their columns mean:

    name = "skies"                      # ids become skies:ID
    scale = [1, 5]                      # of the ratings; rows off it are left out
    positive_means = "first"            # of comparisons: first or second; ours is first

    [[file]]
    path = "votes.csv"                  # .csv, .tsv, .txt (also .gz) or .parquet
    columns = { image = "photo", rater = "worker", value = "stars", picture = "file", task = "task" }

    [[file]]
    path = "pairs.csv"
    columns = { first = "a", second = "b", rater = "worker", value = "better" }
    values = { a = 1, b = -1 }          # what words in `value` stand for

Every file is read for all that its columns allow: image, rater and value are ratings; first, second, rater and value
comparisons; image and score scores (method: their name); image and split parts of a split; a table `counts` names the
columns that count each level: counts = { n1 = 1, n2 = 2 }. A further column `attribute`, `task`, `hit`, `assignment`,
`milliseconds`, `left` (the image that was shown left), `author` or `url` is used where it is named.

    >>> skies = read(Path("skies"), map=Path("skies.toml"))          # doctest: +SKIP
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from photojury.datasets import delimited
from photojury.datasets.readers.label_files import Sieve, together
from photojury.datasets.readers.mapping import Section, open_mapping
from photojury.datasets.readers.published import Published
from photojury.errors import InputError, require_columns, unknown_name

COLUMNS = (
    "image", "rater", "value", "first", "second", "task", "split", "score", "picture", "attribute", "hit", "assignment",
    "milliseconds", "left", "author", "url",
)  # fmt: skip
"""What a column may mean."""

PARTS = {
    **{word: "train" for word in ("train", "training", "trn")},
    **{word: "validation" for word in ("validation", "valid", "val", "dev")},
    **{word: "test" for word in ("test", "testing", "tst")},
}
"""What the parts of splits are called by others."""

_TASKS = {"ratings": ("stars", "attributes"), "comparisons": ("five_level", "forced_choice", "series")}


def read(root: Path, *, map: Path | None = None) -> Published:
    """Read files by a mapping.

    Args:
        root: the folder that the mapping's paths begin at, or its only file.
        map: the mapping file.

    Raises:
        InputError: the mapping is missing or wrong, or a file is missing, broken, or lacks a column.
    """
    mapping = open_mapping(map, reader="csv")
    mapping.only(("name", "scale", "positive_means", "method", "split", "file"))
    files = mapping.sections("file")
    if not files:
        raise InputError(f"{mapping.file}: there is no [[file]]; name each file with its columns")
    name = mapping.text("name")
    if ":" in name or len(name) > 24:
        raise InputError(f"{mapping.file}: name must have no colon and at most 24 characters, not {name!r}")
    made = [_File(mapping, name, section, root, only=len(files) == 1) for section in files]
    tables: dict[str, pd.DataFrame] = {}
    for table in ("ratings", "comparisons", "histograms", "scores", "splits"):
        found = [one for file in made if (one := getattr(file, table)()) is not None]
        if found:
            tables[table] = pd.concat(found, ignore_index=True)
    if not tables:
        raise InputError(
            f"{mapping.file}: no [[file]] has columns that are ratings (image, rater, value), comparisons (first, second, "
            "rater, value), counts, scores (image, score) or a split (image, split)"
        )
    return Published(
        name,
        _images(name, made),
        tables,
        scale=mapping.scale(),
        left_out=together(*(file.sieve for file in made)),
    )


class _File:
    """One [[file]] of a mapping, with its rows."""

    def __init__(self, mapping: Section, name: str, section: Section, root: Path, *, only: bool) -> None:
        section.only(("path", "columns", "values", "counts", "task", "attribute"))
        self.mapping, self.name, self.section = mapping, name, section
        path = root if root.is_file() and only else root / section.text("path")
        self.columns = section.texts("columns")
        for meaning in self.columns:
            if meaning not in COLUMNS:
                raise unknown_name(f"meaning of a column in {section.file}", meaning, COLUMNS)
        self.counts = section.numbers("counts")
        self.sieve = _rows(path, [*self.columns.values(), *self.counts])
        self.sieve.rows = self.sieve.rows.assign(
            **{self.at(meaning): self.sieve.rows[theirs] for meaning, theirs in self.columns.items()}
        )
        self.sieve.text(
            *(self.at(one) for one in ("image", "first", "second", "rater") if one in self.columns)
        )
        if "milliseconds" in self.columns:
            self.sieve.number(self.at("milliseconds"), low=0, kept=True)

    def at(self, meaning: str) -> str:
        """What the column of a meaning is called here, and in sentences about it."""
        return f"{self.columns[meaning]} ({meaning})"

    def has(self, *meanings: str) -> bool:
        return all(one in self.columns for one in meanings)

    def images(self) -> pd.DataFrame:
        """their_id, and what the file says of it."""
        rows, parts = self.sieve.rows, []
        for meaning in ("image", "first", "second"):
            if self.has(meaning):
                own = pd.DataFrame({"their_id": rows[self.at(meaning)]})
                if meaning == "image":
                    for ours, theirs in (("file", "picture"), ("author", "author"), ("file_url", "url")):
                        own[ours] = rows[self.at(theirs)] if self.has(theirs) else None
                parts.append(own.drop_duplicates())
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame({"their_id": []})

    def ratings(self) -> pd.DataFrame | None:
        """Rows of `ratings`; None where the file holds none."""
        if not self.has("image", "rater", "value"):
            return None
        self._number("ratings", scale=self.mapping.scale())
        attribute = self._said("attribute", "overall")
        task = self._said("task", "stars")
        self._one_of("ratings", task)
        return self._answers({"image_id": self._ids("image"), "attribute": attribute, "task": task})

    def comparisons(self) -> pd.DataFrame | None:
        """Rows of `comparisons`, positive where the first is better; None where the file holds none."""
        if not self.has("first", "second", "rater", "value"):
            return None
        self._number("comparisons", scale=None)
        rows = self.sieve.rows
        self.sieve.keep(
            rows[self.at("first")].ne(rows[self.at("second")]).to_numpy(dtype=bool),
            "comparisons of an image with itself",
        )
        sign = {"first": 1.0, "second": -1.0}[
            self.mapping.choice("positive_means", ("first", "second"), "first")
        ]
        values = self.sieve.rows[self.at("value")].to_numpy(dtype=np.float64) * sign + 0.0
        usual = "forced_choice" if np.isin(values, (-1, 1)).all() else "five_level"
        self.sieve.keep(np.isin(values, (-2, -1, 0, 1, 2)), "comparisons that are none of -2, -1, 0, 1, 2")
        values = values[np.isin(values, (-2, -1, 0, 1, 2))]
        task = self._said("task", usual)
        self._one_of("comparisons", task)
        made = self._answers(
            {"first_id": self._ids("first"), "second_id": self._ids("second"), "task": task, "value": values}
        )
        if self.has("left"):
            rows = self.sieve.rows
            left = rows[self.at("left")].eq(rows[self.at("first")]).astype(object)
            made["first_shown_left"] = left.where(
                rows[self.at("left")].eq(rows[self.at("first")])
                | rows[self.at("left")].eq(rows[self.at("second")]),
                None,
            ).to_numpy()
        return made

    def histograms(self) -> pd.DataFrame | None:
        """Rows of `histograms`; None where the file counts no levels."""
        if not self.counts or not self.has("image"):
            return None
        columns = list(self.counts)
        self.sieve.number(*columns, low=0, whole=True)
        self.sieve.keep(
            self.sieve.rows[columns].sum(axis=1).gt(0).to_numpy(dtype=bool), "images without any rating"
        )
        self._once([self.at("image")], columns)
        long = self.sieve.rows.assign(
            image_id=self._ids("image"), attribute=self._said("attribute", "overall")
        )
        long = long.melt(["image_id", "attribute"], columns, var_name="value", value_name="count")
        return long[long["count"] > 0].assign(value=lambda table: table["value"].map(self.counts))

    def scores(self) -> pd.DataFrame | None:
        """Rows of `scores`; None where the file holds none."""
        if not self.has("image", "score"):
            return None
        self.sieve.number(self.at("score"))
        found = pd.DataFrame(
            {
                "image_id": self._ids("image"),
                "method": self.mapping.text("method", self.name),
                "score": self.sieve.rows[self.at("score")],
                "standard_error": np.nan,
            }
        )
        return self._agreed(found, ["image_id"], "scores")

    def splits(self) -> pd.DataFrame | None:
        """Rows of `splits`; None where the file tells no parts."""
        if not self.has("image", "split"):
            return None
        words = self.sieve.rows[self.at("split")].astype("str").str.strip().str.lower()
        self.sieve.keep(
            words.isin(PARTS).to_numpy(dtype=bool), "parts of a split that are not train, validation or test"
        )
        part = self.sieve.rows[self.at("split")].astype("str").str.strip().str.lower().map(PARTS)
        found = pd.DataFrame(
            {"image_id": self._ids("image"), "split": self.mapping.text("split", "official"), "part": part}
        )
        return self._agreed(found, ["image_id"], "parts of a split")

    def _answers(self, columns: Mapping[str, object]) -> pd.DataFrame:
        rows = self.sieve.rows
        found = {
            "rater_id": f"{self.name}:" + rows[self.at("rater")],
            "value": rows[self.at("value")],
            **columns,
        }
        for ours, theirs in (
            ("hit_key", "hit"),
            ("assignment_id", "assignment"),
            ("milliseconds", "milliseconds"),
        ):
            if self.has(theirs):
                found[ours] = rows[self.at(theirs)]
        return pd.DataFrame(found, index=rows.index)

    def _number(self, what: str, *, scale: tuple[float, float] | None) -> None:
        """The column `value` as numbers, words turned into theirs."""
        words = self.section.numbers("values")
        cells = self.sieve.rows[self.at("value")].astype("str").str.strip()
        if words:
            cells = cells.map({word: str(number) for word, number in words.items()}).fillna(cells)
        self.sieve.rows = self.sieve.rows.assign(**{self.at("value"): cells})
        low, high = scale or (-np.inf, np.inf)
        if what == "ratings" and self.has("attribute"):
            low, high = -np.inf, np.inf  # every attribute has a scale of its own
        self.sieve.number(self.at("value"), low=low, high=high)

    def _said(self, meaning: str, usual: str) -> "pd.Series[str]":
        """A column, or what the [[file]] says of all its rows."""
        rows = self.sieve.rows
        if self.has(meaning):
            return rows[self.at(meaning)].astype("str").fillna(usual)
        return pd.Series(self.section.text(meaning, usual), index=rows.index, dtype="str")

    def _one_of(self, what: str, task: "pd.Series[str]") -> None:
        strange = task[~task.isin(_TASKS[what])]
        if len(strange):
            raise unknown_name(
                f"task of {what} in {self.sieve.path.name}", str(strange.iloc[0]), _TASKS[what]
            )

    def _once(self, keys: Sequence[str], labels: Sequence[str]) -> None:
        rows = self.sieve.rows
        self.sieve.rows = rows[[*keys, *labels, *(name for name in rows if name not in {*keys, *labels})]]
        self.sieve.once([*keys])

    def _agreed(self, found: pd.DataFrame, keys: list[str], what: str) -> pd.DataFrame:
        """Rows that say one thing of an image; those that say several are left out, all of them."""
        distinct = found.drop_duplicates()
        torn = distinct.duplicated(keys, keep=False)
        if torn.any():
            reason = (
                f"{self.sieve.path.name}: {what} that differ for one image (row {distinct.index[torn][0]})"
            )
            self.sieve.left_out[reason] = int(torn.sum())
        return distinct[~torn]

    def _ids(self, meaning: str) -> "pd.Series[str]":
        return f"{self.name}:" + self.sieve.rows[self.at(meaning)]


def _rows(path: Path, needed: Sequence[str]) -> Sieve:
    """The rows of a CSV or Parquet file as text."""
    if path.name.lower().endswith((".parquet", ".pq")):
        import pyarrow

        if not path.is_file():
            raise InputError(f"{path} is not there, or is no file")
        try:
            table = pd.read_parquet(path)
        except (pyarrow.ArrowException, OSError) as error:
            raise InputError(
                f"{path} is no Parquet file that can be read: {str(error).splitlines()[0]}"
            ) from None
        text = table.astype("str").where(table.notna(), None)
        text.index = pd.RangeIndex(1, len(text) + 1)
        read = delimited.Rows(text, {})
    else:
        read = delimited.read(path)
    require_columns(read.table.columns, needed, str(path))
    return Sieve(path, read.table, read.left_out)


def _images(name: str, files: Sequence[_File]) -> pd.DataFrame:
    """Every image that a file speaks of, with the first that is said of its picture."""
    table = pd.concat([file.images() for file in files], ignore_index=True)
    told = [column for column in ("file", "author", "file_url") if column in table]
    first = (
        table.groupby("their_id", sort=True)[told].first()
        if told
        else table.drop_duplicates().set_index("their_id")
    )
    first = first.reset_index()
    return first.assign(
        image_id=f"{name}:" + first["their_id"],
        source=name,
        source_id=first["their_id"],
        file=first["file"].where(first["file"].notna(), first["their_id"])
        if "file" in first
        else first["their_id"],
    ).drop(columns="their_id")
