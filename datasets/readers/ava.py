"""AVA: 255,530 photographs of dpchallenge.com, each with 78 to 549 votes from 1 to 10, tags and its challenge.

Murray, Marchesotti, Perronnin, "AVA: A Large-Scale Database for Aesthetic Visual Analysis", CVPR 2012. Takes in the
folder of its release (AVA.txt, tags.txt, challenges.txt, aesthetics_image_lists/, style_image_lists/), or what others
have passed on of it: union_histograms.csv (image_id, n1..n10), tanet_val.csv, tanet_test.csv, relic_val.csv,
relic_test.csv (image_id, score2..score11, tags), ava_labels_test.json of idealo, AVA_train.lst and AVA_test.lst of
MPADA. Gives out histograms; who gave which vote was never published.

Two kinds of split are in use, and results on one say nothing beside results on the other:

* official: the 20,000 ids of generic_test.jpgl; everything else may be trained on.
* random-90-10: random tenths, another one in each of idealo (whose ids MPADA has), TANet and ReLIC. A network trained on
  such nine tenths has seen nine tenths of the official test images.

    >>> ava = read(Path("AVA"), splits="official")           # doctest: +SKIP
    >>> ava.tables["splits"].query("split == 'official'")["part"].value_counts()         # doctest: +SKIP
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from photojury.datasets import delimited
from photojury.datasets.readers.label_files import Sieve, look, open_labels
from photojury.datasets.readers.published import Published
from photojury.errors import InputError

NAME = "ava"
ALL = 255_530
"""Rows of AVA.txt."""

Splits = Literal["official", "random-90-10", "both"]

LEVELS = [f"n{level}" for level in range(1, 11)]
CATEGORIES = (
    "animal", "architecture", "cityscape", "floral", "fooddrink", "landscape", "portrait", "stilllife",
)  # fmt: skip

_WHOLE = ["index", "image_id", *LEVELS, "tag1", "tag2", "challenge"]
# How TANet and ReLIC name AVA's columns: score2 counts votes of 1.
_PASSED_ON = {
    **{f"score{level + 1}": f"n{level}" for level in range(1, 11)},
    "tag3": "challenge",
}
_PARTS = (
    "union_histograms.csv",
    *(f"{who}_{part}.csv" for who in ("tanet", "relic") for part in ("train", "val", "test")),
)
_IDEALO = {part: [f"idealo_ava_labels_{part}.json", f"ava_labels_{part}.json"] for part in ("train", "test")}
_MPADA = {part: [f"mpada_AVA_{part}.lst", f"AVA_{part}.lst"] for part in ("train", "test")}

LEAK = (
    "AVA's official and random splits must not be mixed: only a tenth of the official test ids lies in a random test part "
    "(9.7 % for each of idealo's, TANet's and ReLIC's), so whoever trains on the random nine tenths has seen nine tenths "
    "of the official test images"
)


def read(root: Path, *, splits: Splits | None = None) -> Published:
    """Read AVA's labels.

    Args:
        root: the folder with the files.
        splits: official, random-90-10, or both with a note; None takes the official one where its lists are there, else
            the random ones.

    Raises:
        InputError: no labels are there, or not the lists of the split that was asked for.
    """
    labels, left_out = _labels(root)
    notes = []
    if len(labels) < ALL:
        notes.append(f"{len(labels):,} of AVA's {ALL:,} images have labels here")
    chosen = splits or ("official" if _official_list(root, "generic_test") is not None else "random-90-10")
    parts = []
    if chosen in ("official", "both"):
        parts.append(_official(root, labels["image_id"], notes, asked=splits is not None))
    if chosen in ("random-90-10", "both"):
        parts.append(_random(root, labels["image_id"], asked=splits is not None))
    if chosen == "both":
        notes.append(LEAK + "; both were asked for, so look at each split's name")
    tables = {"histograms": _histograms(labels), "splits": pd.concat(parts, ignore_index=True)}
    styles = _styles(root, labels["image_id"])
    if styles is not None:
        tables["scores"], members = styles
        tables["splits"] = pd.concat([tables["splits"], members], ignore_index=True)
    if tables["splits"].empty:
        del tables["splits"]
    return Published(
        NAME,
        _images(root, labels),
        {name: table.assign(image_id=_key(table["image_id"])) for name, table in tables.items()},
        scale=(1.0, 10.0),
        notes=tuple(notes),
        left_out=left_out,
        rivals={"official": ("random-90-10",), "random-90-10": ("official",)}.get(chosen, ()),
    )


def _labels(root: Path) -> tuple[pd.DataFrame, dict[str, int]]:
    """image_id and the counts of each level, with tags and challenge as far as they are known, sorted by image_id."""
    if look(root, ["AVA.txt"]) is not None and not root.is_file():
        sieve = open_labels(
            root, ["AVA.txt"], what="AVA's labels", columns=_WHOLE, header=False, separator=" "
        )
        return _sifted(sieve).sort_values("image_id", ignore_index=True), sieve.left_out
    if root.is_file():
        raise InputError(
            f"{root} is a file; name the folder that holds AVA.txt, with the lists of the splits beside it"
        )
    sieves = [_passed_on(root, name) for name in _PARTS if look(root, [name]) is not None]
    sieves += [_idealo(path) for names in _IDEALO.values() if (path := look(root, names)) is not None]
    if not sieves:
        raise InputError(
            f"{root} holds neither AVA.txt nor other files of AVA's counts ({', '.join(_PARTS)}, {_IDEALO['test'][1]}); "
            "name the folder that does"
        )
    left_out: dict[str, int] = {}
    tables = []
    for sieve in sieves:
        tables.append(_sifted(sieve))
        left_out |= sieve.left_out
    together = pd.concat(tables, ignore_index=True)
    # The same image in several files: the row that knows its tags is the one that is kept.
    known = together["challenge"] if "challenge" in together else pd.Series(np.nan, index=together.index)
    together = together.loc[known.isna().sort_values(kind="stable").index]
    distinct = together.drop_duplicates(["image_id", *LEVELS])
    torn = distinct["image_id"].duplicated(keep=False)
    if torn.any():
        reason = f"images that two files count differently (image {distinct['image_id'][torn].iloc[0]})"
        left_out[reason] = int(distinct["image_id"][torn].nunique())
    return distinct[~torn].sort_values("image_id", ignore_index=True), left_out


def _passed_on(root: Path, name: str) -> Sieve:
    theirs = [ours if name.startswith("union") else key for key, ours in _PASSED_ON.items() if ours in LEVELS]
    sieve = open_labels(root, [name], what="AVA's labels", columns=["image_id", *theirs])
    sieve.rows = sieve.rows.rename(columns=_PASSED_ON)
    return sieve


def _idealo(path: Path) -> Sieve:
    """idealo's JSON: a list of {"image_id": "...", "label": [ten counts]}."""
    try:
        data = delimited.unpacked(path) if path.suffix == ".gz" else path.read_bytes()
        rows = [[str(row["image_id"]), *map(str, row["label"])] for row in json.loads(data)]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path} is no list of image_id and label in JSON: {str(error).splitlines()[0]}"
        ) from None
    whole = [len(row) == 1 + len(LEVELS) for row in rows]
    table = pd.DataFrame(
        [row for row, good in zip(rows, whole, strict=True) if good],
        columns=["image_id", *LEVELS],
        index=np.flatnonzero(whole) + 1,
        dtype="str",
    )
    lost = (
        {f"{path.name}: images without ten counts (row {whole.index(False) + 1})": whole.count(False)}
        if not all(whole)
        else {}
    )
    return Sieve(path, table, lost)


def _sifted(sieve: Sieve) -> pd.DataFrame:
    """Rows whose ten counts are whole numbers and not all 0; ids as whole numbers."""
    sieve.number("image_id", low=1, whole=True)
    sieve.number(*LEVELS, low=0, whole=True)
    sieve.keep(sieve.rows[LEVELS].sum(axis=1).gt(0).to_numpy(dtype=bool), "images without any vote")
    extra = [name for name in ("tag1", "tag2", "challenge") if name in sieve.rows]
    sieve.number(*extra, low=0, kept=True)
    sieve.rows = sieve.rows[["image_id", *LEVELS, *extra]]
    sieve.once(["image_id"])
    return sieve.rows.astype(dict.fromkeys(["image_id", *LEVELS], "int64"))


def _histograms(labels: pd.DataFrame) -> pd.DataFrame:
    counts = labels[LEVELS].to_numpy()
    row, level = np.nonzero(counts)
    return pd.DataFrame(
        {
            "image_id": labels["image_id"].to_numpy()[row],
            "attribute": "overall",
            "value": level + 1.0,
            "count": counts[row, level],
        }
    )


def _images(root: Path, labels: pd.DataFrame) -> pd.DataFrame:
    ids = labels["image_id"].astype("str")
    return pd.DataFrame(
        {
            "image_id": _key(labels["image_id"]),
            "source": NAME,
            "source_id": ids,
            "file": ids + ".jpg",
            "page_url": "http://www.dpchallenge.com/image.php?IMAGE_ID=" + ids,
            "tags": _tags(root, labels),
        }
    )


def _tags(root: Path, labels: pd.DataFrame) -> list[str | None]:
    """A JSON list of each image's tags, its challenge among them; None where none is known."""
    tags, challenges = _words(root, "tags.txt"), _words(root, "challenges.txt")
    columns = [
        [words.get(number) for number in labels[name].fillna(0).astype("int64")]
        for name, words in (("tag1", tags), ("tag2", tags), ("challenge", challenges))
        if name in labels and words
    ]
    return [
        json.dumps([word for word in row if word]) if any(row) else None for row in zip(*columns, strict=True)
    ] or [None] * len(labels)


def _words(root: Path, name: str) -> Mapping[int, str]:
    """The words of a file of numbers with words; a challenge says that it is one."""
    path = look(root, [name])
    if path is None:
        return {}
    prefix = "challenge: " if name.startswith("challenge") else ""
    lines = delimited.read(path, names=["line"], separator="\t", quote="").table["line"].dropna()
    pairs = lines.str.strip().str.split(" ", n=1)
    return {
        int(pair[0]): prefix + pair[1].replace("_", " ")
        for pair in pairs
        if len(pair) == 2 and pair[0].isdecimal()
    }


def _official_list(root: Path, name: str) -> Path | None:
    return look(root, [f"aesthetics_image_lists/{name}.jpgl", f"official/aesthetics_image_lists/{name}.jpgl"])


def _ids(path: Path) -> "pd.Index[int]":
    """The ids of a list with one a line."""
    sieve = Sieve(path, *_rows(path, ["image_id"]))
    sieve.number("image_id", low=1, whole=True)
    found: pd.Index[int] = pd.Index(sieve.rows["image_id"].astype("int64").unique())
    return found


def _rows(path: Path, names: Sequence[str]) -> tuple[pd.DataFrame, Mapping[str, int]]:
    read = delimited.read(path, names=names, separator=" ")
    return read.table, read.left_out


def _official(root: Path, ids: "pd.Series[int]", notes: list[str], *, asked: bool) -> pd.DataFrame:
    """The official split, those of the eight categories, and those with few and with 20,000 training images."""
    path = _official_list(root, "generic_test")
    if path is None:
        if asked:
            raise InputError(
                f"{root} holds no aesthetics_image_lists/generic_test.jpgl, AVA's official test list; what other files "
                f"hold is of random splits. {LEAK}"
            )
        return _split("official", {}, ids)
    test = _ids(path)
    known = int(test.isin(ids).sum())
    if known < len(test):
        notes.append(f"{known:,} of the {len(test):,} ids of the official test list have labels here")
    splits = [_split("official", {"test": test}, ids, rest="train")]
    for name in ("generic_ls", "generic_ss", *CATEGORIES):
        train = _official_list(root, f"{name}_train")
        own = test if name.startswith("generic") else _official_list(root, f"{name}_test")
        if train is not None and own is not None:
            parts = {"train": _ids(train), "test": own if isinstance(own, pd.Index) else _ids(own)}
            splits.append(_split(f"official-{name.removeprefix('generic_')}", parts, ids))
    return pd.concat(splits, ignore_index=True)


def _random(root: Path, ids: "pd.Series[int]", *, asked: bool) -> pd.DataFrame:
    """The random splits whose lists are there, each by its name."""
    splits = []
    known = {part: look(root, names) for part, names in _MPADA.items()}
    own = {part: look(root, names) for part, names in _IDEALO.items()}
    lists = {part: _ids(path) for part, path in known.items() if path is not None}
    lists |= {
        part: pd.Index(_idealo(path).rows["image_id"].astype("int64"))
        for part, path in own.items()
        if path is not None and part not in lists
    }
    if "test" in lists:
        splits.append(_split("random-90-10-idealo", lists, ids, rest=None if "train" in lists else "train"))
    for who in ("tanet", "relic"):
        paths = {
            part: look(root, [f"{who}_{file}.csv"])
            for part, file in (("train", "train"), ("validation", "val"), ("test", "test"))
        }
        found = {
            part: pd.Index(_sifted(_passed_on(root, path.name.removesuffix(".gz")))["image_id"])
            for part, path in paths.items()
            if path is not None
        }
        if "test" in found:
            splits.append(
                _split(f"random-90-10-{who}", found, ids, rest=None if "train" in found else "train")
            )
    if not splits and asked:
        raise InputError(
            f"{root} holds no list of a random split (AVA_test.lst, ava_labels_test.json, tanet_test.csv or relic_test.csv)"
        )
    return pd.concat([_split("", {}, ids), *splits], ignore_index=True)


def _split(
    name: str, parts: Mapping[str, "pd.Index[int]"], ids: "pd.Series[int]", rest: str | None = None
) -> pd.DataFrame:
    """One split over the images with labels; `rest` is the part of those in no list."""
    part = pd.Series(rest, index=ids, dtype="object")
    for which, members in parts.items():
        part[part.index.isin(members)] = which
    part = part.dropna()
    return pd.DataFrame({"image_id": part.index, "split": name, "part": part.astype("str").to_numpy()})


def _styles(root: Path, ids: "pd.Series[int]") -> tuple[pd.DataFrame, pd.DataFrame] | None:
    """The 14 photographic styles as scores of 1 (it has it) and 0, and their split; None where the lists are not there.

    A training image has the one style that it was chosen for, and nobody knows its others; a test image has all 14.
    """
    paths = {
        name: look(root, [f"style_image_lists/{name}", f"official/style_image_lists/{name}"])
        for name in ("styles.txt", "train.jpgl", "train.lab", "test.jpgl", "test.multilab")
    }
    if any(path is None for path in paths.values()):
        return None
    files = {name: path for name, path in paths.items() if path is not None}
    words = {
        int(number): word for number, word in _rows(files["styles.txt"], ["number", "word"])[0].to_numpy()
    }
    names = [words[number] for number in sorted(words)]
    train = _beside(files["train.jpgl"], files["train.lab"], ["style"]).rename(columns={"style": "method"})
    train = train.assign(method=train["method"].map(words), score=1.0).dropna()
    test = _beside(files["test.jpgl"], files["test.multilab"], names)
    test = test.melt("image_id", var_name="method", value_name="score")
    scores = pd.concat([train, test], ignore_index=True)
    scores = scores[scores["image_id"].isin(ids)].drop_duplicates(["image_id", "method"])
    scores = scores.assign(method="ava-style:" + scores["method"], standard_error=np.nan)
    parts = {"train": pd.Index(train["image_id"]), "test": pd.Index(test["image_id"].unique())}
    return scores, _split("official-style", parts, ids)


def _beside(ids: Path, labels: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Ids with what stands on the same line of the file beside them."""
    left, right = _rows(ids, ["image_id"])[0], _rows(labels, columns)[0]
    if len(left) != len(right):
        raise InputError(
            f"{labels} has {len(right):,} lines that can be read, and {ids.name} {len(left):,}; get both files again"
        )
    both: pd.DataFrame = pd.concat([left, right], axis=1).apply(pd.to_numeric, errors="coerce")
    return both.dropna().astype("int64")


def _key(ids: "pd.Series[int]") -> "pd.Series[str]":
    return f"{NAME}:" + ids.astype("str")
