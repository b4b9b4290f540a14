"""`photojury collect google | openverse | commons | urls`: what other sources than Flickr offer."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from photojury.options import confirm, json_option, study_option, tell, yes_option

if TYPE_CHECKING:
    from photojury.collect.sources.keywords import Plan
    from photojury.collect.sources.source import Source
    from photojury.datasets.store import Study

F = TypeVar("F", bound=Callable[..., object])

# Reasons of rejected rows that are shown; the store has all.
_SHOWN = 20


def _query_option(help_text: str) -> Callable[[F], F]:
    return click.option("--query", "keywords", multiple=True, metavar="WORDS", help=help_text)


def _limit_option(command: F) -> F:
    return click.option(
        "--limit", type=click.IntRange(min=1), help="Stop once so many different pictures were found."
    )(command)


def _again_option(command: F) -> F:
    return click.option("--again", is_flag=True, help="Ask anew what an earlier run has finished.")(command)


@click.command(epilog="Example: photojury collect google --dry-run --query 'action shot' --study demo-study")
@_query_option("Ask this, and not the keywords of study.toml; may be repeated.")
@click.option("--rights", multiple=True, help="Google's rights filter, like cc_attribute; may be repeated.")
@click.option("--dry-run", is_flag=True, help="Show keywords, calls, days and dollars; ask nothing.")
@_limit_option
@_again_option
@yes_option
@study_option
@json_option
def google(
    keywords: tuple[str, ...],
    rights: tuple[str, ...],
    dry_run: bool,
    limit: int | None,
    again: bool,
    yes: bool,
    folder: Path,
    as_json: bool,
) -> None:
    """Ask Google's image search (Custom Search JSON API), which ends on 2027-01-01.

    Keywords are those of [google] in study.toml: every subject with every action, and every name. 100 pictures at
    most come for each. Needs GOOGLE_API_KEY and GOOGLE_CSE_ID in the environment.
    """
    import time

    from photojury.collect.sources import keywords as planner
    from photojury.collect.sources.google import INSTEAD, Google, days_left, query
    from photojury.datasets.store import open_study
    from photojury.errors import InputError

    study = open_study(folder)
    source = Google(study)
    source.still_there()
    wanted = keywords or planner.keywords(study.settings.google)
    if not wanted:
        raise InputError(
            f"nothing to ask for: write subjects and actions, or names, under [google] in {study.folder / 'study.toml'}, "
            "or give --query"
        )
    queries = list({one["q"]: one for one in (query(word, rights) for word in wanted)}.values())
    plan = planner.plan(study, queries)
    days = days_left(time.time())
    if dry_run:
        tell(as_json, {**vars(plan), "days_until_end": days}, _plan_text(plan, days))
        return
    click.echo(f"Google ends this API in {days} days; then {INSTEAD}", err=True)
    if plan.dollars:
        per_day = study.settings.google.calls_per_day
        confirm(
            yes,
            f"this may cost ${plan.dollars:.2f}: {plan.calls} calls, {per_day} a day, of which 100 are free",
        )
    _run(study, source, queries, limit, again, as_json, source.left)


@click.command(epilog="Example: photojury collect openverse --query tree --license by --study demo-study")
@_query_option("What the photographs shall show; may be repeated.")
@click.option("--license", "licenses", multiple=True, help="by, by-sa, public-domain, ...; may be repeated.")
@click.option("--license-type", help="all, all-cc, commercial or modification.")
@click.option(
    "--from", "sources", multiple=True, help="One of Openverse's collections, like flickr; may be repeated."
)
@click.option("--size", help="small, medium or large.")
@_limit_option
@_again_option
@study_option
@json_option
def openverse(
    keywords: tuple[str, ...],
    licenses: tuple[str, ...],
    license_type: str | None,
    sources: tuple[str, ...],
    size: str | None,
    limit: int | None,
    again: bool,
    folder: Path,
    as_json: bool,
) -> None:
    """Ask Openverse for openly licensed photographs: at most 240 for each query, no key needed.

    Without a client it answers five times an hour, 20 pictures each; a free client (OPENVERSE_CLIENT_ID and
    OPENVERSE_CLIENT_SECRET in the environment) lifts that.
    """
    from photojury.collect.sources.openverse import Openverse, query
    from photojury.datasets.store import open_study

    study = open_study(folder)
    queries = [
        query(word, licenses=licenses, license_type=license_type, sources=sources, size=size)
        for word in keywords or ("",)
    ]
    source = Openverse(study)
    _run(study, source, queries, limit, again, as_json, source.left)


@click.command(epilog="Example: photojury collect commons --query surfer --limit 200 --study demo-study")
@_query_option("Words to search for; may be repeated.")
@click.option("--category", "categories", multiple=True, help="All pictures in a category; may be repeated.")
@_limit_option
@_again_option
@study_option
@json_option
def commons(
    keywords: tuple[str, ...],
    categories: tuple[str, ...],
    limit: int | None,
    again: bool,
    folder: Path,
    as_json: bool,
) -> None:
    """Ask Wikimedia Commons for freely licensed pictures, by words or by category.

    Wikimedia wants to know who asks: set study.contact in study.toml. Category pages hold no pictures of their
    sub-categories.
    """
    from photojury.collect.sources.commons import Commons, query
    from photojury.datasets.store import open_study

    study = open_study(folder)
    queries = [query(search=word) for word in keywords] + [query(category=name) for name in categories]
    source = Commons(study)
    _run(study, source, queries or [query()], limit, again, as_json, source.left)


@click.command(epilog="Example: photojury collect urls pictures.csv --study demo-study")
@click.argument("pictures", type=click.Path(path_type=Path))
@click.option("--url-column", default="url", show_default=True, help="The column with the files' addresses.")
@click.option("--id-column", help="The column with the pictures' names; the address if left out.")
@click.option("--columns", default="", help="Names of the columns of a list without: url,favs,views.")
@_limit_option
@study_option
@json_option
def urls(
    pictures: Path,
    url_column: str,
    id_column: str | None,
    columns: str,
    limit: int | None,
    folder: Path,
    as_json: bool,
) -> None:
    """Take in the list PICTURES: a CSV, text or Parquet file with a column of addresses.

    Other columns (title, author, license, views, favs, taken_at, ...) are kept with each picture. Rows that cannot
    be used are counted and listed; the others are ready for photojury collect download.
    """
    from photojury.collect.sources.urls import UrlList, query
    from photojury.datasets.store import open_study

    study = open_study(folder)
    names = [name.strip() for name in columns.split(",") if name.strip()]
    asked = query(pictures, url_column=url_column, id_column=id_column, columns=names)
    _run(study, UrlList(study), [asked], limit, again=False, as_json=as_json, left=None)


def _run(
    study: "Study",
    source: "Source",
    queries: Sequence[Mapping[str, object]],
    limit: int | None,
    again: bool,
    as_json: bool,
    left: Callable[[], str] | None,
) -> None:
    """Ask, print what came, and leave with the error that ended it, if one did."""
    from photojury.collect.sources.asking import ask, refused
    from photojury.progress import counter
    from photojury.runs import recording

    with recording(study, f"collect-{source.name}") as run:
        with counter("pictures found") as progress:
            asked = ask(study, source, queries, limit=limit, again=again, progress=progress)
        rules, reasons = refused(study, source.name, asked, _SHOWN)
        facts: dict[str, Any] = {"source": source.name, **asked.facts()}
        facts |= {"rejected": sum(rules.values()), "rejected_by_rule": rules, "reasons": reasons}
        facts["left"] = left() if left and facts["calls"] else None
        for key in ("rows", "unique", "new", "calls", "rejected", "finished"):
            run.note(key, facts[key])
        if asked.error is None or facts["rows"]:
            for reason in reasons:
                click.echo(f"rejected: {reason}", err=True)
            tell(as_json, facts, _text(facts))
        if asked.error is not None:
            raise asked.error


def _text(facts: Mapping[str, Any]) -> str:
    lines = []
    if len(facts["searches"]) > 1:
        lines = [
            f"  {one['new']} new of {one['unique']}: {_asked_for(one['query'])}" for one in facts["searches"]
        ]
    sentence = (
        f"{facts['source']}: {facts['rows']} found, {facts['unique']} different, {facts['new']} new here"
    )
    if facts["calls"]:
        sentence += f", in {facts['calls']} calls"
    if facts["rejected"]:
        rules = ", ".join(f"{number} {rule}" for rule, number in sorted(facts["rejected_by_rule"].items()))
        sentence += f"; {facts['rejected']} rejected ({rules})"
    lines.append(sentence + (f"; {facts['left']}" if facts["left"] else ""))
    if facts["source"] != "urls" and facts["finished"] and not facts["calls"]:
        lines.append("this was asked before and is finished; --again asks anew")
    lines.append("next: photojury collect download")
    return "\n".join(lines)


def _asked_for(query: Mapping[str, object]) -> object:
    return query.get("q") or query.get("search") or query.get("category")


def _plan_text(plan: "Plan", days: int) -> str:
    lines = [f"  {keyword}" for keyword in plan.keywords]
    lines.append(
        f"{len(plan.keywords)} keywords; at most {plan.calls} calls are left, which take {plan.days} days and "
        f"cost ${plan.dollars:.2f}. Google ends this API in {days} days."
    )
    if plan.days > days:
        lines.append("That is more than is left of it: raise google.calls_per_day, or ask for less.")
    return "\n".join(lines)
