"""Requester accounts: whom a signature speaks for, and what is refused."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from photojury.annotate.keys import own_key, secret_of
from photojury.annotate.marketplace.books import Market, Terms
from photojury.annotate.marketplace.requesters.accounts import add_account, listed, renew_key
from photojury.errors import InputError
from tests.annotate.marketplace.live import Live, running

PUBLIC = "https://jury.example.org"
BALANCE = "MTurkRequesterServiceV20170117.GetAccountBalance"


@pytest.fixture
def public(tmp_path: Path) -> Iterator[Live]:
    """A marketplace behind a reverse proxy: every request must be signed."""
    terms = Terms(public_url=PUBLIC)
    with running(f"sqlite:///{tmp_path / 'study.db'}", tmp_path / "images", terms) as live:
        yield live


def market(live: Live) -> Market:
    return Market(live.engine, live.images, live.clock)


def client(live: Live, key: tuple[str, str]) -> Any:
    return boto3.client(
        "mturk",
        region_name="us-east-1",
        endpoint_url=live.url,
        aws_access_key_id=key[0],
        aws_secret_access_key=key[1],
    )


def refused(live: Live, key: tuple[str, str]) -> str:
    with pytest.raises(ClientError) as caught:
        client(live, key).get_account_balance()
    return str(caught.value.response["Error"]["Code"])


def signed(key: tuple[str, str], url: str, body: bytes = b"{}") -> dict[str, str]:
    """The headers of a request that botocore has signed."""
    request = AWSRequest("POST", url + "/", {"X-Amz-Target": BALANCE}, body)
    SigV4Auth(Credentials(*key), "mturk-requester", "us-east-1").add_auth(request)
    return dict(request.headers.items())


def test_each_account_has_its_own_money(public: Live) -> None:
    """Two accounts and the study's own: what one spends is not missing from another; keys can be renewed."""
    first, second = add_account(market(public), "first"), add_account(market(public), "second")
    client(public, first).create_hit(
        Title="T", Description="D", Reward="1.00", LifetimeInSeconds=60, AssignmentDurationInSeconds=60,
        Question=public_question(),
    )  # fmt: skip
    left = [client(public, key).get_account_balance()["AvailableBalance"] for key in (first, second)]
    assert left == ["9998.80", "10000.00"]
    assert client(public, own_key("salt of the tests")).get_account_balance()["OnHoldBalance"] == "0.00"
    fresh = renew_key(market(public), "first")
    assert refused(public, first) == "UnrecognizedClientException"
    assert client(public, fresh).get_account_balance()["AvailableBalance"] == "9998.80"
    names = [row["name"] for row in listed(market(public))]
    assert sorted(names) == ["first", "requester", "second"]
    with pytest.raises(InputError, match="there is an account 'first' already"):
        add_account(market(public), "first")
    with pytest.raises(InputError, match="there is no account 'third'"):
        renew_key(market(public), "third")


def public_question() -> str:
    from tests.annotate.marketplace.live import html_question

    return html_question()


def test_no_secret_is_kept(public: Live) -> None:
    """The database holds key ids and no secret."""
    key_id, secret = add_account(market(public), "first")
    database = Path(str(public.engine.url.database))
    with public.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    content = database.read_bytes()
    assert key_id.encode() in content
    assert secret.encode() not in content


def test_a_wrong_signature_is_refused(public: Live) -> None:
    """A wrong secret, an unknown key, and no signature each get AWS's error."""
    key_id, _ = add_account(market(public), "first")
    assert refused(public, (key_id, "wrong")) == "InvalidSignatureException"
    assert refused(public, ("AKIAUNKNOWN", "secret")) == "UnrecognizedClientException"
    bare = requests.post(public.url, "{}", headers={"X-Amz-Target": BALANCE}, timeout=10)
    assert (bare.status_code, bare.json()["__type"]) == (400, "MissingAuthenticationTokenException")


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"Authorization": "AWS4-HMAC-SHA256 Credential=x"}, "IncompleteSignatureException"),
        ({"X-Amz-Date": "20200101T000000Z"}, "InvalidSignatureException"),
        ({"X-Amz-Date": "soon"}, "InvalidSignatureException"),
        ({"X-Amz-Content-SHA256": hashlib.sha256(b"other").hexdigest()}, "InvalidSignatureException"),
        ({"X-Amz-Target": "MTurkRequesterServiceV20170117.ListHITs"}, "InvalidSignatureException"),
    ],
)
def test_what_was_changed_after_signing_is_refused(public: Live, change: dict[str, str], kind: str) -> None:
    """Headers of a signed request that are changed, and an old date, are refused."""
    headers = signed(add_account(market(public), "first"), public.url)
    answer = requests.post(public.url, "{}", headers={**headers, **change}, timeout=10)
    assert (answer.status_code, answer.json()["__type"]) == (400, kind)


def test_a_changed_body_is_refused(public: Live) -> None:
    """The signature covers the body."""
    headers = signed(add_account(market(public), "first"), public.url)
    assert requests.post(public.url, "{}", headers=headers, timeout=10).ok
    answer = requests.post(public.url, '{"a": 1}', headers=headers, timeout=10)
    assert answer.json()["__type"] == "InvalidSignatureException"


def test_on_this_machine_any_key_will_do(live: Live) -> None:
    """In open mode unknown keys speak for the study's own account, but a known one must sign rightly."""
    key_id, secret = add_account(market(live), "first")
    live.hit()
    assert client(live, ("anything", "goes")).list_hits()["NumResults"] == 1
    assert client(live, (key_id, secret)).list_hits()["NumResults"] == 0
    assert refused(live, (key_id, "wrong")) == "InvalidSignatureException"


def test_a_strange_host_is_refused(public: Live, live: Live) -> None:
    """A page that rebinds its name to this machine does not get in; the public name does."""
    for site, host, status in (
        (live, "evil.example", 400),
        (public, "evil.example", 400),
        (public, "jury.example.org", 200),
    ):
        assert requests.get(site.url, headers={"Host": host}, timeout=10).status_code == status


def test_secrets_derive_from_the_salt() -> None:
    """Another salt or another key id gives another secret; the same ones the same."""
    assert secret_of("PJONE", "a") == secret_of("PJONE", "a")
    assert len({secret_of("PJONE", "a"), secret_of("PJONE", "b"), secret_of("PJTWO", "a")}) == 3
