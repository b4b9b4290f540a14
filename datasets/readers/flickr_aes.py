"""FLICKR-AES: 40,000 Flickr photographs, each rated from 1 to 5 by five of 210 workers of Mechanical Turk.

Ren, Shen, Lin, Mech, Foran, "Personalized Image Aesthetics", ICCV 2017 (for research only). Takes in
FLICKR-AES_image_labeled_by_each_worker.csv (worker, imagePair, score) and, where it is there, FLICKR-AES_image_score.txt
(name and score); gives out the ratings. The file holds the workers' own ids, which are hashed with this user's salt, as
those of a study's raters are.

    >>> flickr_aes = read(Path("FLICKR-AES"))            # doctest: +SKIP
"""

from pathlib import Path

import numpy as np
import pandas as pd

from photojury.datasets.raters import rater_id, read_salt
from photojury.datasets.readers.label_files import Sieve, look, open_labels, together
from photojury.datasets.readers.published import Published

NAME = "flickr-aes"


def read(root: Path) -> Published:
    """Read FLICKR-AES's ratings.

    Args:
        root: the folder with the files.

    Raises:
        InputError: the ratings are not there, or are no such file.
        SettingsError: the salt that hides worker ids cannot be read.
    """
    needed = ["worker", "imagePair", "score"]
    sieve = open_labels(
        root, ["FLICKR-AES_image_labeled_by_each_worker.csv"], what="FLICKR-AES's ratings", columns=needed
    )
    sieve.text("worker", "imagePair")
    sieve.number("score", low=1, high=5, whole=True)
    sieve.once(["worker", "imagePair"])
    salt = read_salt()
    hidden = {worker: rater_id(worker, salt) for worker in sieve.rows["worker"].unique()}
    ratings = pd.DataFrame(
        {
            "image_id": f"{NAME}:" + sieve.rows["imagePair"],
            "rater_id": sieve.rows["worker"].map(hidden),
            "value": sieve.rows["score"],
            "attribute": "overall",
            "task": "stars",
        }
    ).reset_index(drop=True)
    names = pd.Series(sieve.rows["imagePair"].unique()).sort_values(ignore_index=True)
    tables = {"ratings": ratings}
    sieves = [sieve]
    path = look(root, ["FLICKR-AES_image_score.txt"]) if root.is_dir() else None
    if path is not None:
        scores = _scores(path, names)
        tables["scores"] = pd.DataFrame(
            {
                "image_id": f"{NAME}:" + scores.rows["name"],
                "method": f"{NAME}-score",
                "score": scores.rows["score"],
                "standard_error": np.nan,
            }
        ).reset_index(drop=True)
        sieves.append(scores)
    images = pd.DataFrame({"image_id": f"{NAME}:" + names, "source": NAME, "source_id": names, "file": names})
    return Published(NAME, images, tables, scale=(1.0, 5.0), left_out=together(*sieves))


def _scores(path: Path, known: "pd.Series[str]") -> Sieve:
    """The makers' scores, 0 to 1; lines begin with a space, and some pictures have a score and no rating."""
    sieve = open_labels(path, [], what="the scores", columns=["line"], header=False, separator="\t", quote="")
    parts = sieve.rows["line"].str.split()
    sieve.rows = pd.DataFrame({"name": parts.str[0], "score": parts.str[1]}, index=sieve.rows.index)
    sieve.text("name")
    sieve.number("score", low=0, high=1)
    sieve.keep(sieve.rows["name"].isin(known).to_numpy(dtype=bool), "pictures without a rating")
    sieve.once(["name"])
    return sieve
