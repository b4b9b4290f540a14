"""Tables of the collection IQA-Dataset: SPAQ, BIQ2021, CID2013, TID2013, KADID-10k, PIQ2023 and others, by name.

Each is a text of comma-separated cells: dis_img_path, dis_type, score, and for distorted pictures ref_img_path
(the collection is at github.com, icbcbicc/IQA-Dataset). Takes in the folder of these files and a table's name; gives out
the scores as they were published. Pictures made of one original are a series, so that no split parts them.

    >>> spaq = read(Path("csv"), table="SPAQ")           # doctest: +SKIP
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from photojury.datasets.readers.label_files import open_labels
from photojury.datasets.readers.published import Published
from photojury.errors import InputError, unknown_name

_PARTS = {"Train": "train", "Val": "validation", "Validation": "validation", "Test": "test"}


def read(root: Path, *, table: str = "") -> Published:
    """Read one table.

    Args:
        root: the folder with the tables, or one of them.
        table: its name, as its file has it, without .txt; may be left away where root is the file.

    Raises:
        InputError: no such table, or it is no such file.
    """
    found = root.name if root.is_file() else table
    if not found:
        raise InputError(f"name the table: table=SPAQ; {root} has {', '.join(_tables(root)) or 'none'}")
    if root.is_dir() and table not in _tables(root):
        raise unknown_name(f"table of {root}", table, _tables(root))
    sieve = open_labels(
        root, [f"{table}.txt"], what="scores", columns=["dis_img_path", "dis_type", "score"], separator=","
    )
    sieve.text("dis_img_path")
    sieve.number("score")
    sieve.once(["dis_img_path"])
    name = (table or root.name.split(".")[0]).lower()
    rows = sieve.rows.reset_index(drop=True)
    # The paths begin with the folder of the dataset.
    ids = rows["dis_img_path"].str.split("/", n=1).str[-1]
    images = pd.DataFrame(
        {
            "image_id": f"{name}:" + ids,
            "source": name,
            "source_id": ids,
            "file": rows["dis_img_path"],
            "tags": [json.dumps([kind]) if isinstance(kind, str) else None for kind in rows["dis_type"]],
        }
    )
    scores = pd.DataFrame(
        {"image_id": images["image_id"], "method": name, "score": rows["score"], "standard_error": np.nan}
    )
    return Published(
        name,
        images,
        {"scores": scores, **_series(rows, images), **_splits(rows, images)},
        notes=(
            f"the scores of {name} are as they were published; whether more is better, and on what scale, is its own",
        ),
        left_out=sieve.left_out,
    )


def _tables(root: Path) -> list[str]:
    return sorted({path.name.split(".")[0] for path in root.glob("*.txt*")} - {"SOURCE"})


def _series(rows: pd.DataFrame, images: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The pictures made of one original."""
    if "ref_img_path" not in rows:
        return {}
    table = pd.DataFrame({"series_id": rows["ref_img_path"], "image_id": images["image_id"]}).dropna()
    return {"series": table.assign(position=table.groupby("series_id").cumcount())}


def _splits(rows: pd.DataFrame, images: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Columns like DeviceSplit, as official splits."""
    found = [
        pd.DataFrame(
            {
                "image_id": images["image_id"],
                "split": f"official-{name.removesuffix('Split').lower()}",
                "part": rows[name].map(_PARTS),
            }
        ).dropna()
        for name in rows.columns
        if name.endswith("Split")
    ]
    return {"splits": pd.concat(found, ignore_index=True)} if found else {}
