"""What raters answered: the rows that may enter an analysis, of a study, a release or anybody's tables.

Takes in an open study, a release folder, or files; gives out `Answers`: tables that are read when they are first
needed. Ratings and comparisons hold sound rows of used assignments only, without control questions and repeats, with
the HIT of each; what was left out is counted.

    answers = of_study(study)
    answers.ratings.groupby("image_id").value.mean()
    open_answers(Path("ratings.csv")).left_out
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Protocol, TypeVar, cast

import numpy as np
import pandas as pd

from photojury.analysis import sound
from photojury.analysis.files import FileTables, ReleaseTables, is_release
from photojury.analysis.published import PublishedTables
from photojury.datasets import tables
from photojury.datasets.counting import assignment_of, not_counted
from photojury.datasets.images import EXTENSIONS
from photojury.datasets.readers.published import Published
from photojury.datasets.scales import scale_of
from photojury.datasets.store import Study, open_study
from photojury.errors import InputError
from photojury.settings import FILE_NAME, Settings

T = TypeVar("T")

TASKS = {
    "stars": "stars",
    "attributes": "attributes",
    "five_level": "pairs on five levels",
    "forced_choice": "forced choice",
    "series": "pairs of a series",
}
"""Each task with the words that reports use for it."""

# Columns of a study's tables that are long and that no analysis reads.
_UNREAD = {
    "assignments": {"answers"},
    "images": {"description", "tags", "attribution", "author_url", "license_url"},
    "hits": {"unit_ids", "gold_ids", "training_ids", "inputs"},
    "units": {"explanation"},
}


class Tables(Protocol):
    """Where answers come from: any table by its name, empty where there is none."""

    def read(self, name: str) -> pd.DataFrame:
        """The rows of a table of photojury.datasets.tables; columns may be missing, further ones are ignored."""
        ...

    def broken(self, name: str) -> dict[str, int]:
        """How many rows of it could not be read, by reason."""
        ...

    def picture(self, image_id: str, format: str) -> Path | None:
        """The file of an image; None where there are no pictures, or not this one."""
        ...


@dataclass(frozen=True)
class Answers:
    """The tables that analyses read, each when it is first asked for.

    Attributes:
        tables: where they come from.
        settings: of the study; the defaults for a release or a file.
        place: what was opened, in words for people.
        study: the open study; None for a release or a file.
        given_scale: worst and best level of the ratings; None: as the ratings say.
    """

    tables: Tables
    settings: Settings
    place: str
    study: Study | None = None
    given_scale: tuple[float, float] | None = None
    _made: dict[str, object] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def images(self) -> pd.DataFrame:
        """All pictures, whatever their status."""
        return self.tables.read("images")

    @cached_property
    def units(self) -> pd.DataFrame:
        """All questions, control questions included."""
        return self.tables.read("units")

    @cached_property
    def hits(self) -> pd.DataFrame:
        """All HITs."""
        return self.tables.read("hits")

    @cached_property
    def assignments(self) -> pd.DataFrame:
        """All assignments, used or not."""
        return self.tables.read("assignments")

    @cached_property
    def payments(self) -> pd.DataFrame:
        """All payments, due ones included."""
        return self.tables.read("payments")

    @property
    def ratings(self) -> pd.DataFrame:
        """The ratings that enter, with hit_key and, where it is known, submitted_at."""
        return self._ratings.rows

    @property
    def comparisons(self) -> pd.DataFrame:
        """The comparisons that enter, with hit_key and, where it is known, submitted_at."""
        return self._comparisons.rows

    @property
    def histograms(self) -> pd.DataFrame:
        """How many people gave each level, of images whose single ratings nobody published: image_id, value, count."""
        return self._histograms.rows

    @property
    def left_out(self) -> dict[str, int]:
        """How many answers do not enter, by reason (only reasons that occur)."""
        return sound.together(self._ratings.left_out, self._comparisons.left_out, self._histograms.left_out)

    @cached_property
    def scale(self) -> tuple[float, float]:
        """Worst and best level of the ratings in `of_task("stars")` and in `histograms`.

        Raises:
            InputError: nobody has said it, and there is no rating to tell it from.
        """
        if self.given_scale is not None:
            return self.given_scale
        if self.study is not None:
            return scale_of(self.settings)
        values = self._values()
        if not values.size:
            raise InputError(f"{self.place} holds no ratings, so their scale is not known")
        low = float(values.min())
        # Scales begin at 0 or 1; that nobody gave the worst level does not move it.
        return (min(1.0, low) if low == np.floor(low) and low >= 0 else low), float(values.max())

    @property
    def levels(self) -> list[float]:
        """The levels of the ratings, worst first: the whole numbers of the scale, or the values that were given."""
        low, high = self.scale
        values = np.unique(self._values())
        if (values == np.floor(values)).all() and low == np.floor(low) and high - low <= 100:
            return [float(level) for level in np.arange(low, high + 1)]
        return [float(value) for value in values]

    def of_task(self, task: str) -> pd.DataFrame:
        """The answers of one task: ratings for stars and attributes, else comparisons."""
        if task in ("stars", "attributes"):
            return self.ratings[self.ratings["task"].fillna("stars").eq(task)]
        return self.comparisons[self.comparisons["task"].eq(task)]

    def picture(self, image_id: str, format: str) -> Path | None:
        """The file of an image of the table `images`; None where it is not at hand."""
        return self.tables.picture(image_id, format) if format in EXTENSIONS else None

    def once(self, name: str, make: Callable[[], T]) -> T:
        """What `make` gives, made the first time that it is asked for by this name."""
        if name not in self._made:
            self._made[name] = make()
        return cast("T", self._made[name])

    def simulated_share(self) -> float:
        """Share of the answers that simulated raters gave; NaN where there are none."""
        flags = np.concatenate([_flags(self.ratings), _flags(self.comparisons)])
        return float(flags.mean()) if flags.size else float("nan")

    def without(self, raters: Sequence[str]) -> "Answers":
        """The same answers less those of some raters."""
        return Answers(_Without(self, frozenset(raters)), self.settings, self.place, self.study, self.scale)

    @cached_property
    def _ratings(self) -> sound.Sound:
        allowed = self.given_scale
        if allowed is None and self.study is not None:
            low, high = self.scale
            allowed = (min(low, 1.0), max(high, self.settings.attributes.levels))
        return self._entering("ratings", sound.sound_ratings(self.tables.read("ratings"), scale=allowed))

    @cached_property
    def _comparisons(self) -> sound.Sound:
        return self._entering("comparisons", sound.sound_comparisons(self.tables.read("comparisons")))

    @cached_property
    def _histograms(self) -> sound.Sound:
        table = self.tables.read("histograms")
        table = table[table["attribute"].eq("overall")]
        allowed = self.given_scale if self.study is None else self.scale
        found = sound.sound_histograms(table, scale=allowed)
        left_out = sound.together(self.tables.broken("histograms"), found.left_out)
        rated = found.rows["image_id"].isin(self.of_task("stars")["image_id"])
        rows = found.rows.loc[~rated.to_numpy(dtype=bool), ["image_id", "value", "count"]]
        return sound.Sound(rows.reset_index(drop=True), left_out)

    def _values(self) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
        both = (self.of_task("stars")["value"], self.histograms["value"])
        return np.concatenate([values.to_numpy(dtype=np.float64) for values in both])

    def _entering(self, name: str, found: sound.Sound) -> sound.Sound:
        """Those sound rows that count, with what their assignments know."""
        rows, left_out = found.rows, sound.together(self.tables.broken(name), found.left_out)
        if "use" in rows:  # a release has judged already
            unused = ~rows["use"].eq(True).to_numpy(dtype=bool)
            if unused.any():
                left_out = sound.together(
                    left_out, {"answers that the release marks as not used": int(unused.sum())}
                )
            rows = rows[~unused]
        elif self.study is not None:
            # Whoever reads a store in a way of his own (photojury.analysis.dashboard.reading) has judged already.
            judged = "left_out" in rows
            reasons = rows["left_out"] if judged else not_counted(rows, self.assignments, self.units)
            left_out = sound.together(left_out, {str(k): int(n) for k, n in reasons.value_counts().items()})
            rows = rows[reasons.isna()].drop(columns=["left_out"] if judged else [])
        unknown = [name for name in ("hit_key", "submitted_at") if name not in rows]
        if unknown and len(self.assignments):
            at = assignment_of(rows, self.assignments)
            known = [name for name in unknown if name in self.assignments]
            rows = rows.assign(
                **{name: self.assignments[name].array.take(at, allow_fill=True) for name in known}
            )
        return sound.Sound(rows.reset_index(drop=True), left_out)


def of_study(study: Study) -> Answers:
    """A study's answers."""
    return Answers(_StudyTables(study), study.settings, study.settings.study.name, study)


def of_release(folder: Path) -> Answers:
    """The answers in a release folder.

    Raises:
        InputError: the folder is no release.
    """
    return Answers(ReleaseTables(folder), Settings(), folder.name)


def of_dataset(published: Published) -> Answers:
    """The answers in a published dataset, as it was read."""
    return Answers(PublishedTables(published), Settings(), published.name, None, published.scale)


def of_files(
    files: Sequence[Path],
    *,
    scale: tuple[float, float] | None = None,
    columns: Mapping[str, str] | None = None,
) -> Answers:
    """The answers in CSV or Parquet files, each of ratings or of comparisons.

    Args:
        files: ratings have the columns image_id, rater_id and value; comparisons first_id, second_id, rater_id and
            value (positive: first is better); task, hit_key, milliseconds, position_in_hit, first_shown_left and
            others of photojury.datasets.tables are used where they are there.
        scale: worst and best level of the ratings; rows off it are left out.
        columns: our name of a column to the files' name.

    Raises:
        InputError: a file is missing, cannot be read, or lacks columns.
    """
    made = FileTables(files, columns or {})
    return Answers(made, Settings(), ", ".join(file.name for file in files), None, scale)


def open_answers(
    place: Path,
    *more: Path,
    scale: tuple[float, float] | None = None,
    columns: Mapping[str, str] | None = None,
    read_only: bool = False,
) -> Answers:
    """The answers of a study folder, a release folder, or files of answers, whichever it is.

    Raises:
        InputError: it is none of them.
    """
    if (place / FILE_NAME).is_file():
        return of_study(open_study(place, read_only=read_only) if read_only else open_study(place))
    if place.is_dir():
        if not is_release(place):
            raise InputError(
                f"{place} is neither a study (it has no {FILE_NAME}) nor a release (no release.json); "
                "name one, or a CSV or Parquet file of answers"
            )
        return of_release(place)
    return of_files([place, *more], scale=scale, columns=columns)


@dataclass(frozen=True)
class _StudyTables:
    """The tables of a store, without what no analysis reads."""

    study: Study

    def read(self, name: str) -> pd.DataFrame:
        wanted = [
            column for column in tables.metadata.tables[name].c if column.name not in _UNREAD.get(name, ())
        ]
        return self.study.read(name, columns=[column.name for column in wanted])

    def broken(self, name: str) -> dict[str, int]:
        return {}

    def picture(self, image_id: str, format: str) -> Path | None:
        path = self.study.image_path(image_id, format)
        return path if path.is_file() else None


@dataclass(frozen=True)
class _Without:
    """Tables as they are, less the answers of some raters."""

    answers: Answers
    raters: frozenset[str]

    def read(self, name: str) -> pd.DataFrame:
        table = self.answers.tables.read(name)
        return table[~table["rater_id"].isin(self.raters)] if "rater_id" in table else table

    def broken(self, name: str) -> dict[str, int]:
        return self.answers.tables.broken(name)

    def picture(self, image_id: str, format: str) -> Path | None:
        return self.answers.tables.picture(image_id, format)


def _flags(table: pd.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return np.asarray(table["simulated"].to_numpy(dtype=bool, na_value=False))
