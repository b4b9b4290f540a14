"""The requester's operations on workers themselves: blocks and messages; and on files, which MTurk gave up.

Takes in a Market and checked parameters; gives out the JSON of MTurk's answer. Each function is the operation
of the same name in MTurk's API reference, 2017-01-17. A worker need not have come here yet to be blocked:
Prolific's participants are known by their id before they arrive.

    >>> create_worker_block(market, {"WorkerId": "A2XYZ", "Reason": "a script"})        # doctest: +SKIP
    {}
"""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from photojury.annotate.marketplace import states
from photojury.annotate.marketplace.books import Market, lock_account
from photojury.annotate.marketplace.requesters.assignments import own_assignment
from photojury.annotate.marketplace.requesters.protocol import RequestError, page
from photojury.annotate.marketplace.site import messages
from photojury.annotate.marketplace.tables import assignments, blocks, hit_types, hits

Request = Mapping[str, Any]
Answer = dict[str, Any]

MOST_BLOCKS = 100_000
"""Of one requester (CreateWorkerBlock, API reference)."""

MOST_NOTIFIED = 100
"""Workers of one NotifyWorkers (API reference)."""


def create_worker_block(market: Market, request: Request) -> Answer:
    """Keep a worker from the requester's HITs; blocked again, the new reason stands."""
    worker_id, values = request["WorkerId"], {"reason": request["Reason"], "blocked_at": market.clock()}
    of_account = blocks.c.account == market.account
    with market.writing() as connection:
        lock_account(connection, market.account)
        change = sa.update(blocks).where(of_account, blocks.c.worker_id == worker_id).values(**values)
        if connection.execute(change).rowcount:
            return {}
        number = sa.select(sa.func.count()).select_from(blocks).where(of_account)
        if connection.execute(number).scalar_one() >= MOST_BLOCKS:
            raise RequestError("InvalidParameterValue", f"A requester can block up to {MOST_BLOCKS} workers.")
        row = {"account": market.account, "worker_id": worker_id, **values}
        connection.execute(sa.insert(blocks).values(**row))
    return {}


def delete_worker_block(market: Market, request: Request) -> Answer:
    """Let a worker in again; one who is not blocked stays as they are, without an error, as on MTurk."""
    this = (blocks.c.account == market.account) & (blocks.c.worker_id == request["WorkerId"])
    with market.writing() as connection:
        connection.execute(sa.delete(blocks).where(this))
    return {}


def list_worker_blocks(market: Market, request: Request) -> Answer:
    """Whom the requester has blocked, in the order of the blocks."""
    query = sa.select(blocks).where(blocks.c.account == market.account)
    rows, answer = page(market.rows, query, (blocks.c.blocked_at, blocks.c.worker_id), request)
    blocked = [{"WorkerId": row["worker_id"], "Reason": row["reason"]} for row in rows]
    return {**answer, "WorkerBlocks": blocked}


def notify_workers(market: Market, request: Request) -> Answer:
    """Send workers a message; those whose work the requester has not reviewed yet are not reached."""
    wanted = list(dict.fromkeys(request["WorkerIds"]))
    if not 1 <= len(wanted) <= MOST_NOTIFIED:
        raise RequestError(
            "InvalidParameterValue", f"NotifyWorkers takes 1 to {MOST_NOTIFIED} WorkerIds, not {len(wanted)}."
        )
    known = _reviewed(market, wanted)
    with market.writing() as connection:
        for worker_id in wanted:
            if worker_id in known:
                subject, text = request["Subject"], request["MessageText"]
                messages.tell(connection, market.account, worker_id, subject, text, market.clock())
    return {
        "NotifyWorkersFailureStatuses": [_failure(each) for each in wanted if each not in known],
    }


def get_file_upload_url(market: Market, request: Request) -> Answer:
    """Refused: no question here can ask for a file, as on MTurk since 2017-12-12."""
    own_assignment(market, request["AssignmentId"])
    raise RequestError(
        "InvalidParameterValue",
        f"The assignment {request['AssignmentId']} has no uploaded file for the question "
        f"{request['QuestionIdentifier'][:100]!r}: FileUploadAnswer is no longer supported. "
        "Let workers upload to a storage of your own from an HTMLQuestion.",
    )


def _reviewed(market: Market, worker_ids: list[str]) -> set[str]:
    """Those of the workers whose work this requester has approved or rejected."""
    query = (
        sa.select(assignments.c.worker_id)
        .join(hits, hits.c.hit_id == assignments.c.hit_id)
        .join(hit_types)
        .where(hit_types.c.account == market.account, assignments.c.status.in_(states.REVIEWED))
        .where(assignments.c.worker_id.in_(worker_ids))
        .distinct()
    )
    return {row["worker_id"] for row in market.rows(query)}


def _failure(worker_id: str) -> dict[str, str]:
    # MTurk's words (cloudyr/MTurkR issue 29).
    return {
        "NotifyWorkersFailureCode": "HardFailure",
        "NotifyWorkersFailureMessage": "Cannot send a notification to a worker who has not done any work for you",
        "WorkerId": worker_id,
    }
