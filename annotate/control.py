"""Control of HITs that are out: pause them, offer them again, close them for good.

Takes in a study and a requester; changes the HITs' expiry at the marketplace and their state in the store. The
call comes first and the state after it, and every call may be made twice, so that a run that was killed is
simply run again.

    >>> pause(study, connect(study.settings), batch="stars-1")      # doctest: +SKIP
    Controlled(hits=72, in_hand=3)
"""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from botocore.exceptions import ClientError

from photojury.annotate.fetch import in_hand
from photojury.annotate.requester import Requester, service_errors
from photojury.datasets import tables
from photojury.datasets.store import Study
from photojury.errors import InputError

Row = Mapping[str, Any]

_HITS = tables.hits

# Any time that is over ends a HIT at once (UpdateExpirationForHIT, API reference).
_LONG_AGO = datetime.fromtimestamp(0, UTC)

# Seconds between two looks while waiting for people to finish.
_LOOK = 2.0


@dataclass(frozen=True)
class Controlled:
    """How many HITs were changed, and how many assignments of the batch people still have in hand."""

    hits: int
    in_hand: int


def pause(
    study: Study,
    requester: Requester,
    batch: str | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> Controlled:
    """Let nobody new accept the published HITs; who has one in hand may finish it.

    Raises:
        InputError: there is no such batch, or nothing of it is published.
        ServiceError: the marketplace refused or does not answer.
    """
    hits = hits_out(study, requester, batch, ("published", "paused"))
    held = _end(study, requester, hits, "paused", progress)
    return Controlled(sum(hit["state"] != "paused" for hit in hits), sum(held.values()))


def resume(
    study: Study,
    requester: Requester,
    batch: str | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> Controlled:
    """Offer paused HITs again, and those whose time is over, for another market.lifetime_hours.

    Raises:
        InputError: there is no such batch, or nothing of it is published.
        ServiceError: the marketplace refused or does not answer.
    """
    hits = hits_out(study, requester, batch, ("published", "paused"))
    renewed = held = 0
    for done, hit in enumerate(hits, 1):
        now = look(requester, hit)
        if hit["state"] == "paused" or now["Expiration"] <= datetime.now(UTC):
            renew(study, requester, hit)
            renewed += 1
        held += now["NumberOfAssignmentsPending"]
        progress(done)
    return Controlled(renewed, held)


def close(
    study: Study,
    requester: Requester,
    batch: str | None = None,
    *,
    wait: float = 0.0,
    progress: Callable[[int], None] = lambda done: None,
) -> Controlled:
    """Let nobody accept the HITs ever again; `fetch` then brings in the last answers and closes them.

    Args:
        study: the open study.
        requester: of the marketplace that has the HITs.
        batch: only this one.
        wait: seconds to wait, at most, until nobody has one in hand.
        progress: called with the number of HITs done.

    Raises:
        InputError: there is no such batch, or nothing of it is published.
        ServiceError: the marketplace refused or does not answer.
    """
    hits = hits_out(study, requester, batch, ("published", "paused", "closing"))
    held = _end(study, requester, hits, "closing", progress)
    until = time.monotonic() + wait
    while any(held.values()) and (left := until - time.monotonic()) > 0:
        time.sleep(min(_LOOK, left))
        held = {hit_id: in_hand(requester, hit_id) for hit_id, count in held.items() if count}
    return Controlled(sum(hit["state"] != "closing" for hit in hits), sum(held.values()))


def hits_out(study: Study, requester: Requester, batch: str | None, states: Collection[str]) -> list[Row]:
    """The HITs of one batch, or of all, that are at this marketplace in one of the states, in planned order.

    Raises:
        InputError: there is no such batch, none of its HITs is in these states, or another marketplace has them.
    """
    query = sa.select(_HITS).order_by(_HITS.c.batch, _HITS.c.hit_key)
    rows: list[Row] = [*study.rows(query if batch is None else query.where(_HITS.c.batch == batch))]
    if not rows and batch is not None:
        known = sorted({row["batch"] for row in study.rows(sa.select(_HITS.c.batch))})
        raise InputError(f"there is no batch {batch}; there are {', '.join(known) or 'none'}")
    found = [row for row in rows if row["state"] in states]
    if not found:
        raise InputError(f"no HIT is {' or '.join(states)}; look at: photojury annotate status")
    elsewhere = {row["marketplace"] for row in found if row["hit_id"]} - {requester.name}
    if elsewhere:
        raise InputError(
            f"HITs of {', '.join(sorted({row['batch'] for row in found}))} are at {', '.join(sorted(elsewhere))}, "
            f"not at {requester.name}; set market.target to where they are"
        )
    return found


def look(requester: Requester, hit: Row) -> Any:
    """A HIT as the marketplace has it now, in the form of GetHIT's answer."""
    with service_errors(requester.endpoint):
        return requester.client.get_hit(HITId=hit["hit_id"])["HIT"]


def renew(study: Study, requester: Requester, hit: Row) -> None:
    """Offer a HIT for market.lifetime_hours from now on."""
    until = datetime.fromtimestamp(time.time() + study.settings.market.lifetime_hours * 3600, UTC)
    with service_errors(requester.endpoint):
        requester.client.update_expiration_for_hit(HITId=hit["hit_id"], ExpireAt=until)
    mark(study, hit["hit_key"], state="published")


def mark(study: Study, hit_key: str, **columns: object) -> None:
    """Write columns of one HIT."""
    with study.writing() as connection:
        connection.execute(sa.update(_HITS).where(_HITS.c.hit_key == hit_key).values(**columns))


def _end(
    study: Study, requester: Requester, hits: Collection[Row], state: str, progress: Callable[[int], None]
) -> dict[str, int]:
    """Expire HITs now and write their state; returns how many assignments are in hand, by hit id."""
    held: dict[str, int] = {}
    for done, hit in enumerate(hits, 1):
        _expire(requester, hit)
        now = look(requester, hit)
        # What the marketplace says also settles an extension that was interrupted, where the HIT is closed.
        settled = {"max_assignments": now["MaxAssignments"], "extend_to": None} if state == "closing" else {}
        mark(study, hit["hit_key"], state=state, **settled)
        held[hit["hit_id"]] = now["NumberOfAssignmentsPending"]
        progress(done)
    return held


def _expire(requester: Requester, hit: Row) -> None:
    with service_errors(requester.endpoint):
        try:
            requester.client.update_expiration_for_hit(HITId=hit["hit_id"], ExpireAt=_LONG_AGO)
        except ClientError:
            # What the marketplace has disposed of cannot be accepted either.
            if look(requester, hit)["HITStatus"] != "Disposed":
                raise
