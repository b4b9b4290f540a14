"""Whether a release is what it was when it was written, and whether it holds together.

Takes in a release's folder; gives out a sentence for everything that is wrong, none where all is well: files against
SHA256SUMS and against croissant.json, ids against the tables that they name, values against the scale, and that nothing
looks like a worker id.

    for sentence in verify(Path("exports/skies-1.0.0")): ...
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd

from photojury.datasets.images import EXTENSIONS
from photojury.datasets.releases import privacy
from photojury.datasets.releases.croissant import CONFORMS_TO
from photojury.datasets.releases.layout import FACTS, REFERENCES, SUMS, keys
from photojury.datasets.releases.read import Release, open_release
from photojury.datasets.releases.sums import files, read_sums, sha256
from photojury.errors import InputError

Tables = Mapping[str, pd.DataFrame]

_WRITTEN = ("README.md", "croissant.json", "CITATION.cff", "LICENSE", "ATTRIBUTION.csv", FACTS)
_SHOWN = 3


def verify(folder: Path) -> list[str]:
    """Everything that is wrong with a release, a sentence each.

    Raises:
        InputError: the folder is not there.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder; name a release, as `photojury datasets release` wrote it")
    try:
        opened = open_release(folder)
        sums, found = read_sums(folder)
    except InputError as error:
        return [str(error)]
    found += _files(folder, sums)
    tables: dict[str, pd.DataFrame] = {}
    for name in opened.tables():
        try:
            tables[name] = opened.read(name)
        except InputError as error:
            found.append(str(error))
    if "images" not in tables:
        return found if opened.path("images").is_file() else [*found, f"{opened.path('images')} is missing"]
    for check in (_ids, _values, _people):
        found += check(opened, tables)
    found += [*_pictures(opened, tables["images"], sums), *_taken_back(opened, tables["images"])]
    return found + list(_croissant(folder, sums))


def _files(folder: Path, sums: Mapping[str, str]) -> Iterator[str]:
    """Files that were changed, are missing, or were added."""
    there = files(folder)
    for name, digest in sums.items():
        path = there.pop(name, None)
        if path is None or not path.is_file():
            yield f"{name} is missing"
        elif sha256(path) != digest:
            yield f"{name} is not what was released: its sha256 differs from {SUMS}"
    yield from (f"{name} is not listed in {SUMS}" for name in there)
    yield from (f"{SUMS} does not list {name}" for name in _WRITTEN if name not in sums)


def _ids(opened: Release, tables: Tables) -> Iterator[str]:
    """Rows that stand twice, and ids that name nothing."""
    for name, table in tables.items():
        twice = table[keys(name)].duplicated()
        if twice.any():
            yield f"{_file(opened, name)}: {int(twice.sum())} rows stand there twice (row {_first(twice)})"
        for column, (other, key) in REFERENCES.items():
            if column not in table or (name, column) == (other, key):
                continue
            known = tables[other][key] if other in tables else pd.Series(dtype=object)
            lost = table[column].notna() & ~table[column].isin(known)
            if lost.any():
                yield (
                    f"{_file(opened, name)}: {int(lost.sum())} times {column} names nothing in {other} "
                    f"(row {_first(lost)}: {str(table[column].iloc[_first(lost) - 1])[:64]})"
                )


def _values(opened: Release, tables: Tables) -> Iterator[str]:
    """Answers off their scale."""
    for name in ("ratings", "comparisons"):
        if name not in tables:
            continue
        table = tables[name]
        tasks = table["task"].fillna("stars").astype(str)
        low = tasks.map({task: ends[0] for task, ends in opened.scales.items()}).astype(float)
        high = tasks.map({task: ends[1] for task, ends in opened.scales.items()}).astype(float)
        # A missing value, and a task of which no scale is known, are within nothing.
        off = ~table["value"].astype(float).between(low, high)
        if off.any():
            at = _first(off)
            yield (
                f"{_file(opened, name)}: {int(off.sum())} values are off the scale (row {at}: "
                f"{table['value'].iloc[at - 1]} for {tasks.iloc[at - 1]})"
            )


def _people(opened: Release, tables: Tables) -> Iterator[str]:
    """Ids that were not made for a release, and texts that tell who somebody is."""
    for name, table in tables.items():
        for column in ("rater_id", "assignment_id"):
            if column not in table:
                continue
            strange = ~table[column].astype("str").str.fullmatch(privacy.RELEASED_ID).fillna(False).astype(
                bool
            )
            if strange.any():
                yield (
                    f"{_file(opened, name)}: {int(strange.sum())} times {column} is no id of a release, and may be a "
                    f"worker's (row {_first(strange)})"
                )
        if "text" in opened.allowed or name not in privacy.TEXTS:
            continue
        found = privacy.telling_texts(table, name, privacy.TEXTS[name])
        if len(found):
            rows = [f"row {at + 1}, {column}: {what}" for _, _, column, what, at in found.to_numpy()[:_SHOWN]]
            yield f"{_file(opened, name)}: {len(found)} texts may tell who somebody is ({'; '.join(rows)})"


def _pictures(opened: Release, images: pd.DataFrame, sums: Mapping[str, str]) -> Iterator[str]:
    """Pictures that the table promises and no file holds, and the other way round."""
    strange = ~images["image_id"].astype("str").str.fullmatch("[0-9a-f]{64}").fillna(False).astype(bool)
    if strange.any():
        yield f"{_file(opened, 'images')}: {int(strange.sum())} image ids are no sha256 (row {_first(strange)})"
    promised = set(images.loc[images["left_out"].isna(), "image_id"])
    held: set[str] = set()
    if opened.form in ("folder", "csv"):
        for name, digest in sums.items():
            stem, _, suffix = name.rsplit("/", 1)[-1].partition(".")
            if name.startswith("data/") and suffix in EXTENSIONS.values():
                held.add(stem)
                if stem != digest:
                    yield f"{name} is listed with the sum of another picture"
    else:
        from photojury.datasets.images import image_id

        try:
            for image, data in opened.pictures():
                held.add(image)
                if image_id(data) != image:
                    yield f"a shard in data/ holds other bytes under the id {image}"
        except InputError as error:
            yield str(error)
    if lost := sorted(promised - held):
        yield f"{len(lost)} pictures of {_file(opened, 'images')} are in no file of data/: {', '.join(lost[:_SHOWN])}"
    if more := sorted(held - promised):
        yield f"data/ holds {len(more)} pictures that it must not: {', '.join(more[:_SHOWN])}"


def _taken_back(opened: Release, images: pd.DataFrame) -> Iterator[str]:
    path = opened.folder / "removed.csv"
    if path.is_file():
        removed = set(path.read_text(encoding="utf-8", errors="replace").split())
        if again := sorted(removed & set(images["image_id"])):
            yield f"{len(again)} pictures that were taken back are in the release: {', '.join(again[:_SHOWN])}"


def _croissant(folder: Path, sums: Mapping[str, str]) -> Iterator[str]:
    """Whether croissant.json can be read, conforms, and names files and columns that are there."""
    path = folder / "croissant.json"
    if not path.is_file():
        return
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        conforms = facts["conformsTo"]
        objects = [one for one in facts["distribution"] if one["@type"] == "cr:FileObject"]
        named = {one["@id"]: (one["contentUrl"], one["sha256"]) for one in objects}
        fields = [field for one in facts["recordSet"] for field in one["field"]]
        sources = [field["source"].get("fileObject", {}).get("@id") for field in fields]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        yield f"croissant.json is damaged: {type(error).__name__}: {error}"
        return
    if missing := [one for one in CONFORMS_TO if one not in conforms]:
        yield f"croissant.json does not conform to {', '.join(missing)}"
    for place, digest in named.values():
        if sums.get(place) != digest:
            yield f"croissant.json: {place} is not what {SUMS} lists"
    for lost in sorted({str(one) for one in sources if one is not None and one not in named}):
        yield f"croissant.json: fields come from {lost}, which is not among its files"


def _file(opened: Release, name: str) -> str:
    return f"tables/{opened.path(name).name}"


def _first(wrong: "pd.Series[bool]") -> int:
    """The number of the first row that is wrong, from 1."""
    return int(wrong.to_numpy().argmax()) + 1
