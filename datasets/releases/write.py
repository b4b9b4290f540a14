"""Releases: a study as a folder that others read without photojury, written whole or not at all.

Takes in a study; gives out a folder that is never changed afterwards:

    README.md            the card: what was asked, by whom it was answered, what is simulated
    figures/*.svg        of the card
    data/PART/           pictures with their rows, in one of the forms of `forms`; PART is train, validation or test
    links.csv            pictures that may not be copied (study.toml, [rights]): the same columns, their address, and why;
                         image_id is the sha256 by which a copy from there is known
    ATTRIBUTION.csv      title, author, source and licence of every picture
    removed.csv          pictures that were taken back, by sha256: drop them from older copies
    tables/*.parquet     every answer, and what belongs to it (`layout.TABLES`)
    croissant.json       what every file and column is, for programs
    release.json         name, version, form and scales, for photojury
    CITATION.cff, LICENSE
    SHA256SUMS           of every file; links.csv and removed.csv only where there is something in them

What could tell who a rater is stays out, and is looked for before anything is written (`contents`). The same study gives
the same bytes.

    >>> release(study, Path("exports/my-study-1.0.0"), version="1.0.0")     # doctest: +SKIP
"""

import json
import logging
from datetime import date
from pathlib import Path

from photojury import __version__
from photojury.datasets.attribution import attributions, unnamed
from photojury.datasets.releases import layout
from photojury.datasets.releases.about import About, tell_about
from photojury.datasets.releases.card import card, draw, figures_of
from photojury.datasets.releases.citation import citation_cff, licence_text
from photojury.datasets.releases.contents import CHECKS, STRICT, Contents, Options, gather
from photojury.datasets.releases.croissant import croissant
from photojury.datasets.releases.forms import put_pictures
from photojury.datasets.releases.sums import files, sha256, write_sums
from photojury.datasets.releases.whole import check_new, whole
from photojury.datasets.store import Study
from photojury.errors import InputError, unknown_name

logger = logging.getLogger(__name__)


def release(
    study: Study,
    folder: Path,
    *,
    version: str,
    form: str = "folder",
    options: Options = STRICT,
    published: str = "",
) -> Path:
    """Write a release.

    Args:
        folder: must not exist.
        version: of the release; with the study's name it decides raters' ids.
        form: a key of layout.FORMS.
        options: what is done about raters who could be told apart and texts that tell who somebody is.
        published: the day, ISO 8601; empty: the day of the study's last picture or answer.

    Returns:
        The folder.

    Raises:
        InputError: the folder exists, another process is writing it, the study has no pictures, a file of a picture is
            missing or changed, or an argument is none.
        Refused: see `contents.gather`.
        SettingsError: [rights] or [release] is wrong.
    """
    _check(version, form, options, published)
    check_new(folder)
    contents = gather(study, version=version, options=options)
    about = tell_about(study, contents, version=version, form=form, options=options, published=published)
    with whole(folder) as unfinished:
        copied = contents.metadata[contents.metadata["left_out"].isna()]
        name = layout.file_name(about.name, version)
        known = put_pictures(study, copied, unfinished, form=form, name=name)
        _put_tables(contents, unfinished, "csv" if form == "csv" else "parquet")
        _put_rights(contents, unfinished)
        _put_texts(about, contents, options, unfinished)
        listed = {name: known.get(name) or sha256(path) for name, path in files(unfinished).items()}
        _put_json(unfinished / "croissant.json", croissant(about, contents, listed))
        write_sums(unfinished, listed)
    return folder


def _check(version: str, form: str, options: Options, published: str) -> None:
    if not version.strip():
        raise InputError("a release needs a version, like 1.0.0")
    if form not in layout.FORMS:
        raise unknown_name("form of a release", form, layout.FORMS)
    for name in (*options.allow, *options.drop):
        if name not in CHECKS:
            raise unknown_name("check of a release", name, CHECKS)
    try:
        date.fromisoformat(published or "2000-01-01")
    except ValueError:
        raise InputError(f"{published} is no day; write it like 2026-11-05") from None


def _put_tables(contents: Contents, folder: Path, suffix: str) -> None:
    (folder / "tables").mkdir()
    for name, table in contents.tables.items():
        layout.write_table(table, folder / "tables" / f"{name}.{suffix}", name)


def _put_rights(contents: Contents, folder: Path) -> None:
    """What is named and not copied, whose everything is, and what was taken back."""
    metadata = contents.metadata
    linked = metadata[metadata["left_out"].notna()].drop(columns="file_name")
    if len(linked):
        layout.write_table(linked, folder / "links.csv", "images")
    credits = attributions(metadata)
    credits.insert(1, "file_name", metadata["file_name"].where(metadata["left_out"].isna(), None).tolist())
    credits.to_csv(folder / "ATTRIBUTION.csv", index=False, lineterminator="\n")
    if nameless := unnamed(metadata):
        logger.warning(
            "%d pictures are under a licence that asks to name their author, and nobody has named one: %s%s; "
            "add the authors, or reject the pictures",
            len(nameless), ", ".join(nameless[:3]), ", ..." if len(nameless) > 3 else "",
        )  # fmt: skip
    if len(contents.removed):
        contents.removed.to_csv(folder / "removed.csv", index=False)


def _put_texts(about: About, contents: Contents, options: Options, folder: Path) -> None:
    drawn = figures_of(contents)
    for name, svg in draw(drawn).items():
        (folder / "figures").mkdir(exist_ok=True)
        (folder / "figures" / f"{name}.svg").write_text(svg, encoding="utf-8")
    (folder / "README.md").write_text(card(about, contents, drawn), encoding="utf-8")
    (folder / "CITATION.cff").write_text(citation_cff(about), encoding="utf-8")
    (folder / "LICENSE").write_text(licence_text(about), encoding="utf-8")
    facts = {
        "layout": layout.LAYOUT,
        "made_by": f"photojury {__version__}",
        "name": about.name,
        "version": about.version,
        "form": about.form,
        "published": about.published,
        "scales": about.scales,
        "allowed": sorted(options.allow),
    }
    _put_json(folder / layout.FACTS, facts)


def _put_json(path: Path, facts: object) -> None:
    path.write_text(json.dumps(facts, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
