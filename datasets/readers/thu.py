"""THU image preferences: pairs of images found for one query by web search engines, on five levels, three answers each.

Xie and others, "Preference-based Evaluation Metrics for Web Image Search", SIGIR 2020. Takes in
image_pairs_annotation, a line for each pair and a line with names above them, cells between tabs: the query, both images
("baidu/name_0.jpg,sogou/name_3.jpg"), and three answers from -2 (definitely left) to 2 (definitely right). In our tables
positive means that the first is better, so every answer changes its sign here; the first is the one on the left.

    >>> thu = read(Path("An-image-dataset-with-preference-judgments"))           # doctest: +SKIP
"""

from pathlib import Path

import numpy as np
import pandas as pd

from photojury.datasets.readers.label_files import Sieve, open_labels
from photojury.datasets.readers.published import Published
from photojury.errors import InputError

NAME = "thu"
FILES = ("image_pairs_annotation", "image_pairs_annotation.txt", "image_pairs_annotation.tsv")
ANSWERS = ("answer_1", "answer_2", "answer_3")

_CELLS = ("query", "pair", *ANSWERS)


def read(root: Path) -> Published:
    """Read the preferences.

    Args:
        root: the folder with image_pairs_annotation, or this file.

    Raises:
        InputError: it is not there, or is no such file (the .xlsx is not read).
    """
    if root.suffix.lower() == ".xlsx":
        raise InputError(
            f"{root} is a spreadsheet; take the text image_pairs_annotation, or save it as tab-separated text"
        )
    sieve = open_labels(
        root, FILES, what="preferences", columns=["line"], header=False, separator="\x1f", quote=""
    )
    _sift(sieve)
    return Published(
        NAME,
        _images(sieve.rows),
        {"comparisons": _comparisons(sieve.rows), "series": _series(sieve.rows)},
        notes=_notes(sieve.rows),
        left_out=sieve.left_out,
    )


def _sift(sieve: Sieve) -> None:
    """Rows of a query, two images and three answers; the line that names the columns, fewer of them, is none."""
    sieve.without_header("line", "query\t")
    cells = sieve.rows["line"].fillna("").str.split("\t", expand=True).reindex(columns=range(len(_CELLS) + 1))
    sieve.rows = cells.set_axis([*_CELLS, "more"], axis=1).astype("str")
    whole = cells[len(_CELLS) - 1].notna() & cells[len(_CELLS)].isna()
    sieve.keep(whole.to_numpy(dtype=bool), f"rows that have not {len(_CELLS)} cells")
    sieve.text("query", "pair")
    halves = sieve.rows["pair"].str.split(",")
    sieve.rows = sieve.rows.assign(first=halves.str[0].str.strip(), second=halves.str[1].str.strip())
    two = sieve.rows["pair"].str.count(",").eq(1) & sieve.rows["first"].ne("") & sieve.rows["second"].ne("")
    sieve.keep(two.to_numpy(dtype=bool), "rows without two images")
    sieve.keep((sieve.rows["first"] != sieve.rows["second"]).to_numpy(), "pairs of an image with itself")
    sieve.number(*ANSWERS, low=-2, high=2, whole=True)
    sieve.once(["first", "second"])


def _comparisons(rows: pd.DataFrame) -> pd.DataFrame:
    """A row for each answer."""
    table = pd.DataFrame(
        {
            "first_id": f"{NAME}:" + rows["first"],
            "second_id": f"{NAME}:" + rows["second"],
            "unit_id": rows.index.astype("str"),
            "task": "five_level",
            "first_shown_left": True,
        }
    )
    parts = [
        # 0.0 - x and not -x, which makes -0.0 of a tie.
        table.assign(rater_id=f"assessor-{number}", value=0.0 - rows[name])
        for number, name in enumerate(ANSWERS, 1)
    ]
    return pd.concat(parts).sort_index(kind="stable").reset_index(drop=True)


def _members(rows: pd.DataFrame) -> pd.DataFrame:
    """Each image once, with the query that found it."""
    sides = [rows[["query", side]].set_axis(["query", "file"], axis=1) for side in ("first", "second")]
    return pd.concat(sides).drop_duplicates("file").sort_values(["query", "file"], ignore_index=True)


def _images(rows: pd.DataFrame) -> pd.DataFrame:
    found = _members(rows)
    return pd.DataFrame(
        {
            "image_id": f"{NAME}:" + found["file"],
            "source": NAME,
            "source_id": found["file"],
            "file": found["file"],
            "title": found["query"],
        }
    )


def _series(rows: pd.DataFrame) -> pd.DataFrame:
    """The images of a query, which a split must not part: pairs are of one query."""
    found = _members(rows)
    return pd.DataFrame(
        {
            "series_id": found["query"],
            "image_id": f"{NAME}:" + found["file"],
            "position": found.groupby("query").cumcount(),
        }
    )


def _notes(rows: pd.DataFrame) -> tuple[str, ...]:
    first, second, third = (rows[name].to_numpy(dtype=np.float64) for name in ANSWERS)
    settled = float(((third == first) | (third == second)).mean())
    notes = ["answers were turned round: -2, definitely left in the file, is 2 here, the first much better"]
    if settled > 0.9:
        notes.append(
            f"the third answer is one of the first two in {settled:.1%} of the pairs, as if it settled them: take agreement "
            "from the first two"
        )
    return tuple(notes)
