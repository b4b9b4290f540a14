"""Releases: what Hugging Face's imagefolder and pandas read, and what never leaves the study."""

import dataclasses
import hashlib
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa
from PIL import Image

from photojury.datasets import tables, tombstones
from photojury.datasets.releases.write import release
from photojury.datasets.splits import split
from photojury.datasets.store import Study
from photojury.errors import InputError, SettingsError


def metadata(folder: Path) -> pd.DataFrame:
    return pd.concat(pd.read_parquet(path) for path in sorted(folder.glob("data/*/metadata.parquet")))


def test_metadata_counts_the_used_ratings(study: Study, tmp_path: Path) -> None:
    """Mean, deviation and votes by hand: 1 and 3 count, the unused 3 does not; an unrated picture has no mean."""
    folder = release(study, tmp_path / "out", version="1.0.0")
    rows = metadata(folder).sort_values("image_id", ignore_index=True)
    assert len(rows) == 20
    assert (
        rows.loc[0, "rating_mean"],
        rows.loc[0, "ratings"],
        rows.loc[0, "votes_1"],
        rows.loc[0, "votes_3"],
    ) == (2, 2, 1, 1)
    assert rows.loc[0, "rating_sd"] == pytest.approx(2**0.5)
    assert rows.loc[0, "simulated"] and rows.loc[1, "simulated"] and not rows.loc[2, "simulated"]
    assert rows["rating_mean"].notna().tolist() == [True, True] + [False] * 18
    assert rows["ratings"].tolist() == [2, 1] + [0] * 18


def test_the_parts_are_folders(study: Study, tmp_path: Path) -> None:
    """Every picture lies in the folder of its part, with the bytes that were collected."""
    parts = split(study)
    folder = release(study, tmp_path / "out", version="1.0.0")
    for image, part in parts.itertuples(index=False):
        copy = folder / "data" / part / f"{image}.png"
        assert hashlib.sha256(copy.read_bytes()).hexdigest() == image


def test_pandas_reads_every_answer(study: Study, tmp_path: Path) -> None:
    """The tables hold used and unused answers and say which are which."""
    folder = release(study, tmp_path / "out", version="1.0.0")
    ratings = pd.read_parquet(folder / "tables" / "ratings.parquet")
    assert ratings.groupby("use")["value"].apply(sorted).to_dict() == {False: [3], True: [1, 2, 3]}


def test_nothing_private_leaves(study: Study, tmp_path: Path) -> None:
    """No worker id, raw answer, reviewer's reason, time of day or path of this machine is in any file."""
    folder = release(study, tmp_path / "out", version="1.0.0")
    secrets = [b"A2REALWORKER", b"<secret/>", b"private", b"1234567.25", str(tmp_path).encode()]
    tables = {path.stem: pd.read_parquet(path).to_csv().encode() for path in folder.glob("tables/*.parquet")}
    texts = [
        *tables.values(),
        *(path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.suffix != ".png"),
    ]
    assert not [secret for secret in secrets for text in texts if secret in text]


def test_a_release_is_the_same_again_and_never_changed(study: Study, tmp_path: Path) -> None:
    """The same study gives the same bytes; an existing folder is refused; simulated answers are named first."""
    one, two = (release(study, tmp_path / name, version="1.0.0") for name in ("one", "two"))
    assert (one / "SHA256SUMS").read_text() == (two / "SHA256SUMS").read_text()
    assert (
        len((one / "SHA256SUMS").read_text().splitlines())
        == sum(path.is_file() for path in one.rglob("*")) - 1
    )
    assert (
        "**2 of the 4 answers in this release were given by simulated raters"
        in (one / "README.md").read_text()
    )
    with pytest.raises(InputError, match="a release is never changed"):
        release(study, one, version="1.0.0")


def test_a_missing_file_leaves_no_half_release(study: Study, tmp_path: Path) -> None:
    """A picture whose file is gone is named, and nothing is left behind."""
    image = study.read("images")["image_id"][3]
    study.image_path(image).unlink()
    with pytest.raises(InputError, match=f"the file of image {image} is missing"):
        release(study, tmp_path / "out" / "one", version="1.0.0")
    assert list((tmp_path / "out").iterdir()) == []


def test_pictures_release_as_they_are(study: Study, tmp_path: Path) -> None:
    """A study without a split has one part, train."""
    study.replace("splits", study.read("splits")[:0], {"split": "default"})
    folder = release(study, tmp_path / "out", version="1.0.0")
    assert [path.name for path in (folder / "data").iterdir()] == ["train"]
    with Image.open(next((folder / "data" / "train").glob("*.png"))) as picture:
        assert picture.size == (96, 64)


# One picture of each: its licence at its source, and why its file stays out by default (None: it is copied).
LICENCES = {
    "cc-by-2.0": None,
    "cc-by-sa-4.0": None,
    "cc0-1.0": None,
    "no-known-copyright": None,
    "us-government": None,
    "cc-by-nc-2.0": "licences of the kind by-nc are not in rights.redistribute",
    "cc-by-nd-2.0": "its licence allows no derivatives (ND)",
    "cc-by-nc-nd-4.0": "its licence allows no derivatives (ND)",
    "all-rights-reserved": "all rights are reserved",
    "flickr-17": "its licence is not known",
    None: "its licence is not known",
}


def licensed(study: Study, **rights: object) -> tuple[Study, dict[str, str | None]]:
    """The study with the first pictures from Flickr, one under each licence; which picture is under which."""
    names = sorted(study.read("images")["image_id"])[: len(LICENCES)]
    under = dict(zip(names, LICENCES, strict=True))
    table = tables.images
    with study.writing() as connection:
        for number, (image, name) in enumerate(under.items()):
            row = {"source": "flickr", "source_id": str(number), "license_id": name, "author": f"Ann {number}",
                   "title": f"Tree {number}", "page_url": f"https://www.flickr.com/photos/ann/{number}/",
                   "file_url": f"https://live.staticflickr.com/1/{number}_ab_b.jpg"}  # fmt: skip
            connection.execute(sa.update(table).where(table.c.image_id == image).values(**row))
    section = dataclasses.replace(study.settings.rights, **rights)  # type: ignore[arg-type]
    settings = dataclasses.replace(study.settings, rights=section)
    return dataclasses.replace(study, settings=settings), under


def copied(folder: Path) -> set[str]:
    return {path.stem for path in folder.glob("data/*/*.png")}


def test_only_what_may_be_copied_is_copied(study: Study, tmp_path: Path) -> None:
    """ND, NC, all rights reserved and unknown stay out by default; named with address, reason and ratings instead."""
    study, under = licensed(study)
    folder = release(study, tmp_path / "out", version="1.0.0")
    out = {image: LICENCES[name] for image, name in under.items() if LICENCES[name]}
    kept = set(study.read("images")["image_id"])
    assert copied(folder) == set(metadata(folder)["image_id"]) == kept - set(out)
    links = pd.read_csv(folder / "links.csv")
    assert dict(zip(links["image_id"], links["left_out"], strict=True)) == out
    assert links["file_url"].str.startswith("https://live.staticflickr.com/").all()
    assert "file_name" not in links
    images = pd.read_parquet(folder / "tables" / "images.parquet")
    assert len(images) == 20
    assert set(images.loc[images["left_out"].isna(), "image_id"]) == copied(folder)


@pytest.mark.parametrize(
    ("redistribute", "wanted"),
    [
        (("by",), {"cc-by-2.0"}),
        (("public-domain", "by-nc"), {"cc0-1.0", "no-known-copyright", "us-government", "cc-by-nc-2.0"}),
        (("cc-by-sa-4.0", "by-nd"), {"cc-by-sa-4.0", "cc-by-nd-2.0"}),
        ((), set()),
    ],
)
def test_the_policy_is_the_leaders(
    study: Study, tmp_path: Path, redistribute: tuple[str, ...], wanted: set[str]
) -> None:
    """Groups and single licences of study.toml; the leader's own folder is released whatever they are."""
    study, under = licensed(study, redistribute=redistribute)
    folder = release(study, tmp_path / "out", version="1.0.0")
    own = set(study.read("images", {"source": "folder"})["image_id"])
    assert len(own) == 9
    assert copied(folder) == own | {image for image, name in under.items() if name in wanted}


@pytest.mark.parametrize(
    ("folder_license", "number", "stated"),
    [("own", 9, "own"), ("cc-by-4.0", 9, "cc-by-4.0"), ("cc-by-nd-4.0", 9, "cc-by-nd-4.0"), ("", 0, None)],
)
def test_own_pictures_are_released_on_their_makers_word(
    study: Study, tmp_path: Path, folder_license: str, number: int, stated: str | None
) -> None:
    """Pictures of a folder: own by default, under the licence that their maker gives them, or not at all."""
    study, under = licensed(study, folder_license=folder_license)
    folder = release(study, tmp_path / "out", version="1.0.0")
    assert len(copied(folder) - set(under)) == number
    images = pd.read_parquet(folder / "tables" / "images.parquet")
    own = images.loc[images["source"] == "folder", "license_id"]
    assert own.isna().all() if stated is None else set(own) == {stated}
    assert ("released on their word" in (folder / "README.md").read_text()) == (stated == "own")


@pytest.mark.parametrize(
    ("rights", "sentence"),
    [
        (
            {"redistribute": ("by", "by-snc")},
            r"rights.redistribute: unknown licence 'by-snc'. Did you mean by-nc",
        ),
        ({"redistribute": ("all-rights-reserved",)}, "all-rights-reserved allows no copies"),
        ({"folder_license": "mine"}, "rights.folder_license: unknown licence 'mine'"),
    ],
)
def test_a_wrong_policy_is_named(
    study: Study, tmp_path: Path, rights: dict[str, object], sentence: str
) -> None:
    """An unknown licence, or one that nobody can redistribute under, and nothing is written."""
    study, _ = licensed(study, **rights)
    with pytest.raises(SettingsError, match=sentence):
        release(study, tmp_path / "out" / "one", version="1.0.0")
    assert not (tmp_path / "out").exists()


def test_everybody_is_credited(study: Study, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """ATTRIBUTION.csv has every picture, copied or linked; a missing author is warned of and counted in the card."""
    study, under = licensed(study)
    first = next(iter(under))
    table = tables.images
    with study.writing() as connection:
        connection.execute(sa.update(table).where(table.c.image_id == first).values(author=None))
    with caplog.at_level("WARNING"):
        folder = release(study, tmp_path / "out", version="1.0.0")
    assert (
        f"1 pictures are under a licence that asks to name their author, and nobody has named one: {first}"
        in (caplog.text)
    )
    assert "1 pictures are under a licence that asks to name an author" in (folder / "README.md").read_text()
    rows = pd.read_csv(folder / "ATTRIBUTION.csv").set_index("image_id")
    assert len(rows) == 20
    assert set(rows.index[rows["file_name"].notna()]) == copied(folder)
    second = next(image for image, name in under.items() if name == "cc-by-sa-4.0")
    assert rows.loc[second, "attribution"] == (
        '"Tree 1" (https://www.flickr.com/photos/ann/1/) by Ann 1 is licensed under CC BY-SA 4.0 '
        "(https://creativecommons.org/licenses/by-sa/4.0/)"
    )


def test_the_card_counts_what_stays_out(study: Study, tmp_path: Path) -> None:
    """Pictures, linked pictures, and each reason with its number; parts count copies only."""
    study, _ = licensed(study)
    text = (release(study, tmp_path / "out", version="1.0.0") / "README.md").read_text()
    for line in (
        "| pictures | 14 |",
        "| pictures that are named, and not copied | 6 |",
        "- 2: its licence allows no derivatives (ND)",
        "- 2: its licence is not known",
        "- 1: all rights are reserved",
        "| cc-by-2.0 | 1 | 1 |",
        "| cc-by-nd-2.0 | 1 | 0 |",
        "| own | 9 | 9 |",
    ):
        assert f"\n{line}\n" in text, line


def test_answers_about_linked_pictures_stay(study: Study, tmp_path: Path) -> None:
    """The rated pictures are x and y; with their files out, ratings keep their ids, and links.csv their means."""
    x, y = sorted(study.read("images")["image_id"])[:2]
    study, _ = licensed(study, redistribute=())
    folder = release(study, tmp_path / "out", version="1.0.0")
    assert set(pd.read_parquet(folder / "tables" / "ratings.parquet")["image_id"]) == {x, y}
    links = pd.read_csv(folder / "links.csv").set_index("image_id")
    assert links.loc[[x, y], "rating_mean"].tolist() == [2, 2]
    assert not {x, y} & copied(folder)


def test_a_release_of_links_alone_still_loads(study: Study, tmp_path: Path) -> None:
    """Where no file may be copied there is no data folder, and the header names none."""
    study, _ = licensed(study, redistribute=(), folder_license="")
    folder = release(study, tmp_path / "out", version="1.0.0")
    assert not (folder / "data").exists()
    assert len(pd.read_csv(folder / "links.csv")) == 20
    header = (folder / "README.md").read_text().split("---")[1]
    assert "data_files" not in header and "license: other" in header


def test_tombstones_win_over_a_release(study: Study, tmp_path: Path) -> None:
    """A buried picture is in no file but removed.csv, whatever its status says; so is what its author made."""
    study, under = licensed(study)
    names = list(under)
    table = tables.images
    with study.writing() as connection:
        connection.execute(sa.update(table).where(table.c.image_id == names[3]).values(author_id="9@N01"))
        tombstones.bury(connection, [f"sha256:{names[2]}", "flickr:author:9@N01"], "asked us to")
        connection.execute(
            sa.update(table).where(table.c.image_id == names[2]).values(status="tombstoned", rule="tombstone")
        )
    folder = release(study, tmp_path / "out", version="1.0.0")
    assert pd.read_csv(folder / "removed.csv")["image_id"].tolist() == [names[2]]
    everything = "".join(
        path.read_text(errors="replace") for path in folder.rglob("*.csv") if path.name != "removed.csv"
    )
    assert names[2] not in everything and names[3] not in everything
    assert not {names[2], names[3]} & copied(folder)
    assert "asked us to" not in (folder / "removed.csv").read_text()
