"""The forms of a release: how pictures and their rows are put into files.

Takes in a study, the rows of the pictures that may be copied, and an empty folder; gives out data/PART/ in it, and the
sums of the files that are pictures (their own sha256, which is checked as they are read).

    put_pictures(study, metadata, Path("release"), form="webdataset", name="skies-1.0.0")

folder      data/train/ID.jpg, metadata.parquet with file_name (Hugging Face's imagefolder)
csv         the same with metadata.csv
webdataset  data/train/NAME-VERSION-train-000000.tar: of each picture ID.jpg and ID.json, side by side; ID has no dot, as WebDataset
            asks, which cuts names there. A Parquet file of this name beside it has the rows, so that one can choose
            shards without opening them.
parquet     data/train/NAME-VERSION-train-000000.parquet: the rows, with the bytes in `image`, which Hugging Face decodes

Shards carry the release's name since some readers, mlcroissant among them, keep opened ones by their names.
"""

import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import sqlalchemy as sa

from photojury.datasets.images import image_id, image_path
from photojury.datasets.releases.layout import kind, to_arrow, write_table
from photojury.datasets.store import Study
from photojury.errors import InputError

if TYPE_CHECKING:
    import pyarrow

SHARD_BYTES = 256_000_000
"""Of pictures in one shard; the last picture may go beyond."""

SHARD_PICTURES = 1_000

# Rows of a Parquet file that are decoded together; few, since each holds a picture.
_TOGETHER = 100


def put_pictures(study: Study, rows: pd.DataFrame, folder: Path, *, form: str, name: str) -> dict[str, str]:
    """Write the pictures and their rows.

    Args:
        rows: of `Contents.metadata`, those whose files may be copied.
        folder: the release that is being written.
        form: a key of layout.FORMS.
        name: how the names of shards begin.

    Returns:
        The sha256 of every picture that is a file, by its path.

    Raises:
        InputError: a picture's file is missing, or is not what was collected.
    """
    sums: dict[str, str] = {}
    for part, of_part in rows.groupby("part", sort=True):
        place = folder / "data" / str(part)
        place.mkdir(parents=True)
        released = of_part.drop(columns=["part", "left_out"])
        if form in ("folder", "csv"):
            for image, data, file in _pictures(study, released):
                (place / file).write_bytes(data)
                sums[f"data/{part}/{file}"] = image
            write_table(released, place / f"metadata.{'csv' if form == 'csv' else 'parquet'}", "images")
            continue
        for number, shard in enumerate(_shards(released)):
            path = place / f"{name}-{part}-{number:06d}.parquet"
            if form == "webdataset":
                _put_tar(study, shard, path.with_suffix(".tar"))
                write_table(shard, path, "images")
            else:
                _put_parquet(study, shard, path)
    return sums


def _pictures(study: Study, rows: pd.DataFrame) -> Iterator[tuple[str, bytes, str]]:
    """Id, bytes and file name of each picture."""
    for image, format, name in zip(rows["image_id"], rows["format"], rows["file_name"], strict=True):
        path = image_path(study.images_folder, image, format)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            raise InputError(
                f"the file of image {image} is missing from {study.images_folder}; restore it first"
            ) from None
        if image_id(data) != image:
            raise InputError(f"the file of image {image} is not what was collected; restore {path} first")
        yield image, data, name


def _shards(rows: pd.DataFrame) -> Iterator[pd.DataFrame]:
    begin, size = 0, 0
    for at, length in enumerate(rows["bytes"]):
        if at > begin and (size + length > SHARD_BYTES or at - begin == SHARD_PICTURES):
            yield rows.iloc[begin:at]
            begin, size = at, 0
        size += int(length)
    yield rows.iloc[begin:]


def _put_tar(study: Study, rows: pd.DataFrame, path: Path) -> None:
    facts = to_arrow(rows, "images").to_pylist()
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for (image, data, name), row in zip(_pictures(study, rows), facts, strict=True):
            text = json.dumps(row, ensure_ascii=False, sort_keys=True)
            for member, content in ((name, data), (f"{image}.json", text.encode())):
                # No owner and no time: the same pictures give the same bytes.
                entry = tarfile.TarInfo(member)
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))


def _put_parquet(study: Study, rows: pd.DataFrame, path: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    facts = to_arrow(rows, "images")
    image = pyarrow.field("image", pyarrow.struct({"bytes": pyarrow.binary(), "path": pyarrow.string()}))
    schema = pyarrow.schema([image, *facts.schema], metadata={"huggingface": json.dumps(_features(facts))})
    with parquet.ParquetWriter(path, schema) as writer:
        for start in range(0, len(rows), _TOGETHER):
            found = [
                {"bytes": data, "path": name}
                for _, data, name in _pictures(study, rows.iloc[start : start + _TOGETHER])
            ]
            columns = [pyarrow.array(found, type=image.type), *facts.slice(start, _TOGETHER).columns]
            writer.write_table(pyarrow.table(columns, schema=schema))


def _features(facts: "pyarrow.Table") -> dict[str, object]:
    """What Hugging Face's datasets reads from the schema: that `image` is a picture."""
    names = {sa.Boolean: "bool", sa.Integer: "int64", sa.Float: "float64"}
    features: dict[str, object] = {"image": {"_type": "Image"}}
    for column in facts.column_names:
        own = kind("images", column)
        dtype = next((name for type_, name in names.items() if isinstance(own, type_)), "string")
        features[column] = {"dtype": dtype, "_type": "Value"}
    return {"info": {"features": features}}
