"""The gallery: a study's stored pictures, filtered, in an order, a page at a time.

Takes in what is wanted; gives out a page of cards with the way to the next one and the one before. A page begins
where another ended and not at a number, so that pictures which a decision takes out of a filter leave no gap.

    >>> page = cards(study, Wanted(status="rejected", sort="blur"))     # doctest: +SKIP
    >>> cards(study, Wanted(status="rejected", sort="blur", after=page.next))       # doctest: +SKIP
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from photojury.collect.curation.deciding import decided_by_hand
from photojury.collect.funnel.asked import in_words
from photojury.datasets import tables
from photojury.datasets.store import Study
from photojury.errors import InputError, unknown_name

SHOWN = ("kept", "rejected")
"""Statuses that can be looked at: what was taken out for good is not shown again."""

PER_PAGE = 60

# Stands for a missing measure, so that pictures without it come last in either direction.
_LAST = 1e300

ORDERS = {"image": "no order (by hash)", "newest": "newest first"}
"""Orders that are no measure."""


@dataclass(frozen=True)
class Wanted:
    """What is to be shown; an empty text means all.

    Attributes:
        status: kept or rejected.
        rule: as in images.rule.
        source: as in images.source.
        search: a search_id.
        by: hand, or checks.
        sort: a name of ORDERS, or of a measure.
        descending: whether a measure's largest values come first.
        after: a page's `next`.
        before: a page's `previous`; at most one of the two.
    """

    status: str = ""
    rule: str = ""
    source: str = ""
    search: str = ""
    by: str = ""
    sort: str = "image"
    descending: bool = False
    after: str = ""
    before: str = ""


@dataclass(frozen=True)
class Card:
    """One picture as the gallery shows it; `value` is that of the measure that orders the page."""

    image_id: str
    name: str
    status: str
    rule: str | None
    reason: str | None
    by_hand: bool
    value: float | None


@dataclass(frozen=True)
class Page:
    """One page: its cards, how many pictures there are in all, and where the pages beside it begin."""

    cards: list[Card]
    count: int
    next: str
    previous: str


@dataclass(frozen=True)
class Choices:
    """What can be asked for, with how many pictures there are of each."""

    statuses: dict[str, int]
    rules: dict[str, int]
    sources: dict[str, int]
    searches: dict[str, str]
    measures: list[str]


_IMAGES, _CHECKS, _DECISIONS = tables.images, tables.checks, tables.decisions
_LATER = _DECISIONS.alias()


def cards(study: Study, wanted: Wanted, *, per_page: int = PER_PAGE) -> Page:
    """One page of pictures.

    Raises:
        InputError: no such status, or an `after` or `before` that is none of ours.
    """
    chosen = _chosen(wanted)
    key, measured = _order(wanted)
    columns = [_IMAGES.c[name] for name in ("image_id", "source_id", "title", "status", "rule", "reason")]
    query = sa.select(*columns, measured.label("value"), key.label("key")).select_from(_joined(wanted))
    backward = bool(wanted.before)
    query = query.where(chosen, *_beyond(key, wanted.before or wanted.after, backward=backward))
    order = (key.desc(), _IMAGES.c.image_id.desc()) if backward else (key, _IMAGES.c.image_id)
    with study.engine.connect() as connection:
        rows = list(connection.execute(query.order_by(*order).limit(per_page + 1)).mappings())
        more = len(rows) > per_page
        rows = rows[:per_page][::-1] if backward else rows[:per_page]
        by_hand = decided_by_hand(connection, [row["image_id"] for row in rows])
        count = connection.execute(sa.select(sa.func.count()).select_from(_IMAGES).where(chosen)).scalar_one()
    return Page(
        [_card(row, row["image_id"] in by_hand) for row in rows],
        count,
        next=_place(rows[-1]) if rows and (backward or more) else "",
        previous=_place(rows[0]) if rows and (more if backward else wanted.after) else "",
    )


def choices(study: Study) -> Choices:
    """What can be asked for."""
    names = (_IMAGES.c.status, _IMAGES.c.rule, _IMAGES.c.source)
    query = sa.select(*names, sa.func.count().label("count")).where(_IMAGES.c.status.in_(SHOWN))
    statuses, rules, sources = dict.fromkeys(SHOWN, 0), dict[str, int](), dict[str, int]()
    for row in study.rows(query.group_by(*names)):
        statuses[row["status"]] += row["count"]
        sources[row["source"]] = sources.get(row["source"], 0) + row["count"]
        if row["rule"]:
            rules[row["rule"]] = rules.get(row["rule"], 0) + row["count"]
    searches = study.rows(sa.select(tables.searches).order_by(tables.searches.c.made_at))
    return Choices(
        statuses,
        dict(sorted(rules.items(), key=lambda item: -item[1])),
        dict(sorted(sources.items())),
        {row["search_id"]: f"{row['source']}: {in_words(row['query'])}" for row in searches},
        _measures(study),
    )


def facts(study: Study, image_id: str) -> dict[str, Any] | None:
    """All that is known of one picture, for its large view; None where it is not to be shown."""
    with study.engine.connect() as connection:
        query = sa.select(_IMAGES).where(_IMAGES.c.image_id == image_id, _IMAGES.c.status.in_(SHOWN))
        image = connection.execute(query).mappings().first()
        if image is None:
            return None
        measures = (_CHECKS.c.check, _CHECKS.c.value, _CHECKS.c.verdict, _CHECKS.c.reason)
        checks = sa.select(*measures).where(_CHECKS.c.image_id == image_id).order_by(_CHECKS.c.check)
        names = (_DECISIONS.c.decided_at, _DECISIONS.c.status, _DECISIONS.c.reason, _DECISIONS.c.decided_by)
        decisions = sa.select(*names).where(_DECISIONS.c.image_id == image_id)
        told = ("image_id", "source", "author", "license_id", "width", "height", "format", "bytes")
        return {
            **{name: image[name] for name in (*told, "status", "rule", "reason")},
            "name": _name(image),
            "page_url": image["page_url"] if _web(image["page_url"]) else None,
            "checks": [dict(row) for row in connection.execute(checks).mappings()],
            "decisions": [
                dict(row)
                for row in connection.execute(decisions.order_by(_DECISIONS.c.decided_at)).mappings()
            ],
        }


def _measures(study: Study) -> list[str]:
    """The names of the measures: those of the newest pictures, since millions of rows have the same few."""
    some = sa.select(_IMAGES.c.image_id).order_by(_IMAGES.c.image_id).limit(200).scalar_subquery()
    query = (
        sa.select(_CHECKS.c.check)
        .distinct()
        .where(_CHECKS.c.image_id.in_(some), _CHECKS.c.value.is_not(None))
    )
    return sorted(row["check"] for row in study.rows(query))


def _chosen(wanted: Wanted) -> "sa.ColumnElement[bool]":
    if wanted.status and wanted.status not in SHOWN:
        raise unknown_name("status", wanted.status, SHOWN)
    if wanted.by and wanted.by not in ("hand", "checks"):
        raise unknown_name("choice of who decided", wanted.by, ("hand", "checks"))
    found = [_IMAGES.c.status == wanted.status if wanted.status else _IMAGES.c.status.in_(SHOWN)]
    if wanted.rule:
        found.append(_IMAGES.c.rule == wanted.rule)
    if wanted.source:
        found.append(_IMAGES.c.source == wanted.source)
    if wanted.search:
        found.append(_IMAGES.c.image_id.in_(_found_by(wanted.search)))
    if wanted.by:
        hand = _IMAGES.c.image_id.in_(_by_hand())
        found.append(hand if wanted.by == "hand" else ~hand)
    return sa.and_(*found)


def _by_hand() -> "sa.Select[Any]":
    """The images whose newest decision is not to leave it to the checks."""
    newest = sa.select(sa.func.max(_DECISIONS.c.decided_at)).where(_LATER.c.image_id == _DECISIONS.c.image_id)
    query = sa.select(_LATER.c.image_id).where(_LATER.c.status != "auto")
    return query.where(_LATER.c.decided_at == newest.correlate(_LATER).scalar_subquery())


def _found_by(search_id: str) -> "sa.Select[Any]":
    """The images of a search's candidates, whichever search found them first."""
    finds, searches, candidates = tables.finds, tables.searches, tables.candidates
    same = (candidates.c.source == searches.c.source) & (candidates.c.source_id == finds.c.source_id)
    query = sa.select(candidates.c.image_id).select_from(
        finds.join(searches, searches.c.search_id == finds.c.search_id).join(candidates, same)
    )
    return query.where(finds.c.search_id == search_id, candidates.c.image_id.is_not(None))


def _joined(wanted: Wanted) -> "sa.FromClause":
    if wanted.sort in ORDERS:
        return _IMAGES
    same = (_CHECKS.c.image_id == _IMAGES.c.image_id) & (_CHECKS.c.check == wanted.sort)
    return _IMAGES.outerjoin(_CHECKS, same)


def _order(wanted: Wanted) -> "tuple[sa.ColumnElement[Any], sa.ColumnElement[Any]]":
    """What the pictures are ordered by, smallest first, and the value that is shown."""
    if wanted.sort == "image":
        return sa.literal(0.0), sa.null()
    if wanted.sort == "newest":
        return -_IMAGES.c.retrieved_at, sa.null()
    key = sa.func.coalesce(-_CHECKS.c.value if wanted.descending else _CHECKS.c.value, _LAST)
    return key, _CHECKS.c.value


def _place(row: Any) -> str:
    return f"{row['key']!r}~{row['image_id']}"


def _beyond(key: "sa.ColumnElement[Any]", place: str, *, backward: bool) -> "list[sa.ColumnElement[bool]]":
    if not place:
        return []
    number, mark, image_id = place.partition("~")
    try:
        value = float(number)
    except ValueError:
        mark = ""
    if not mark:
        raise InputError(f"{place!r} is no place in the gallery; begin at its first page")
    if backward:
        return [(key < value) | ((key == value) & (_IMAGES.c.image_id < image_id))]
    return [(key > value) | ((key == value) & (_IMAGES.c.image_id > image_id))]


def _card(row: Any, by_hand: bool) -> Card:
    return Card(row["image_id"], _name(row), row["status"], row["rule"], row["reason"], by_hand, row["value"])


def _name(row: Any) -> str:
    return str(row["title"] or Path(row["source_id"]).name)


def _web(url: str | None) -> bool:
    # An address from a list may begin with javascript:.
    return bool(url) and str(url).startswith(("https://", "http://"))
