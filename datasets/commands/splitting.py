"""`photojury datasets split | check`: parts that train and parts that test, and what crosses them."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from photojury.options import json_option, study_option, tell

if TYPE_CHECKING:
    from photojury.datasets.leaks import Leak, Leaks

_WORDS = {
    "image": "pictures in two parts",
    "near_duplicate": "near duplicates",
    "series": "series",
    "author": "authors",
    "comparison": "comparisons",
}

_MOST = 5
"""Pairs of splits that are told; a dataset with a dozen splits has a hundred."""


@click.command(
    epilog="Example: photojury datasets split --by series --by author --name careful --study demo-study"
)
@click.option(
    "--by",
    multiple=True,
    metavar="KEY",
    help="What stays together: image (nothing), series, author, near_duplicate or pair; may be repeated. "
    "[default: splits.by]",
)
@click.option(
    "--stratify",
    is_flag=False,
    flag_value="ratings",
    metavar="[METHOD]",
    help="Spread the scores evenly over the parts: the mean ratings, or a method of the table scores.",
)
@click.option("--name", default="default", show_default=True, help="Of the split.")
@study_option
@json_option
def split(by: tuple[str, ...], stratify: str | None, name: str, folder: Path, as_json: bool) -> None:
    """Part the pictures into train, validation and test, by the study's seed; do this before planning pairs.

    Planning, training and releases use the split that is called default.
    """
    from photojury.datasets.splits import PARTS
    from photojury.datasets.splits import split as make_split
    from photojury.datasets.store import open_study
    from photojury.runs import recording

    study = open_study(folder)
    with recording(study, "datasets-split") as run:
        counts = make_split(study, by=by, name=name, stratify=stratify)["part"].value_counts()
        sizes = {part: int(counts.get(part, 0)) for part in PARTS}
        run.note("sizes", sizes)
    tell(as_json, sizes, ", ".join(f"{part} {size}" for part, size in sizes.items()))


@click.command(epilog="Example: photojury datasets check --study demo-study")
@click.option("--split", "name", help="Only this split. [default: all]")
@click.option(
    "--allow",
    multiple=True,
    metavar="KIND",
    help="What may cross: image, near_duplicate, series, author or comparison; may be repeated.",
)
@click.option(
    "--data", type=click.Path(path_type=Path), help="A release, or label files, in the place of a study."
)
@click.option("--dataset", help="Whose label files --data are, by its name in `photojury datasets list`.")
@click.option(
    "--set", "options", multiple=True, metavar="KEY=VALUE", help="An option of the reader: splits=both."
)
@study_option
@json_option
@click.pass_context
def check(
    context: click.Context,
    name: str | None,
    allow: tuple[str, ...],
    data: Path | None,
    dataset: str | None,
    options: tuple[str, ...],
    folder: Path,
    as_json: bool,
) -> None:
    """Look for what crosses splits: pictures, near duplicates, series, authors, comparisons.

    Exit status 1 where something crosses that is not allowed to.
    """
    from photojury.datasets.commands.bring_in import option
    from photojury.datasets.leaks import KINDS
    from photojury.datasets.leaks import check as look
    from photojury.datasets.rated_sets import open_rated_set
    from photojury.errors import unknown_name

    for kind in allow:
        if kind not in KINDS:
            raise unknown_name("kind of leak", kind, KINDS)
    rated = open_rated_set(data or folder, dataset=dataset, options=dict(map(option, options)))
    found = look(rated, name)
    tell(as_json, found, _text(found))
    if found.crossing(allow):
        context.exit(1)


def _text(found: "Leaks") -> str:
    lines = []
    for split in dict.fromkeys(leak.split for leak in found.leaks):
        lines.append(f"split {split}")
        lines += [f"  {_line(leak)}" for leak in found.leaks if leak.split == split]
    worst = sorted(found.across, key=lambda one: -one.seen / one.pictures)
    if worst:
        lines.append("never train on one split and test on another:")
    lines += [
        f"  the train part of {one.trained_on} holds {one.seen:,} of {one.pictures:,} test pictures of {one.split}"
        for one in worst[:_MOST]
    ]
    if len(worst) > _MOST:
        lines.append(f"  and {len(worst) - _MOST} more such pairs of splits (--json tells all)")
    return "\n".join([*lines, *found.notes])


def _line(leak: "Leak") -> str:
    what = _WORDS[leak.kind]
    if not leak.known:
        return f"{what:<22} none known, so not checked"
    if not leak.crossing:
        return f"{what:<22} none of {leak.known:,} cross"
    seen = f"; {leak.seen:,} of {leak.pictures:,} {leak.part} pictures are touched" if leak.part else ""
    example = " | ".join(image[:16] for image in leak.examples[0])
    return f"{what:<22} {leak.crossing:,} of {leak.known:,} CROSS{seen}, such as {example}"
