"""AADB: 9,958 Flickr photographs with a score of 0 to 1 and eleven attributes of -1 to 1, means of five or more workers.

Kong, Shen, Lin, Mech, Fowlkes, "Photo Aesthetics Ranking Network with Attributes and Content Adaptation", ECCV 2016 (for
research only). Takes in, whichever is there first:

* imgListTrainRegression_.csv, imgListValidationRegression_.csv, imgListTestNewRegression_.csv: a row for each image.
* imgListTrainRegression_score.txt and so on: the authors' lists, a file for each score, in imgListFiles_label/.
* AADB.txt of IQA-Dataset: all images, without their split.
* AADBinfo.mat: scores of training and test images, without attributes.

and, beside any of them, the authors' raw answers (AllinAll.csv, result_csv.csv), see `aadb_raters`. Gives out scores, the
official split, and the raw answers as ratings.

127 of the 500 official validation images are official test images, too. Whoever chooses a model on these 500 chooses it on
an eighth of the test set, so by default the 127 are in the test part only.

    >>> aadb = read(Path("AADB"), overlap="keep")            # doctest: +SKIP
"""

import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from photojury.datasets.readers import aadb_raters
from photojury.datasets.readers.label_files import Sieve, look, open_labels, together
from photojury.datasets.readers.published import Published
from photojury.errors import InputError

NAME = "aadb"
ATTRIBUTES = (
    "BalacingElements", "ColorHarmony", "Content", "DoF", "Light", "MotionBlur", "Object", "Repetition",
    "RuleOfThirds", "Symmetry", "VividColor",
)  # fmt: skip
"""As the authors' files spell them."""

NEVER_NEGATIVE = ("Repetition", "Symmetry")
"""Attributes that raters could only find or not find."""

Overlap = Literal["drop", "keep"]

_LISTS = {"train": "Train", "validation": "Validation", "test": "TestNew"}
_COLUMNS = ["ImageFile", *ATTRIBUTES, "score"]


def read(root: Path, *, overlap: Overlap = "drop") -> Published:
    """Read AADB's labels.

    Args:
        root: the folder with the files (or with the folder imgListFiles_label that has them), or AADBinfo.mat.
        overlap: drop takes the official test images out of the validation part; keep leaves them in both.

    Raises:
        InputError: no labels are there, or a file is no such file.
        SettingsError: raw answers are there, and the salt that hides worker ids cannot be read.
    """
    parts, sieves = _labels(root)
    labels, lost = _together(parts)
    notes = [f"{len(labels):,} different images, scores 0 to 1 (the mean of 1 to 5 stars, less 1, over 4)"]
    lost = {**together(*sieves), **lost}
    tables = {"scores": _scores(labels)}
    if "" not in parts:
        tables["splits"], shared = _splits(parts, labels, overlap)
        if "validation" in parts:
            notes.append(_overlap_note(shared, overlap))
    else:
        notes.append("the file names no split; the official lists are imgList*Regression_*")
    raters = aadb_raters.read(root)
    if raters is not None:
        tables["ratings"], answers = raters
        lost = {**lost, **answers.left_out}
        notes += aadb_raters.notes(tables["ratings"], labels.set_index("image_id")["score"])
    return Published(
        NAME,
        _images(labels, tables.get("ratings")),
        tables,
        scale=(1.0, 5.0) if raters is not None else None,
        notes=tuple(notes),
        left_out=lost,
    )


def _labels(root: Path) -> tuple[dict[str, pd.DataFrame], list[Sieve]]:
    """The labels of each part (of the part "" where no split is known): ImageFile, score, attributes where known."""
    if root.is_file():
        if root.suffix.lower() != ".mat":
            raise InputError(f"{root} is a file; name the folder that holds AADB's lists, or AADBinfo.mat")
        return _matlab(root)
    for folder in (root, root / "imgListFiles_label", root / "AADB_imgListFiles_label"):
        if look(folder, ["imgListTrainRegression_.csv"]) is not None:
            return _of_sieves({part: _table(folder, name) for part, name in _LISTS.items()})
        if look(folder, ["imgListTrainRegression_score.txt"]) is not None:
            return _of_sieves({part: _lists(folder, name) for part, name in _LISTS.items()})
    if look(root, ["AADB.txt"]) is not None:
        return _of_sieves({"": _collected(root)})
    mat = look(root, ["AADBinfo.mat"])
    if mat is not None:
        return _matlab(mat)
    raise InputError(
        f"{root} holds none of AADB's labels (imgListTrainRegression_.csv, imgListTrainRegression_score.txt, AADB.txt, "
        "AADBinfo.mat); name the folder that does"
    )


def _of_sieves(found: Mapping[str, Sieve]) -> tuple[dict[str, pd.DataFrame], list[Sieve]]:
    return {part: sieve.rows for part, sieve in found.items()}, list(found.values())


def _table(folder: Path, part: str) -> Sieve:
    """One of the three lists in CSV."""
    name = f"imgList{part}Regression_.csv"
    return _sifted(open_labels(folder, [name], what=f"AADB's {part} list", columns=_COLUMNS))


def _lists(folder: Path, part: str) -> Sieve:
    """The authors' lists of a part, each "NAME VALUE" a line, joined by the name."""
    joined = _list(folder, part, "score")
    for attribute in ATTRIBUTES:
        if look(folder, [f"imgList{part}Regression_{attribute}.txt"]) is not None:
            other = _list(folder, part, attribute)
            joined.rows = joined.rows.merge(other.rows, how="left", on="ImageFile")
            joined.left_out = together(joined, other)
    return joined


def _list(folder: Path, part: str, column: str) -> Sieve:
    names = [f"imgList{part}Regression_{column}.txt"]
    columns = ["ImageFile", column]
    return _sifted(
        open_labels(folder, names, what=f"AADB's {part} list", columns=columns, header=False, separator=" ")
    )


def _collected(root: Path) -> Sieve:
    """AADB.txt of IQA-Dataset: the three lists below each other, so that 127 rows stand there twice."""
    columns = ["dis_img_path", "score", *ATTRIBUTES]
    sieve = open_labels(root, ["AADB.txt"], what="AADB's scores", columns=columns, separator=",")
    sieve.rows = sieve.rows.assign(ImageFile=sieve.rows["dis_img_path"].str.split("/").str[-1])
    return _sifted(sieve)


def _sifted(sieve: Sieve) -> Sieve:
    sieve.text("ImageFile")
    columns = [name for name in _COLUMNS[1:] if name in sieve.rows]
    for name in columns:
        sieve.number(name, low=-1.0 if name in ATTRIBUTES and name not in NEVER_NEGATIVE else 0.0, high=1.0)
    sieve.rows = sieve.rows[["ImageFile", *columns]]
    sieve.once(["ImageFile"])
    return sieve


def _matlab(path: Path) -> tuple[dict[str, pd.DataFrame], list[Sieve]]:
    """AADBinfo.mat: names and scores of training and test images."""
    from scipy.io.matlab import MatReadError, loadmat

    try:
        data = loadmat(path)
        parts = {
            part: pd.DataFrame(
                {
                    "ImageFile": [str(cell.item()) for cell in data[f"{part}NameList"].ravel()],
                    "score": data[f"{part}Score"].ravel().astype(np.float64).astype("str"),
                }
            ).rename(index=lambda row: row + 1)
            for part in ("train", "test")
        }
    except (
        MatReadError,
        zlib.error,
        LookupError,
        ValueError,
        TypeError,
        OSError,
        NotImplementedError,
    ) as error:
        raise InputError(
            f"{path} is no AADBinfo.mat (trainNameList, trainScore, testNameList, testScore): {error}"
        ) from None
    return _of_sieves({part: _sifted(Sieve(path, table, {})) for part, table in parts.items()})


def _together(parts: Mapping[str, pd.DataFrame]) -> tuple[pd.DataFrame, dict[str, int]]:
    """Each image once, with image_id; images that two lists label differently are left out."""
    table = pd.concat(parts.values(), ignore_index=True).drop_duplicates(ignore_index=True)
    torn = table["ImageFile"].duplicated(keep=False)
    lost = {}
    if torn.any():
        first = table["ImageFile"][torn].iloc[0]
        lost = {f"images that two lists label differently ({first})": int(table["ImageFile"][torn].nunique())}
    table = table[~torn].sort_values("ImageFile", ignore_index=True)
    return table.assign(image_id=f"{NAME}:" + table["ImageFile"]), lost


def _scores(labels: pd.DataFrame) -> pd.DataFrame:
    """Method aadb for the score, aadb:ATTRIBUTE for the others."""
    names = {name: f"{NAME}:{name}" for name in ATTRIBUTES if name in labels}
    table = labels.rename(columns={"score": NAME, **names})
    long = table.melt("image_id", [NAME, *names.values()], var_name="method", value_name="score")
    return long.dropna(subset="score", ignore_index=True).assign(standard_error=np.nan)


def _splits(
    parts: Mapping[str, pd.DataFrame], labels: pd.DataFrame, overlap: Overlap
) -> tuple[pd.DataFrame, int]:
    """The official split, and how many validation images are test images, too."""
    rows = pd.concat([table[["ImageFile"]].assign(part=part) for part, table in parts.items()])
    rows = rows[rows["ImageFile"].isin(labels["ImageFile"])]
    tested = rows.loc[rows["part"] == "test", "ImageFile"]
    shared = (rows["part"] == "validation") & rows["ImageFile"].isin(tested)
    if overlap == "drop":
        rows = rows[~shared]
    table = pd.DataFrame(
        {"image_id": f"{NAME}:" + rows["ImageFile"], "split": "official", "part": rows["part"]}
    )
    return table.reset_index(drop=True), int(shared.sum())


def _overlap_note(shared: int, overlap: Overlap) -> str:
    if not shared:
        return "no validation image is a test image"
    said = f"{shared} official validation images are official test images, too"
    if overlap == "drop":
        return f"{said}; they were left out of the validation part (overlap=keep leaves them in both)"
    return f"{said}, and stand in both parts: a model chosen on validation images has seen them"


def _images(labels: pd.DataFrame, ratings: pd.DataFrame | None) -> pd.DataFrame:
    """Rated images that no list has are there as well, without a score."""
    ids = labels["image_id"]
    if ratings is not None:
        ids = pd.Series(pd.concat([ids, ratings["image_id"]]).unique()).sort_values(ignore_index=True)
    files = ids.str.removeprefix(f"{NAME}:")
    place = files.str.extract(r"^(farm\d+)_(\d+)_(.+)$")
    return pd.DataFrame(
        {
            "image_id": ids,
            "source": NAME,
            "source_id": files,
            "file": files,
            "file_url": "https://" + place[0] + ".staticflickr.com/" + place[1] + "/" + place[2],
        }
    )
