"""Features of the study's pictures: one float32 matrix per model, in Parquet beside the database.

Takes in image ids and a matrix, gives them back in the same order. `photojury embed` writes them;
`photojury annotate plan` reads them to draw similar pairs.

    >>> write_features(Path("demo-study"), "classical", ids, matrix)      # doctest: +SKIP
    >>> ids, matrix = read_features(Path("demo-study"), "classical")      # doctest: +SKIP
"""

import io
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import ArrayLike, NDArray

from photojury.datasets.images import write_atomically
from photojury.errors import InputError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def features_path(study_folder: Path, model: str) -> Path:
    """Where the features of a model lie.

    Raises:
        InputError: the name would not do as a file name.
    """
    if not _NAME.fullmatch(model):
        raise InputError(
            f"{model!r} cannot name a model's features; use up to 64 letters, digits, dots, dashes, underscores"
        )
    return study_folder / "features" / f"{model}.parquet"


def write_features(study_folder: Path, model: str, image_ids: Sequence[str], matrix: ArrayLike) -> Path:
    """Write a model's features; the file is replaced whole or not at all.

    Args:
        study_folder: the study's folder.
        model: the model's name, and the file's.
        image_ids: n different image ids.
        matrix: (n, d) finite numbers, stored as float32.

    Returns:
        The file: columns image_id and vector (a list of d floats).

    Raises:
        InputError: shapes that do not match, an id twice, or a value that is not finite.
    """
    path = features_path(study_folder, model)
    values = np.ascontiguousarray(matrix, dtype=np.float32)
    if values.ndim != 2 or len(values) != len(image_ids) or values.shape[1] == 0:
        raise InputError(
            f"features of {model}: {len(image_ids)} image ids need a matrix of as many rows, not {values.shape}"
        )
    if len(set(image_ids)) != len(image_ids):
        raise InputError(f"features of {model}: an image id stands there twice; every image has one row")
    broken = ~np.isfinite(values).all(axis=1)
    if broken.any():
        raise InputError(
            f"features of {model}: image {image_ids[int(broken.argmax())]} has a value that is not finite"
        )
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), values.shape[1])
    table = pa.table({"image_id": pa.array(list(image_ids), pa.string()), "vector": vectors})
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    write_atomically(path, buffer.getvalue())
    return path


def read_features(study_folder: Path, model: str) -> tuple[list[str], NDArray[np.float32]]:
    """Read a model's features.

    Returns:
        n image ids, and their (n, d) float32 matrix.

    Raises:
        InputError: there are none of that name, or the file is not one of ours.
    """
    path = features_path(study_folder, model)
    if not path.is_file():
        there = ", ".join(list_features(study_folder)) or "none"
        raise InputError(
            f"the study has no features of {model!r} (there: {there}); make them with: "
            f"photojury embed --model {model}"
        )
    try:
        table = pq.read_table(path, columns=["image_id", "vector"])
        width = table.schema.field("vector").type.list_size
        flat = table.column("vector").combine_chunks().flatten().to_numpy(zero_copy_only=False)
        matrix = np.array(flat, dtype=np.float32).reshape(table.num_rows, width)
        return table.column("image_id").to_pylist(), matrix
    except (pa.ArrowException, OSError, AttributeError, KeyError) as error:
        raise InputError(
            f"{path} is damaged or no features file ({str(error).splitlines()[0]}); "
            f"make it again with: photojury embed --model {model}"
        ) from None


def list_features(study_folder: Path) -> list[str]:
    """The models whose features the study has, by name."""
    return sorted(path.stem for path in (study_folder / "features").glob("*.parquet"))
