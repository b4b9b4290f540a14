"""Who works here: workers made and known again, by cookie, by invitation, by Prolific; what they agreed to.

Takes in a Market and the secret of a cookie or a link; gives out worker ids. A worker id is a capital A, then
capital letters and digits, as MTurk's are.

    >>> join(market, "the cookie's secret", came_by="open")        # doctest: +SKIP
    'A2K7Q...'
"""

import hashlib
import secrets
import string
from collections.abc import Mapping

import sqlalchemy as sa

from photojury.annotate.marketplace import tables
from photojury.annotate.marketplace.books import Market, Terms
from photojury.annotate.marketplace.tables import invitations, sessions, visits, workers
from photojury.datasets.prolific import worker_id_of
from photojury.datasets.raters import SIMULATED
from photojury.datasets.store import add_rows

# What a forgotten worker leaves behind without a name, and what goes with them.
_KEPT = (tables.assignments, tables.bonuses, tables.transactions)
_FORGOTTEN = (
    tables.sessions,
    tables.invitations,
    tables.visits,
    tables.messages,
    tables.qualifications,
    tables.qualification_requests,
    tables.blocks,
    tables.workers,
)

_ALPHABET = string.ascii_uppercase + string.digits


def join(market: Market, session: str, *, came_by: str) -> str:
    """Make a worker who is known by a session (the secret in the cookie); returns the worker's id.

    Args:
        market: the marketplace.
        session: the secret.
        came_by: open, invitation or simulated.
    """
    with market.writing() as connection:
        worker_id = _make(connection, market, _new_worker_id(came_by), came_by)
        _remember(connection, market, session, worker_id)
    return worker_id


def worker_of(market: Market, session: str) -> sa.RowMapping | None:
    """The worker whose cookie this is, or None."""
    if not session:
        return None
    query = sa.select(workers).join(sessions, sessions.c.worker_id == workers.c.worker_id)
    return market.row(query.where(sessions.c.session == digest(session)))


def leave(market: Market, session: str) -> None:
    """Forget a session: the cookie opens nothing any more."""
    with market.writing() as connection:
        connection.execute(sa.delete(sessions).where(sessions.c.session == digest(session)))


def invite(market: Market, number: int) -> list[str]:
    """Make invitations; returns their secrets, which stand nowhere else."""
    made = [secrets.token_urlsafe(24) for _ in range(number)]
    rows = [{"invitation": digest(secret), "made_at": market.clock()} for secret in made]
    with market.writing() as connection:
        add_rows(connection, invitations, rows)
    return made


def redeem(market: Market, invitation: str, session: str) -> str | None:
    """Let the bearer of an invitation in: at first use as a new worker, afterwards as that same worker.

    Returns:
        The worker's id; None where there is no such invitation.
    """
    this = invitations.c.invitation == digest(invitation)
    with market.writing() as connection:
        row = connection.execute(sa.select(invitations).where(this).with_for_update()).mappings().first()
        if row is None:
            return None
        worker_id: str | None = row["worker_id"]
        if worker_id is None:
            worker_id = _make(connection, market, _new_worker_id("invitation"), "invitation")
            connection.execute(sa.update(invitations).where(this).values(worker_id=worker_id))
        _remember(connection, market, session, worker_id)
    return worker_id


def arrive(market: Market, given: Mapping[str, str], hit_id: str, session: str) -> str:
    """Let someone in whom Prolific has sent to one HIT; the same person is the same worker every time.

    Args:
        market: the marketplace.
        given: PROLIFIC_PID, STUDY_ID and SESSION_ID, as Prolific puts them into the address.
        hit_id: the HIT whose place this person takes.
        session: the secret of the cookie.

    Raises:
        InputError: PROLIFIC_PID is no Prolific id.
    """
    worker_id = worker_id_of(given["PROLIFIC_PID"])
    visit = {
        "provider": "prolific",
        "session_id": given["SESSION_ID"],
        "study_id": given["STUDY_ID"],
        "worker_id": worker_id,
        "hit_id": hit_id,
        "came_at": market.clock(),
    }
    with market.writing() as connection:
        _make(connection, market, worker_id, "prolific")
        add_rows(connection, visits, [visit])
        _remember(connection, market, session, worker_id)
    return worker_id


def sent_by(market: Market, worker_id: str, hit_id: str) -> sa.RowMapping | None:
    """The visit by which a provider has sent this worker to this HIT, the last one; or None."""
    query = sa.select(visits).where(visits.c.worker_id == worker_id, visits.c.hit_id == hit_id)
    return market.row(query.order_by(visits.c.came_at.desc()).limit(1))


def must_agree(market: Market, worker: sa.RowMapping) -> bool:
    """Whether the consent text, as it is now, is still to be agreed to by this worker."""
    return bool(market.terms.consent) and worker["consented_to"] != consent_digest(market.terms)


def agree(market: Market, worker_id: str) -> None:
    """Note that a worker agrees to the consent text as it is now, and when."""
    now = {"consented_to": consent_digest(market.terms), "consented_at": market.clock()}
    with market.writing() as connection:
        connection.execute(sa.update(workers).where(workers.c.worker_id == worker_id).values(**now))


def describe(
    market: Market, worker_id: str, *, country: str | None, subdivision: str | None, adult: bool
) -> None:
    """Note what a worker says of themselves, for Worker_Locale and Worker_Adult."""
    said = {"country": country, "subdivision": subdivision, "adult": adult}
    with market.writing() as connection:
        connection.execute(sa.update(workers).where(workers.c.worker_id == worker_id).values(**said))


def forget(market: Market, worker_id: str) -> str | None:
    """Make a worker unknown: what they handed in stays under a new random id that leads to nobody.

    Their sessions, invitation, visits, messages, qualifications and what they said of themselves are deleted.

    Returns:
        The random id; None where there is no such worker.
    """
    new = "A0" + "".join(secrets.choice(_ALPHABET) for _ in range(12))
    with market.writing() as connection:
        known = sa.select(tables.workers.c.came_by).where(tables.workers.c.worker_id == worker_id)
        came_by = connection.execute(known).scalar_one_or_none()
        if came_by is None:
            return None
        _make(connection, market, new, came_by)
        for table in _KEPT:
            mine = sa.update(table).where(table.c.worker_id == worker_id)
            connection.execute(mine.values(worker_id=new))
        for table in _FORGOTTEN:
            connection.execute(sa.delete(table).where(table.c.worker_id == worker_id))
    return new


def consent_digest(terms: Terms) -> str:
    """What tells one consent text from another."""
    return digest("\n".join([terms.consent_title, *terms.consent]))


def digest(secret: str) -> str:
    """What the database keeps of a secret: who reads it must not be able to act as a worker."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _new_worker_id(came_by: str) -> str:
    # A digit follows the A of people's ids, so none of them begins like a simulated one or Prolific's.
    start = SIMULATED if came_by == "simulated" else f"A{secrets.choice('123')}"
    return start + "".join(secrets.choice(_ALPHABET) for _ in range(12))


def _make(connection: sa.Connection, market: Market, worker_id: str, came_by: str) -> str:
    row = {"worker_id": worker_id, "joined_at": market.clock(), "came_by": came_by, "adult": False}
    add_rows(connection, workers, [row])
    return worker_id


def _remember(connection: sa.Connection, market: Market, session: str, worker_id: str) -> None:
    row = {"session": digest(session), "worker_id": worker_id, "made_at": market.clock()}
    add_rows(connection, sessions, [row])
