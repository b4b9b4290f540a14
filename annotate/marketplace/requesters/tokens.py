"""UniqueRequestTokens: what keeps a request that is sent twice from being done twice, for 24 hours.

Takes in a request inside its transaction; gives out an error for a token that was used before.
"""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from photojury.annotate.marketplace.requesters.protocol import RequestError
from photojury.annotate.marketplace.tables import tokens
from photojury.datasets.store import add_rows

REMEMBERED = 24 * 3600.0
"""Seconds (UseRequestTokens, API reference)."""


def use_token(
    connection: sa.Connection, account: str, kind: str, request: Mapping[str, Any], made: str, now: float
) -> None:
    """Remember the token of a request, where it has one.

    Args:
        connection: of the transaction that does what the request asks for.
        account: whose token; two requesters may use the same one.
        kind: hit, extend or bonus: what the token keeps from being made twice.
        request: with or without UniqueRequestToken.
        made: the id of what this request makes.
        now: seconds since 1970.

    Raises:
        RequestError: the token was used within 24 hours; for a HIT the message holds the HITId.
    """
    token = request.get("UniqueRequestToken")
    if token is None:
        return
    key = (tokens.c.account == account) & (tokens.c.kind == kind) & (tokens.c.token == token)
    connection.execute(sa.delete(tokens).where(key, tokens.c.used_at <= now - REMEMBERED))
    row = {"account": account, "kind": kind, "token": token, "used_at": now, "made": made}
    if add_rows(connection, tokens, [row]):
        return
    first = connection.execute(sa.select(tokens.c.made).where(key)).scalar_one()
    if kind == "hit":
        raise RequestError(
            "HitAlreadyExists", f'The HIT {first} already exists for the UniqueRequestToken "{token}".'
        )
    raise RequestError("DuplicateRequest", f'The idempotency token "{token}" has already been processed.')
