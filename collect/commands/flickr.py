"""`photojury collect flickr | counters`: photos of Flickr, and their counters again later."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from photojury.options import json_option, study_option, tell

if TYPE_CHECKING:
    from photojury.collect.sources.crawl import Crawled
    from photojury.datasets.store import Study


@click.command(
    epilog="Example: photojury collect flickr --tags tree,forest --license cc --from 2015-01-01 --study demo-study"
)
@click.option("--text", help="Words of title, description or tags.")
@click.option(
    "--tags", help="Tags with commas between them; any of them is enough, and -x leaves out what has x."
)
@click.option("--all-tags", is_flag=True, help="A photo must have all of the tags.")
@click.option("--group", help="Only this group's pool: its id, 12345678@N00.")
@click.option("--user", help="Only this person's photos: the id, 12345678@N00.")
@click.option("--from", "uploaded_from", metavar="DATE", help="Uploaded on this day (UTC) or later.")
@click.option("--to", "uploaded_to", metavar="DATE", help="Uploaded on this day or earlier; now if left out.")
@click.option("--taken-from", metavar="DATE", help="Taken on this day or later, as the camera says.")
@click.option("--taken-to", metavar="DATE", help="Taken on this day or earlier.")
@click.option(
    "--license",
    "licenses",
    multiple=True,
    metavar="NAMES",
    help="cc, by, by-nc-4.0, cc0, public-domain, ..., with commas or given again; any licence if left out.",
)
@click.option(
    "--size",
    type=click.Choice(["l", "c", "o"]),
    default="l",
    show_default=True,
    help="The file to download: up to 1024 pixels (l), up to 800 (c), or the original (o).",
)
@click.option("--limit", type=click.IntRange(1), help="Stop once so many photos are found.")
@click.option("--again", is_flag=True, help="Ask anew although this search is finished.")
@study_option
@json_option
def flickr(
    text: str | None,
    tags: str | None,
    all_tags: bool,
    group: str | None,
    user: str | None,
    uploaded_from: str | None,
    uploaded_to: str | None,
    taken_from: str | None,
    taken_to: str | None,
    licenses: tuple[str, ...],
    size: str,
    limit: int | None,
    again: bool,
    folder: Path,
    as_json: bool,
) -> None:
    """Find photos on Flickr, all that a search has, with their counters; `collect download` then fetches them.

    Needs FLICKR_API_KEY and FLICKR_API_SECRET in the environment. Stopped at any moment, the same command goes on
    where it was; with the same options, a finished search is not asked again. No place names or coordinates are
    asked for, and photos tagged no_cv are noted and never downloaded.
    """
    from photojury.collect.sources.crawl import crawl
    from photojury.collect.sources.flickr_query import query
    from photojury.collect.sources.source import open_source
    from photojury.datasets.store import open_study
    from photojury.progress import counter
    from photojury.runs import recording

    asked = query(
        text=text,
        tags=tags,
        all_tags=all_tags,
        group=group,
        user=user,
        uploaded_from=uploaded_from,
        uploaded_to=uploaded_to,
        taken_from=taken_from,
        taken_to=taken_to,
        licenses=[name for names in licenses for name in names.split(",") if name.strip()],
        size=size,
    )
    study = open_study(folder)
    with recording(study, "collect-flickr") as run:
        run.note("query", asked)
        with counter("photos found") as progress:
            crawled = crawl(
                study, open_source("flickr", study), asked, limit=limit, again=again, progress=progress
            )
        for key in ("search_id", "new", "calls", "unique", "rows", "reported", "slices", "finished"):
            run.note(key, getattr(crawled, key))
    tell(as_json, crawled, _summary(crawled))
    _after(study, crawled, limit)


@click.command(epilog="Example: photojury collect counters --older-than 30 --dry-run --study demo-study")
@click.option(
    "--source", default="flickr", show_default=True, help="Whose photos; Flickr alone has counters."
)
@click.option(
    "--older-than",
    type=click.FloatRange(0),
    default=0.0,
    metavar="DAYS",
    help="Only photos whose counters were not seen for so many days; all of them if left out.",
)
@click.option("--calls", type=click.IntRange(1), help="Stop after about so many calls.")
@click.option("--dry-run", is_flag=True, help="Say how many calls it takes; ask nothing.")
@study_option
@json_option
def counters(
    source: str, older_than: float, calls: int | None, dry_run: bool, folder: Path, as_json: bool
) -> None:
    """See views, favourites and comments of known photos again, and note them beside the earlier ones.

    Photos whose favourites the search did not tell are looked up one by one. Searches are asked again where that
    takes fewer calls than their photos would. Stopped at any moment, the same command goes on where it was. What
    Flickr does not show any more is counted, and left to `collect refresh`.
    """
    from photojury.collect.counters import SOURCE, plan, revisit
    from photojury.datasets.store import open_study
    from photojury.errors import unknown_name
    from photojury.progress import counter
    from photojury.runs import recording

    if source != SOURCE:
        raise unknown_name("source with counters", source, [SOURCE])
    study = open_study(folder)
    if dry_run:
        planned = plan(study, older_than)
        total = planned.calls_by_search + planned.calls_by_photo
        hours = total / study.settings.flickr.calls_per_hour
        text = f"{planned.due} photos are due: {planned.calls_by_search} calls for {len(planned.searches)} searches "
        tell(
            as_json,
            planned,
            text + f"and {planned.calls_by_photo} for single photos, about {hours:.1f} hours",
        )
        return
    with recording(study, "collect-counters") as run:
        with counter("counters seen") as progress:
            counted = revisit(study, older_than, most_calls=calls, progress=progress)
        for key in ("added", "gone", "calls"):
            run.note(key, getattr(counted, key))
    text = f"{counted.added} observations added in {counted.calls} calls"
    if counted.gone:
        text += f"; Flickr does not show {counted.gone} photos any more: photojury collect refresh --study {folder}"
    tell(as_json, counted, text)


def _summary(crawled: "Crawled") -> str:
    reported = "" if crawled.reported is None else f"; Flickr reports {crawled.reported}"
    return (
        f"{crawled.unique} photos found, {crawled.new} of them new to the study{reported}; "
        f"{crawled.calls} calls, {crawled.slices} slices, {crawled.rows} rows in all"
    )


def _after(study: "Study", crawled: "Crawled", limit: int | None) -> None:
    """Say what is left to do: a search that was stopped, favourites that were not told."""
    from photojury.collect.counters import without_favourites
    from photojury.errors import Unfinished

    holes = without_favourites(study)
    if holes:
        hours = holes / study.settings.flickr.calls_per_hour
        click.echo(
            f"Flickr did not tell the favourites of {holes} photos; one call each, {hours:.1f} hours: "
            f"photojury collect counters --older-than 1 --study {study.folder}",
            err=True,
        )
    if not crawled.finished:
        raise Unfinished(
            f"stopped at {crawled.unique} photos because of --limit {limit}; the same command with a higher limit, "
            "or without one, goes on"
        )
