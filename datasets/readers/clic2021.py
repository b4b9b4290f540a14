"""CLIC 2021: single forced choices of people between two compressed forms of a photograph.

Challenge on Learned Image Compression 2021, perceptual track. Takes in oracle.csv: original, A, B, answer (0: A looks more
like the original, 1: B does), a line each without a line of names. Gives out comparisons; an original with what was made of
it is a series. validation.csv, the same without answers, is not read.

    >>> clic = read(Path("clic2021-devkit/data"))            # doctest: +SKIP
"""

from pathlib import Path

import numpy as np
import pandas as pd

from photojury.datasets.readers.label_files import open_labels
from photojury.datasets.readers.published import Published

NAME = "clic2021"


def read(root: Path) -> Published:
    """Read the choices.

    Args:
        root: the folder with oracle.csv, or this file.

    Raises:
        InputError: it is not there, or is no such file.
    """
    columns = ["original", "a", "b", "answer"]
    sieve = open_labels(root, ["oracle.csv"], what="choices", columns=columns, header=False, separator=",")
    sieve.text("original", "a", "b")
    sieve.number("answer", low=0, high=1, whole=True)
    sieve.keep((sieve.rows["a"] != sieve.rows["b"]).to_numpy(), "choices between a picture and itself")
    rows = sieve.rows.reset_index(drop=True)
    comparisons = pd.DataFrame(
        {
            "first_id": f"{NAME}:" + rows["a"],
            "second_id": f"{NAME}:" + rows["b"],
            "value": np.where(rows["answer"] == 0, 1.0, -1.0),
            "rater_id": [f"vote-{number:05d}" for number in range(len(rows))],
            "task": "forced_choice",
            "unit_id": sieve.rows.index.astype("str"),
        }
    )
    members = _series(rows)
    images = pd.DataFrame({"source_id": members["file"].unique()})
    images = images.assign(image_id=f"{NAME}:" + images["source_id"], source=NAME, file=images["source_id"])
    pair = np.sort(comparisons[["first_id", "second_id"]].to_numpy(dtype="str"), axis=1)
    winner = np.where(comparisons["value"] > 0, comparisons["first_id"], comparisons["second_id"])
    asked = pd.DataFrame({"one": pair[:, 0], "other": pair[:, 1], "winner": winner}).groupby(["one", "other"])
    torn = int((asked["winner"].nunique() > 1).sum())
    return Published(
        NAME,
        images[["image_id", "source", "source_id", "file"]],
        {"comparisons": comparisons, "series": members.drop(columns="file")},
        notes=(
            "people chose what looks more like the original, not what is more beautiful",
            "who answered was not published: each answer stands as a rater of its own",
            f"{torn:,} of {asked.ngroups:,} pairs were answered both ways",
        ),
        left_out=sieve.left_out,
    )


def _series(rows: pd.DataFrame) -> pd.DataFrame:
    """Each original, at position 0, and the forms that were compared beside it."""
    parts = [
        pd.DataFrame({"original": rows["original"], "file": rows[name], "rank": rank})
        for rank, name in enumerate(("original", "a", "b"))
    ]
    table = pd.concat(parts).sort_values(["original", "rank", "file"]).drop_duplicates(["original", "file"])
    return pd.DataFrame(
        {
            "series_id": f"{NAME}:" + table["original"],
            "image_id": f"{NAME}:" + table["file"],
            "position": table.groupby("original").cumcount(),
            "file": table["file"],
        }
    ).reset_index(drop=True)
