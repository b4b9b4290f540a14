"""Releases: a study as a folder that pandas and Hugging Face's `imagefolder` read without photojury.

Takes in a study; gives out a folder, whole or not at all:

    README.md            the card: what it is, how it was rated, what is simulated
    data/train/…         pictures, and metadata.csv with file_name and what was measured (imagefolder's rule);
    data/validation/…    one folder for each part of the split, or data/train alone where there is none
    data/test/…
    links.csv            pictures that may not be copied (study.toml, [rights]): the same columns, their address,
                         and why; image_id is the sha256 by which a copy from there is known
    ATTRIBUTION.csv      title, author, source and licence of every picture
    removed.csv          pictures that were taken back, by sha256: drop them from older copies
    tables/*.parquet     images, ratings, comparisons, assignments, scores, splits: every answer
    SHA256SUMS           of every file; links.csv and removed.csv only where there is something in them

What could tell who a rater is stays out: worker ids, raw answers, times of day. So do paths of this machine.
The same study gives the same bytes.

    >>> release(study, Path("exports/my-study-1.0.0"), version="1.0.0")     # doctest: +SKIP
"""

import hashlib
import logging
import shutil
import tempfile
from pathlib import Path

import pandas as pd

from photojury.datasets import tombstones
from photojury.datasets.attribution import UNCHANGED, attributions, credit, unnamed
from photojury.datasets.counting import not_counted, one_scale
from photojury.datasets.images import EXTENSIONS, image_path
from photojury.datasets.releases.card import card
from photojury.datasets.releases.rights import ruled
from photojury.datasets.splits import read_parts
from photojury.datasets.store import Study
from photojury.errors import InputError

logger = logging.getLogger(__name__)

# Columns of `images` that a reader of the data may need; none tells of this machine.
_IMAGE_COLUMNS = [
    "image_id", "source", "page_url", "file_url", "title", "description", "author", "author_url", "license_id",
    "license_url", "attribution", "changes", "tags", "taken_at", "retrieved_at", "width", "height", "format",
    "bytes", "left_out",
]  # fmt: skip
_ASSIGNMENT_COLUMNS = ["assignment_id", "rater_id", "hit_key", "active_seconds", "use", "simulated"]


def release(study: Study, folder: Path, *, version: str) -> Path:
    """Write a release; a release is never changed, so the folder must not exist.

    Raises:
        InputError: the folder exists, or the study has no pictures.
    """
    if folder.exists():
        raise InputError(
            f"{folder} exists already, and a release is never changed; give another --version or --out"
        )
    tables = _tables(study)
    if tables["images"].empty:
        raise InputError("the study has no pictures to release; first: photojury collect folder DIR")
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".release-"))
    try:
        unfinished.chmod(0o755)
        metadata = _metadata(tables)
        copied = metadata["left_out"].isna()
        for part, rows in metadata[copied].groupby("part"):
            _write_part(study, unfinished / "data" / str(part), rows.drop(columns=["part", "left_out"]))
        _write_rights(study, unfinished, metadata)
        (unfinished / "tables").mkdir()
        for name, frame in tables.items():
            frame.to_parquet(unfinished / "tables" / f"{name}.parquet", index=False)
        text = card(study.settings, tables, metadata, version)
        (unfinished / "README.md").write_text(text, encoding="utf-8")
        _write_sums(unfinished)
        unfinished.rename(folder)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    return folder


def _tables(study: Study) -> dict[str, pd.DataFrame]:
    """The tables as they are released: kept pictures only, every answer about them, whether it is used."""
    images = _images(study)
    kept = set(images["image_id"])
    assignments = study.read("assignments")[_ASSIGNMENT_COLUMNS]
    units = study.read("units")
    ratings, comparisons = study.read("ratings"), study.read("comparisons")
    ratings["use"] = not_counted(ratings, assignments, units).isna()
    comparisons["use"] = not_counted(comparisons, assignments, units).isna()
    scores = study.read("scores")
    both = comparisons["first_id"].isin(kept) & comparisons["second_id"].isin(kept)
    return {
        "images": images,
        "ratings": ratings[ratings["image_id"].isin(kept)],
        "comparisons": comparisons[both],
        "assignments": assignments,
        "scores": scores[scores["image_id"].isin(kept)],
        "splits": read_parts(study),
    }


def _images(study: Study) -> pd.DataFrame:
    """The kept pictures against which no tombstone stands, as the study's [rights] see them."""
    images = study.read("images", {"status": "kept"})
    images = ruled(images[~images["image_id"].isin(tombstones.buried_images(study))], study.settings.rights)
    images["attribution"] = [credit(row) for row in images.to_dict("records")]
    images["changes"] = UNCHANGED
    return images[_IMAGE_COLUMNS]


def _metadata(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """One row for each picture: file_name, its facts, and the used ratings of it."""
    images = tables["images"].copy()
    names = [
        f"{image}.{EXTENSIONS[kind]}"
        for image, kind in zip(images["image_id"], images["format"], strict=True)
    ]
    images.insert(0, "file_name", names)
    splits = tables["splits"]
    part_of = dict(zip(splits["image_id"], splits["part"], strict=True))
    images["part"] = [part_of.get(image, "train") for image in images["image_id"]]
    ratings = tables["ratings"]
    used = one_scale(ratings[ratings["use"]])
    grouped = used.groupby("image_id")["value"]
    facts = pd.DataFrame(
        {"rating_mean": grouped.mean(), "rating_sd": grouped.std(), "ratings": grouped.size()}
    )
    for level in sorted(used["value"].unique()):
        facts[f"votes_{level:g}"] = (used["value"] == level).groupby(used["image_id"]).sum()
    metadata = images.merge(facts, left_on="image_id", right_index=True, how="left")
    for name in facts.columns.difference(["rating_mean", "rating_sd"]):
        metadata[name] = metadata[name].fillna(0).astype(int)
    metadata["simulated"] = metadata["image_id"].isin(used.loc[used["simulated"], "image_id"])
    return metadata


def _write_part(study: Study, folder: Path, rows: pd.DataFrame) -> None:
    folder.mkdir(parents=True)
    for image, kind, name in zip(rows["image_id"], rows["format"], rows["file_name"], strict=True):
        source = image_path(study.images_folder, image, kind)
        if not source.is_file():
            raise InputError(
                f"the file of image {image} is missing from {study.images_folder}; restore it first"
            )
        shutil.copyfile(source, folder / name)  # no link: who edits a release must not edit the study
    rows.to_csv(folder / "metadata.csv", index=False)


def _write_rights(study: Study, folder: Path, metadata: pd.DataFrame) -> None:
    """What is named and not copied, whose everything is, and what was taken back."""
    linked = metadata[metadata["left_out"].notna()].drop(columns="file_name")
    if len(linked):
        linked.to_csv(folder / "links.csv", index=False)
    credits = attributions(metadata)
    credits.insert(1, "file_name", metadata["file_name"].where(metadata["left_out"].isna(), None).tolist())
    credits.to_csv(folder / "ATTRIBUTION.csv", index=False)
    if nameless := unnamed(metadata):
        logger.warning(
            "%d pictures are under a licence that asks to name their author, and nobody has named one: %s%s; "
            "add the authors, or reject the pictures",
            len(nameless), ", ".join(nameless[:3]), ", ..." if len(nameless) > 3 else "",
        )  # fmt: skip
    removed = study.read("images", {"status": "tombstoned"})["image_id"]
    if len(removed):
        removed.to_csv(folder / "removed.csv", index=False)


def _write_sums(folder: Path) -> None:
    lines = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        lines.append(f"{digest}  {path.relative_to(folder).as_posix()}\n")
    (folder / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")
