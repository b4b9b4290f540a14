"""Requester accounts: keys that boto3 signs with, and the check of a signature (AWS Signature Version 4).

Takes in a request of the requester API; gives out the account that it speaks for. A secret key is derived from
the user's salt and the key's id whenever it is needed, so none is ever kept in a database.

    >>> account_of(market, "http://127.0.0.1:8700/", {}, b"{}")        # doctest: +SKIP
    'requester'
"""

import hashlib
import hmac
import secrets
import string
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from photojury.annotate.keys import own_key, secret_of
from photojury.annotate.marketplace.books import OWN_ACCOUNT, Market, open_account
from photojury.annotate.marketplace.tables import accounts
from photojury.datasets.raters import read_salt
from photojury.errors import InputError

SERVICE = "mturk-requester"

CLOCK_SKEW = 900.0
"""Seconds that a signature may be older or newer than this machine's time, as AWS has it."""

_COVERED = frozenset({"host", "x-amz-date", "x-amz-target"})
"""Headers that a signature must cover: without the last, it would be good for any operation."""

_ALGORITHM = "AWS4-HMAC-SHA256"
_ALPHABET = string.ascii_uppercase + string.digits


class AuthError(Exception):
    """A request that is not signed as it should be.

    Args:
        kind: the error's type, as AWS names it.
        message: one sentence.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind

    def body(self) -> dict[str, str]:
        """The JSON of the answer (HTTP 400)."""
        return {"__type": self.kind, "message": str(self)}


def account_of(market: Market, url: str, headers: Mapping[str, str], body: bytes) -> str:
    """The account that a POST to the requester API speaks for.

    A key that this marketplace has given out must sign rightly. Any other credentials speak for the study's
    own account while the marketplace serves this machine only (open mode), and for nobody otherwise.

    Raises:
        AuthError: the signature is missing, wrong, too old, or of an unknown key.
    """
    open_mode = not market.terms.public_url
    try:
        key_id, date, region, signed, signature = _authorization(headers)
    except AuthError:
        if open_mode:
            return OWN_ACCOUNT
        raise
    row = market.row(sa.select(accounts.c.name).where(accounts.c.key_id == key_id))
    if row is None:
        if open_mode:
            return OWN_ACCOUNT
        raise AuthError(
            "UnrecognizedClientException", "The security token included in the request is invalid."
        )
    when = headers.get("x-amz-date", "")
    _check_time(when, date)
    if headers.get("x-amz-content-sha256", "") not in ("", hashlib.sha256(body).hexdigest()):
        raise AuthError(
            "InvalidSignatureException", "The hash of the body is not that of the body that came."
        )
    request = AWSRequest("POST", url, {name: headers.get(name, "") for name in signed}, body)
    request.context["timestamp"] = when
    signer = SigV4Auth(Credentials(key_id, secret_of(key_id, read_salt())), SERVICE, region)
    expected = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
    if not hmac.compare_digest(expected.encode(), signature.encode()):
        raise AuthError(
            "InvalidSignatureException",
            "The request signature we calculated does not match the signature you provided. "
            "Check your AWS Secret Access Key and signing method.",
        )
    found: str = row["name"]
    return found


def add_account(market: Market, name: str) -> tuple[str, str]:
    """Make a requester account; returns its access key id and its secret key.

    Raises:
        InputError: there is an account of that name.
    """
    key_id = "PJ" + "".join(secrets.choice(_ALPHABET) for _ in range(18))
    with market.writing() as connection:
        if not open_account(connection, name, key_id, market.clock()):
            raise InputError(f"there is an account {name!r} already; see: photojury market accounts")
    return key_id, secret_of(key_id, read_salt())


def renew_key(market: Market, name: str) -> tuple[str, str]:
    """Give an account a new key; the old one opens nothing from now on.

    Raises:
        InputError: there is no account of that name.
    """
    key_id = "PJ" + "".join(secrets.choice(_ALPHABET) for _ in range(18))
    with market.writing() as connection:
        change = sa.update(accounts).where(accounts.c.name == name).values(key_id=key_id)
        if connection.execute(change.returning(accounts.c.name)).first() is None:
            raise InputError(f"there is no account {name!r}; see: photojury market accounts")
    return key_id, secret_of(key_id, read_salt())


def listed(market: Market) -> list[dict[str, Any]]:
    """All accounts: name, key_id, available and held in cents."""
    query = sa.select(accounts.c.name, accounts.c.key_id, accounts.c.available, accounts.c.held)
    return [dict(row) for row in market.rows(query.order_by(accounts.c.made_at, accounts.c.name))]


def give_own_key(market: Market) -> None:
    """Let the study's own account sign with the user's own key."""
    key_id, _ = own_key(read_salt())
    with market.writing() as connection:
        own = sa.update(accounts).where(accounts.c.name == OWN_ACCOUNT)
        connection.execute(own.values(key_id=key_id))


def _authorization(headers: Mapping[str, str]) -> tuple[str, str, str, list[str], str]:
    """Key id, date, region, signed headers and signature of an Authorization header."""
    algorithm, _, rest = headers.get("authorization", "").partition(" ")
    if not rest:
        raise AuthError("MissingAuthenticationTokenException", "Missing Authentication Token")
    parts = dict(part.strip().partition("=")[::2] for part in rest.split(","))
    scope = parts.get("Credential", "").split("/")
    if algorithm != _ALGORITHM or len(scope) != 5 or not parts.get("Signature"):
        raise AuthError(
            "IncompleteSignatureException", "The Authorization header is not a complete signature."
        )
    signed = parts.get("SignedHeaders", "").split(";")
    if not _COVERED <= set(signed) or scope[3:] != [SERVICE, "aws4_request"]:
        raise AuthError(
            "IncompleteSignatureException",
            f"The signature must be for {SERVICE} and cover the headers {', '.join(sorted(_COVERED))}.",
        )
    return scope[0], scope[1], scope[2], signed, parts["Signature"]


def _check_time(when: str, date: str) -> None:
    try:
        signed_at = datetime.strptime(when, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        signed_at = 0.0
    if abs(time.time() - signed_at) > CLOCK_SKEW or not when.startswith(date):
        raise AuthError("InvalidSignatureException", f"Signature expired: {when} is not now.")
