"""Extension: more assignments for HITs that are out, exactly once.

Takes in a study and a requester; writes hits.max_assignments. How far an extension goes is written down for all
HITs of it, as hits.extend_to, before the first call. A run that was killed is run again and goes on: GetHIT
tells whether a HIT has that many assignments already, however long ago the call was; within 24 hours the
UniqueRequestToken, derived from the HIT and from where the extension goes, also keeps two runs that extend at
the same time from adding them twice.

    >>> extend(study, connect(study.settings), by=2, batch="stars-1")       # doctest: +SKIP
    Extended(hits=72, begun_before=False)
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from botocore.exceptions import ClientError

from photojury.annotate.control import hits_out, look, mark, renew
from photojury.annotate.money.budget import check_budget
from photojury.annotate.requester import Requester, service_errors
from photojury.datasets import tables
from photojury.datasets.money import MANY_ASSIGNMENTS, cost_of_hits
from photojury.datasets.store import Study
from photojury.errors import InputError

Row = Mapping[str, Any]

_HITS = tables.hits


@dataclass(frozen=True)
class Extended:
    """How many HITs have more assignments now, and whether this only finished what an earlier run had begun."""

    hits: int
    begun_before: bool


def extendable(study: Study, requester: Requester, by: int, batch: str | None = None) -> list[Row]:
    """The HITs that an extension would change; none where an interrupted one is to be finished first.

    Raises:
        InputError: there is no such batch; not all of it is published, or it is closed; or the marketplace's rule
            forbids it: a HIT made with fewer than 10 assignments cannot reach 10 (CreateAdditionalAssignmentsForHIT,
            API reference).
    """
    hits = hits_out(study, requester, batch, ("planned", "publishing", "published", "paused"))
    if any(hit["extend_to"] is not None for hit in hits):
        return []
    waiting = sorted({hit["batch"] for hit in hits if hit["state"] in ("planned", "publishing")})
    if waiting:
        raise InputError(
            f"not all of {', '.join(waiting)} is published; first: photojury annotate publish, "
            "or name another batch with --batch"
        )
    most = max(
        (hit["max_assignments"] for hit in hits if hit["max_assignments"] < MANY_ASSIGNMENTS), default=0
    )
    if most and most + by >= MANY_ASSIGNMENTS:
        names = sorted({hit["batch"] for hit in hits if hit["max_assignments"] == most})
        room = MANY_ASSIGNMENTS - 1 - most
        raise InputError(
            f"{', '.join(names)} cannot go from {most} to {most + by} assignments: a HIT made with fewer than "
            f"{MANY_ASSIGNMENTS} never reaches {MANY_ASSIGNMENTS}, where the fee rises. "
            + (f"Extend by at most {room}, or plan" if room else "Plan")
            + f" a further batch: photojury annotate plan {hits[0]['task']} --again"
        )
    return hits


def extend(
    study: Study,
    requester: Requester,
    by: int,
    batch: str | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> Extended:
    """Offer every published HIT to `by` more raters; where an extension was interrupted, finish that one instead.

    Raises:
        InputError: as `extendable`.
        Refused: the study's budget does not allow it.
        ServiceError: the marketplace refused or does not answer.
    """
    new = extendable(study, requester, by, batch)
    if new:
        check_budget(study, cost_of_hits(new, study.settings.market.fee_percent, by))
        _write_down(study, new, by)
    begun = [
        hit
        for hit in hits_out(study, requester, batch, ("published", "paused"))
        if hit["extend_to"] is not None
    ]
    for done, hit in enumerate(begun, 1):
        _extend(study, requester, hit)
        progress(done)
    return Extended(len(begun), begun_before=not new)


def _write_down(study: Study, hits: list[Row], by: int) -> None:
    with study.writing() as connection:
        for hit in hits:
            # Of two runs that get here at once, the second finds nothing to change.
            this = (_HITS.c.hit_key == hit["hit_key"]) & _HITS.c.extend_to.is_(None)
            same = _HITS.c.max_assignments == hit["max_assignments"]
            to = hit["max_assignments"] + by
            connection.execute(sa.update(_HITS).where(this, same).values(extend_to=to))


def _extend(study: Study, requester: Requester, hit: Row) -> None:
    to, now = hit["extend_to"], look(requester, hit)
    missing = to - now["MaxAssignments"]
    if missing > 0:
        with service_errors(requester.endpoint):
            try:
                requester.client.create_additional_assignments_for_hit(
                    HITId=hit["hit_id"],
                    NumberOfAdditionalAssignments=missing,
                    UniqueRequestToken=_token(hit),
                )
            except ClientError:
                # An answer that was lost on its way: the same call, made again, is refused for its token.
                if look(requester, hit)["MaxAssignments"] < to:
                    raise
    if hit["state"] == "published" and now["Expiration"] <= datetime.now(UTC):
        renew(study, requester, hit)  # its time is over: without this, nobody would see what is added
    mark(study, hit["hit_key"], max_assignments=max(to, now["MaxAssignments"]), extend_to=None)


def _token(hit: Row) -> str:
    text = f"{hit['request_token']}\x1fextend\x1f{hit['extend_to']}"
    return hashlib.sha256(text.encode()).hexdigest()[:40]
