"""`photojury collect forget | refresh | credits`: what is taken out, looked up again, and who made the pictures."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from photojury.options import confirm, json_option, study_option, tell

if TYPE_CHECKING:
    from photojury.collect.rights.forgetting import Forgotten
    from photojury.collect.rights.reporting import Report

_SHOWN = 20


@click.command(
    epilog="Example: photojury collect forget flickr:author:9@N01 --reason 'asked us to' --yes --study demo-study"
)
@click.argument("what", nargs=-1)
@click.option(
    "--file",
    "lists",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="A list of such names or of sha256 values, one a line; may be given again.",
)
@click.option("--reason", required=True, help="Why; kept with the tombstone, not released.")
@click.option(
    "--keep-file", is_flag=True, help="Leave files and what is said about them; they are still barred."
)
@click.option("--yes", is_flag=True, help="Do it: the files are removed for good.")
@study_option
@json_option
def forget(
    what: tuple[str, ...],
    lists: tuple[Path, ...],
    reason: str,
    keep_file: bool,
    yes: bool,
    folder: Path,
    as_json: bool,
) -> None:
    """Take pictures, or all pictures of a person, out of the study for good.

    WHAT is an image id, SOURCE:ID, SOURCE:author:ID, or the address of a picture or its page. A tombstone bars it
    from every later crawl and release, also where it is not in the study yet. Its file is removed, and its title,
    author and address; answers about it stay, under its sha256 alone.
    """
    from photojury.collect.rights import forgetting
    from photojury.collect.rights.naming import listed, named
    from photojury.datasets.store import open_study
    from photojury.errors import InputError
    from photojury.runs import recording

    study = open_study(folder)
    keys = [key for word in what for key in named(word, study)]
    keys += [key for path in lists for key in listed(path, study)]
    if not keys:
        raise InputError(
            "name what to forget: an image id, SOURCE:ID, SOURCE:author:ID, an address, or --file LIST"
        )
    wanted = dict.fromkeys(keys, reason)
    if not yes:
        with study.engine.connect() as connection:
            pictures = len(forgetting.find(connection, wanted).images)
        files = "leaving their files" if keep_file else "removing their files"
        confirm(
            yes,
            f"this forgets {pictures} pictures of this study, for good, {files}, and bars {len(wanted)} names from "
            "coming in",
        )
    with recording(study, "collect-forget") as run:
        done = forgetting.forget(study, wanted, keep_files=keep_file)
        run.note("images", done.images)
    _warn(done)
    tell(as_json, done, _forgotten(done))


@click.command(epilog="Example: photojury collect refresh --prune --study demo-study")
@click.option("--source", help="Only pictures of this source.")
@click.option(
    "--older-than",
    type=click.FloatRange(0),
    default=1.0,
    show_default=True,
    metavar="DAYS",
    help="Leave pictures that were looked up within so many days; 0 looks all up.",
)
@click.option("--prune", "pruning", is_flag=True, help="Forget what is gone, opted out or lost its licence.")
@click.option("--yes", is_flag=True, help="With --prune: also where a large share of a source would go.")
@study_option
@json_option
def refresh(
    source: str | None, older_than: float, pruning: bool, yes: bool, folder: Path, as_json: bool
) -> None:
    """Look every stored picture up at its source again: licence, privacy, deletion, opt-out.

    Do it before each release. Without --prune it only reports. What cannot be asked today (a service that is down,
    a key that has expired) is never taken for gone; the same command goes on.
    """
    from photojury.collect.rights import pruning as pruner
    from photojury.collect.rights import refresh as refreshing
    from photojury.datasets.store import open_study
    from photojury.progress import counter
    from photojury.runs import recording

    study = open_study(folder)
    with recording(study, "collect-refresh") as run:
        total = refreshing.due(study, source=source, older_than=older_than)
        with counter("looking up", total) as progress:
            found = refreshing.refresh(study, source=source, older_than=older_than, progress=progress)
        run.note("findings", found.findings)
        run.note("checked", found.checked)
        done = pruner.prune(study, source=source, confirmed=yes) if pruning else None
        if done:
            _warn(done)
            run.note("forgotten", done.images)
        tell(as_json, _facts(found, done), _told(found, done))
        for problem in found.problems.values():
            raise problem


@click.command(epilog="Example: photojury collect credits --study demo-study")
@click.option(
    "--missing", is_flag=True, help="Only pictures whose licence asks for an author whom nobody has named."
)
@study_option
@json_option
def credits(missing: bool, folder: Path, as_json: bool) -> None:
    """Give credit for every kept picture: title, author, page and licence, as a release will."""
    from photojury.datasets.attribution import attributions, unnamed
    from photojury.datasets.releases.rights import ruled
    from photojury.datasets.store import open_study

    study = open_study(folder)
    images = ruled(study.read("images", {"status": "kept"}), study.settings.rights)
    nameless = unnamed(images)
    shown = images[images["image_id"].isin(nameless)] if missing else images
    rows = attributions(shown).astype(object)
    rows = rows.where(rows.notna(), None)
    if nameless and not missing:
        click.echo(
            f"{len(nameless)} pictures are under a licence that asks to name an author whom nobody has named; "
            "see them with --missing",
            err=True,
        )
    lines = [f"{row['image_id']}  {row['attribution']}" for row in rows.to_dict("records")]
    tell(as_json, rows.to_dict("records"), "\n".join(lines) or "no such pictures")


def _forgotten(done: "Forgotten") -> str:
    return (
        f"{done.images} pictures forgotten, {done.files} files removed, {done.candidates} offers barred, "
        f"{done.tombstones} new tombstones"
    )


def _warn(done: "Forgotten") -> None:
    """What still shows the pictures, and is not ours to change."""
    if done.hits:
        click.echo(
            f"{done.hits} HITs that are out still ask about them; photojury annotate close ends a batch",
            err=True,
        )
    if done.exports:
        click.echo(
            f"still in {', '.join(done.exports)}: a release is never changed; make a new one, and withdraw these",
            err=True,
        )


def _facts(found: "Report", done: "Forgotten | None") -> dict[str, object]:
    import dataclasses

    facts = dataclasses.asdict(dataclasses.replace(found, problems={}))
    problems = {source: str(error) for source, error in found.problems.items()}
    return {**facts, "problems": problems, "forgotten": dataclasses.asdict(done) if done else None}


def _told(found: "Report", done: "Forgotten | None") -> str:
    lines = [
        f"{change.image_id[:12]}  {change.source}:{change.source_id}  {change.finding}: {change.note}"
        for change in found.changes[:_SHOWN]
    ]
    if len(found.changes) > _SHOWN:
        lines.append(f"... and {len(found.changes) - _SHOWN} more; all of them with --json")
    counts = ", ".join(f"{count} {finding}" for finding, count in sorted(found.findings.items()))
    lines.append(
        f"looked up {found.checked} of {found.pictures} pictures; as last heard: {counts or 'nothing'}"
    )
    lost = sum(change.prune for change in found.changes)
    if done:
        lines.append(_forgotten(done))
    elif lost:
        lines.append(f"{lost} lost their rights; forget them with: photojury collect refresh --prune")
    return "\n".join(lines)
