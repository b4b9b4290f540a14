"""KonIQ-10k: 10,073 photographs whose technical quality 93 to 157 people each rated from 1 to 5.

Hosu, Lin, Sziranyi, Saupe, "KonIQ-10k: An Ecologically Valid Database for Deep Learning of Blind Image Quality
Assessment", IEEE Transactions on Image Processing 29, 2020. Takes in koniq10k_distributions_sets.csv (image_name, c1..c5
as shares, c_total, MOS, SD, set); gives out whole counts, which the shares times c_total are, the makers' own MOS on 0 to
100, and their split. Single ratings were not published with it.

    >>> koniq = read(Path("koniq10k"))           # doctest: +SKIP
"""

from pathlib import Path

import numpy as np
import pandas as pd

from photojury.datasets.readers.label_files import open_labels
from photojury.datasets.readers.published import Published

NAME = "koniq"
LEVELS = ("c1", "c2", "c3", "c4", "c5")
PARTS = {"training": "train", "validation": "validation", "test": "test"}

FILES = ("koniq10k_distributions_sets.csv", "metadata/koniq10k_distributions_sets.csv")

# The shares are printed with twelve digits, so counts come out whole to far less than this.
_CLOSE = 1e-6


def read(root: Path) -> Published:
    """Read KonIQ-10k's labels.

    Args:
        root: the folder with the file, or the file.

    Raises:
        InputError: the file is not there, or is no such file.
    """
    sieve = open_labels(
        root,
        FILES,
        what="KonIQ-10k's distributions",
        columns=["image_name", *LEVELS, "c_total", "MOS", "set"],
    )
    sieve.text("image_name")
    sieve.number(*LEVELS, low=0, high=1)
    sieve.number("c_total", low=1, whole=True)
    sieve.number("MOS", low=0, high=100)
    sieve.among("set", list(PARTS))
    exact = sieve.rows[list(LEVELS)].to_numpy() * sieve.rows[["c_total"]].to_numpy()
    whole = (np.abs(exact - np.round(exact)) < _CLOSE).all(axis=1)
    sieve.keep(
        whole & (np.round(exact).sum(axis=1) == sieve.rows["c_total"].to_numpy()),
        "shares that are no whole counts of c_total ratings",
    )
    sieve.once(["image_name"])
    rows = sieve.rows
    ids = f"{NAME}:" + rows["image_name"]
    counts = np.round(rows[list(LEVELS)].to_numpy() * rows[["c_total"]].to_numpy()).astype(np.int64)
    image, level = np.nonzero(counts)
    return Published(
        NAME,
        pd.DataFrame(
            {"image_id": ids, "source": NAME, "source_id": rows["image_name"], "file": rows["image_name"]}
        ).reset_index(drop=True),
        {
            "histograms": pd.DataFrame(
                {
                    "image_id": ids.to_numpy()[image],
                    "attribute": "overall",
                    "value": level + 1.0,
                    "count": counts[image, level],
                }
            ),
            "scores": pd.DataFrame(
                {"image_id": ids, "method": "koniq-mos", "score": rows["MOS"], "standard_error": np.nan}
            ).reset_index(drop=True),
            "splits": pd.DataFrame(
                {"image_id": ids, "split": "official", "part": rows["set"].map(PARTS)}
            ).reset_index(drop=True),
        },
        scale=(1.0, 5.0),
        notes=(
            (
                "ratings are of technical quality, not of beauty; the score koniq-mos is the makers' MOS, computed from "
                "screened and rescaled ratings on 0 to 100, and not the mean of the counts"
            ),
        ),
        left_out=sieve.left_out,
    )
