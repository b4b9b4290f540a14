"""Mechanical Turk's batch results: what its site gave out as CSV, read by a mapping file.

MTurk closed on 2026-09-30; these files are what its users were left with. Takes in a results file (HITId, AssignmentId,
WorkerId, AssignmentStatus, AcceptTime, SubmitTime, Input.*, Answer.*) and a TOML file that says which answer is about
which input:

    name = "gymnasts"
    scale = [1, 3]

    [[rating]]                          # a rating for each line
    image = "Input.image1"
    answer = "Answer.stars1"
    attribute = "overall"               # may be left away

    [[comparison]]
    first = "Input.left"                # shown on the left, unless first_shown_left = false
    second = "Input.right"
    answer = "Answer.better"
    values = { left = 1, right = -1 }   # positive means that the first is better

A number N in both names, written {1..10}, stands for ten of them: image = "Input.image{1..10}". WorkerIds are hashed with
this user's salt, as those of a study's raters are; lines that were rejected are left out and counted.

    >>> gymnasts = read(Path("Batch_2001_batch_results.csv"), map=Path("gymnasts.toml"))         # doctest: +SKIP
"""

import re
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

import numpy as np
import pandas as pd

from photojury.datasets.mturk_times import parse_time
from photojury.datasets.raters import is_simulated, rater_id, read_salt
from photojury.datasets.readers.label_files import Sieve, open_labels, together
from photojury.datasets.readers.mapping import Section, open_mapping
from photojury.datasets.readers.published import Published
from photojury.errors import InputError, require_columns

NEEDED = ("HITId", "AssignmentId", "WorkerId", "AssignmentStatus", "AcceptTime", "SubmitTime")
STATUSES = ("Submitted", "Approved", "Rejected")

_MANY = re.compile(r"\{(\d+)\.\.(\d+)\}")
# What photojury's own files hold for WorkerId; MTurk's worker ids are upper case.
_RATER = re.compile("[0-9a-f]{16}")


def read(root: Path, *, map: Path | None = None) -> Published:
    """Read batch results.

    Args:
        root: the CSV file, or a folder with several of one layout.
        map: the mapping file.

    Raises:
        InputError: the mapping is missing or wrong, or a file is none of batch results.
        SettingsError: the salt that hides worker ids cannot be read.
    """
    mapping = open_mapping(map, reader="mturk-csv")
    mapping.only(("name", "scale", "rating", "comparison"))
    name = mapping.text("name")
    questions = [
        question for section in mapping.sections("rating") for question in _spread(section, ("image",))
    ]
    pairs = [
        question
        for section in mapping.sections("comparison")
        for question in _spread(section, ("first", "second"))
    ]
    if not questions and not pairs:
        raise InputError(f"{mapping.file}: there is neither a [[rating]] nor a [[comparison]]")
    paths = [root] if root.is_file() else sorted(root.glob("*.csv"))
    if not paths:
        raise InputError(f"{root} holds no .csv file of batch results")
    lines = [_lines(path) for path in paths]
    left_out = together(*lines)
    rows = pd.concat([sieve.rows for sieve in lines], ignore_index=True).drop_duplicates("AssignmentId")
    where = ", ".join(path.name for path in paths)
    ratings = [_rating(rows, section, mapping, left_out, where) for section in questions]
    comparisons = [_comparison(rows, section, left_out, where) for section in pairs]
    found = {
        "ratings": pd.concat(ratings, ignore_index=True) if ratings else pd.DataFrame(),
        "comparisons": pd.concat(comparisons, ignore_index=True) if comparisons else pd.DataFrame(),
    }
    tables = {table: _keyed(rows, name) for table, rows in found.items() if len(rows)}
    if not tables:
        raise InputError(
            f"{where}: no answer can be used: " + "; ".join(f"{n:,} {why}" for why, n in left_out.items())
        )
    return Published(
        name,
        _images(name, tables),
        tables,
        scale=mapping.scale(),
        notes=("workers are known by hashes with this user's salt, and not by their own ids",),
        left_out=left_out,
    )


def _spread(section: Section, images: tuple[str, ...]) -> list[Section]:
    """A [[rating]] or [[comparison]], or those that {1..10} in its names stands for."""
    section.only((*images, "answer", "attribute", "task", "values", "first_shown_left"))
    names = {key: section.text(key) for key in (*images, "answer")}
    spans = {span.group() for text in names.values() if (span := _MANY.search(text))}
    if not spans:
        return [section]
    if len(spans) > 1:
        raise InputError(
            f"{section.file}: {section.where} names {' and '.join(sorted(spans))}; they must be the same"
        )
    low, high = (int(end) for end in _MANY.findall(next(iter(spans)))[0])
    if not low <= high < low + 1000:
        raise InputError(
            f"{section.file}: {section.where} names {next(iter(spans))}; write it like {{1..10}}"
        )
    return [
        Section(
            section.file,
            section.where,
            {
                **section.values,
                **{key: _MANY.sub(str(number), text) for key, text in names.items()},
                "@at": number - low,
            },
        )
        for number in range(low, high + 1)
    ]


def _lines(path: Path) -> Sieve:
    """The lines that were not rejected, workers hashed, times as numbers."""
    sieve = open_labels(path, [], what="batch results", columns=list(NEEDED), separator=",")
    if not any(str(column).startswith("Answer.") for column in sieve.rows):
        raise InputError(f"{path} has no column that begins with Answer.; it is no file of batch results")
    sieve.text("HITId", "AssignmentId", "WorkerId")
    sieve.among("AssignmentStatus", list(STATUSES))
    sieve.keep(
        sieve.rows["AssignmentStatus"].ne("Rejected").to_numpy(dtype=bool), "assignments that were rejected"
    )
    for ours, theirs in (("accepted_at", "AcceptTime"), ("submitted_at", "SubmitTime")):
        times = [_time(text) for text in sieve.rows[theirs]]
        sieve.rows = sieve.rows.assign(**{ours: np.array(times, dtype=np.float64)})
        sieve.keep(sieve.rows[ours].notna().to_numpy(dtype=bool), f"{theirs} is no time")
    once = sieve.rows.drop_duplicates()
    doubled = once.duplicated("AssignmentId", keep=False)
    sieve.rows = once
    sieve.keep(~doubled.to_numpy(dtype=bool), "lines of one assignment say different things")
    salt = read_salt()
    workers = sieve.rows["WorkerId"]
    hidden = {one: one if _RATER.fullmatch(one) else rater_id(one, salt) for one in workers.unique()}
    marked = sieve.rows["Simulated"].eq("true") if "Simulated" in sieve.rows else False
    made_up = workers.map({one: is_simulated(one) for one in workers.unique()}).astype(bool) | marked
    sieve.rows = sieve.rows.assign(rater_id=workers.map(hidden), simulated=made_up).drop(columns="WorkerId")
    return sieve


def _time(text: object) -> float | None:
    try:
        return parse_time(str(text))
    except InputError:
        return None


def _rating(
    rows: pd.DataFrame, section: Section, mapping: Section, left_out: dict[str, int], where: str
) -> pd.DataFrame:
    attribute = section.text("attribute", "overall")
    table = _answered(rows, section, ("image",), left_out, where)
    scale = mapping.scale() if attribute == "overall" else None
    if scale is not None:
        off = (table["value"] < scale[0]) | (table["value"] > scale[1])
        _count(
            left_out, f"{where}: {section.text('answer')} off the scale of {scale[0]:g} to {scale[1]:g}", off
        )
        table = table[~off]
    task = section.choice(
        "task", ("stars", "attributes"), "stars" if attribute == "overall" else "attributes"
    )
    return table.assign(attribute=attribute, task=task)


def _comparison(rows: pd.DataFrame, section: Section, left_out: dict[str, int], where: str) -> pd.DataFrame:
    table = _answered(rows, section, ("first", "second"), left_out, where)
    bad = ~table["value"].isin([-2, -1, 0, 1, 2]) | table["first_id"].eq(table["second_id"])
    _count(
        left_out,
        f"{where}: {section.text('answer')} that are none of -2, -1, 0, 1, 2, or about one image",
        bad,
    )
    table = table[~bad]
    two = set(section.numbers("values").values() or table["value"]) <= {-1.0, 1.0}
    task = section.choice(
        "task", ("five_level", "forced_choice", "series"), "forced_choice" if two else "five_level"
    )
    return table.assign(task=task, first_shown_left=section.truth("first_shown_left", True))


def _answered(
    rows: pd.DataFrame, section: Section, images: tuple[str, ...], left_out: dict[str, int], where: str
) -> pd.DataFrame:
    """The lines that name the images and have an answer, as numbers."""
    answer = section.text("answer")
    require_columns(rows.columns, [*(section.text(key) for key in images), answer], where)
    cells = rows[answer].astype("str").str.strip().where(rows[answer].notna(), None)
    words = section.numbers("values")
    values = pd.to_numeric(cells.map(words) if words else cells, errors="coerce").to_numpy(dtype=np.float64)
    made = {
        "assignment_id": rows["AssignmentId"],
        "hit_key": rows["HITId"],
        "rater_id": rows["rater_id"],
        "simulated": rows["simulated"],
        "accepted_at": rows["accepted_at"],
        "submitted_at": rows["submitted_at"],
        "value": values,
        "position_in_hit": section.values.get("@at"),
    }
    for key in images:
        made["image_id" if key == "image" else f"{key}_id"] = rows[section.text(key)].str.strip()
    table = pd.DataFrame(made)
    names = [column for column in ("image_id", "first_id", "second_id") if column in table]
    unasked = table[names].isna().any(axis=1)
    empty = cells.isna() & ~unasked
    strange = ~np.isfinite(values) & ~empty & ~unasked
    _count(left_out, f"{where}: {answer} without an answer", empty)
    first = f" ({cells[strange].iloc[0][:40]!r})" if strange.any() else ""
    _count(left_out, f"{where}: {answer} that are no number{first}", strange)
    good: pd.Series[bool] = ~unasked & ~empty & ~strange
    return table.loc[good]


def _count(left_out: dict[str, int], reason: str, bad: "pd.Series[bool]") -> None:
    if bad.any():
        left_out[reason] = left_out.get(reason, 0) + int(bad.sum())


def _keyed(table: pd.DataFrame, name: str) -> pd.DataFrame:
    columns = [column for column in ("image_id", "first_id", "second_id") if column in table]
    return table.assign(**{column: f"{name}:" + table[column] for column in columns})


def _images(name: str, tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Every image that was asked about; an input that is an address tells the file's name."""
    columns = [
        table[one]
        for table in tables.values()
        for one in ("image_id", "first_id", "second_id")
        if one in table
    ]
    ids = pd.Series(pd.concat(columns).unique()).sort_values(ignore_index=True)
    own = ids.str.removeprefix(f"{name}:")
    web = own.str.match(r"https?://")
    return pd.DataFrame(
        {
            "image_id": ids,
            "source": name,
            "source_id": own,
            "file": [_file(text) for text in own],
            "file_url": own.where(web, None),
        }
    )


def _file(text: str) -> str:
    """The name of the file at an address, or the text itself."""
    path = unquote(urlsplit(text).path) if text.startswith(("http://", "https://")) else text
    return PurePosixPath(path).name or text
