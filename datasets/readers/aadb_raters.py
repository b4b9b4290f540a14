"""AADB's raw answers: who gave which image how many stars, and what he said of its attributes.

Takes in AllinAll.csv, which the authors keep beside their images (results of a Mechanical Turk batch: a row for each
assignment of ten images, with Input.image_url1 to 10 and Answer.overallScore1 to 10, Answer.Content1 to 10, and so on), or
result_csv.csv, which a script of theirs makes of it. Gives out ratings; worker ids are hashed with this user's salt.

The columns are those of the authors' own script; the file itself could not be had where this was written. So `notes` holds
its means against the released scores, and says what it found.
"""

from pathlib import Path

import pandas as pd

from photojury.datasets.raters import rater_id, read_salt
from photojury.datasets.readers.label_files import Sieve, look, open_labels
from photojury.errors import require_columns

FILES = ("AllinAll.csv", "allinAll.csv", "AADB_AllinAll.csv", "result_csv.csv")
IMAGES = 10
"""In an assignment."""

ANSWERS = {
    "Answer.overallScore": "overall",
    "Answer.VisualBalance": "BalacingElements",
    "Answer.ColorHarmony": "ColorHarmony",
    "Answer.Content": "Content",
    "Answer.DoF": "DoF",
    "Answer.choiceLight": "Light",
    "Answer.MotionBlur": "MotionBlur",
    "Answer.ObjectEmphasis": "Object",
    "Answer.Repetition": "Repetition",
    "Answer.RuleOfThirds": "RuleOfThirds",
    "Answer.Symmetry": "Symmetry",
    "Answer.StrongColor": "VividColor",
}
"""The file's word for each question with the name of the attribute in the lists of scores."""

_SAID = {
    "positive": 1.0,
    "neutral": 0.0,
    "negative": -1.0,
    "pos": 1.0,
    "n": 0.0,
    "neg": -1.0,
    "": 0.0,  # a question about an attribute that was left as it stood
}
_EXACT = 5e-4  # scores are printed with three decimals


def read(root: Path) -> tuple[pd.DataFrame, Sieve] | None:
    """The ratings in AADB's raw answers; None where the folder has none.

    Args:
        root: the folder with the file.

    Returns:
        Rows of `ratings` (overall: 1 to 5 stars; attributes: -1, 0 or 1), and what was left out of the file.

    Raises:
        InputError: the file is no such file.
        SettingsError: the salt that hides worker ids cannot be read.
    """
    path = look(root, FILES) if root.is_dir() else None
    if path is None:
        return None
    sieve = _opened(path)
    sieve.text("WorkerId")
    salt = read_salt()
    hidden = sieve.rows["WorkerId"].map(
        {worker: rater_id(worker, salt) for worker in sieve.rows["WorkerId"].unique()}
    )
    rows = pd.concat([_position(sieve.rows.assign(rater_id=hidden), at) for at in range(1, IMAGES + 1)])
    long = Sieve(path, rows, sieve.left_out)
    long.text("image_url")
    long.number("Answer.overallScore", low=1, high=5, whole=True)
    found = _ratings(long.rows.reset_index(drop=True))
    unread = found["value"].isna().to_numpy(dtype=bool)
    if unread.any():
        reason = f"{path.name}: answers about an attribute that are not Positive, Neutral or Negative"
        long.left_out[reason] = int(unread.sum())
    return found[~unread].reset_index(drop=True), long


def notes(ratings: pd.DataFrame, scores: "pd.Series[float]") -> list[str]:
    """What the raw answers are worth, held against the released scores.

    Args:
        ratings: of `read`.
        scores: the released score of each image, 0 to 1, by image_id.
    """
    stars = ratings[ratings["attribute"] == "overall"]
    means = (stars.groupby("image_id")["value"].mean() - 1) / 4
    both = pd.concat([means.rename("mean"), scores.rename("score")], axis=1, join="inner")
    same = int((both["mean"] - both["score"]).abs().le(_EXACT).sum())
    who = f"{stars['rater_id'].nunique():,} raters gave {len(stars):,} ratings of stars"
    found = [f"{who}; their means are the released score of {same:,} of {len(both):,} images"]
    unlisted = int((~pd.Index(stars["image_id"].unique()).isin(scores.index)).sum())
    if unlisted:
        found.append(f"{unlisted:,} rated images are in no list of scores")
    if same < len(both) / 2:
        found.append(
            "so the raw answers are not what the scores were made of, or this reader, which was written without the file at "
            "hand, takes them wrong"
        )
    return found


def _opened(path: Path) -> Sieve:
    needed = ["WorkerId", "Input.image_url1", "Answer.overallScore1"]
    if not path.name.startswith("result_csv"):
        return open_labels(path, [], what="AADB's raw answers", columns=needed, separator=",")
    # The authors' script leaves quotes where none belong, and no comma inside a cell.
    sieve = open_labels(path, [], what="AADB's raw answers", columns=[], separator=",", quote="")
    sieve.rows = sieve.rows.rename(columns=lambda name: name.strip('"'))
    sieve.rows = sieve.rows.apply(lambda cells: cells.str.strip('"'))
    require_columns(sieve.rows.columns, needed, str(path))
    return sieve


def _position(rows: pd.DataFrame, at: int) -> pd.DataFrame:
    """The answers about the image that was shown at a place, from 1."""
    known = {f"{question}{at}": question for question in ANSWERS if f"{question}{at}" in rows} | {
        f"Input.image_url{at}": "image_url"
    }
    about = [name for name in ("HITId", "AssignmentId", "SubmitTime") if name in rows]
    kept = rows[["rater_id", *about, *(name for name in known if name in rows)]].rename(columns=known)
    if "image_url" not in kept:
        kept = kept.assign(image_url=None)
    return kept.assign(position_in_hit=at - 1)


def _ratings(rows: pd.DataFrame) -> pd.DataFrame:
    """A row for each image, rater and question."""
    url = rows["image_url"].str.extract(r"//([^./]+)\.[^/]*/([^/]+)/([^/]+)$")
    names = (url[0] + "_" + url[1] + "_" + url[2]).fillna(rows["image_url"])
    hits = rows["HITId"] if "HITId" in rows else rows["rater_id"] + ":" + rows.index.astype("str")
    table = pd.DataFrame(
        {
            "image_id": "aadb:" + names,
            "rater_id": rows["rater_id"],
            "hit_key": hits,
            "assignment_id": rows.get("AssignmentId", hits + ":" + rows["rater_id"]),
            "unit_id": hits + ":" + rows["position_in_hit"].astype("str"),
            "position_in_hit": rows["position_in_hit"],
        }
    )
    parts = []
    for question, attribute in ANSWERS.items():
        if question not in rows:
            continue
        overall = attribute == "overall"
        value = rows[question] if overall else _value(rows[question])
        task = "stars" if overall else "attributes"
        parts.append(table.assign(attribute=attribute, task=task, value=value))
    return pd.concat(parts, ignore_index=True)


def _value(words: "pd.Series[str]") -> "pd.Series[float]":
    """What was said of an attribute, as a number; also where the authors' script has coloured it."""
    plain = words.fillna("").str.replace(r"<[^>]*>", "", regex=True).str.strip().str.lower()
    return plain.map(_SAID)
