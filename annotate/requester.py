"""The requester's side of a marketplace: boto3's `mturk` client, pointed at the study's target.

Takes in the settings; gives out a client, and its errors as photojury's, each one sentence. market.target is
`local`, the URL of any MTurk-compatible requester API, or one of Mechanical Turk's own names:

    >>> endpoint_of("mturk-sandbox", port=8700)
    'https://mturk-requester-sandbox.us-east-1.amazonaws.com'
"""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
import botocore.config
import botocore.exceptions

from photojury.annotate.keys import own_key
from photojury.annotate.patience import Patience
from photojury.datasets.raters import read_salt
from photojury.errors import ServiceError, SettingsError
from photojury.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_mturk import MTurkClient
else:
    MTurkClient = Any

log = logging.getLogger(__name__)

MTURK = {
    "mturk": "https://mturk-requester.us-east-1.amazonaws.com",
    "mturk-sandbox": "https://mturk-requester-sandbox.us-east-1.amazonaws.com",
}
"""Mechanical Turk's endpoints, for whoever has them answered by something else; Amazon's own are closed."""

# A marketplace far away is given minutes; one on this machine is asked again soon, and is there or is not.
_PATIENCE = Patience(attempts=16, absent=5, first=1.0, longest=20.0)
_LOCAL_PATIENCE = Patience(attempts=16, absent=2, first=0.01, longest=0.25)


@dataclass(frozen=True)
class Requester:
    """A client, where it points, and the name under which the store knows that place."""

    client: MTurkClient
    endpoint: str

    @property
    def name(self) -> str:
        """The endpoint; "local" for every port of this machine, since its marketplace lives in the study."""
        return "local" if _on_this_machine(self.endpoint) else self.endpoint


def connect(settings: Settings) -> Requester:
    """A client for the study's marketplace.

    AWS_ENDPOINT_URL_MTURK stands over market.target. The local marketplace knows the user's own key, so none
    need be set for it; any other one gets those that boto3 finds.

    Raises:
        SettingsError: market.target names no requester API.
        ServiceError: the client cannot be made.
    """
    named = os.environ.get("AWS_ENDPOINT_URL_MTURK")
    endpoint = named or endpoint_of(settings.market.target, settings.market.port)
    # Patience takes the place of botocore's own retries.
    config = botocore.config.Config(
        retries={"mode": "standard", "total_max_attempts": 1}, connect_timeout=10, read_timeout=120
    )
    with service_errors(endpoint):
        session = boto3.session.Session(region_name="us-east-1")
        keyless = _on_this_machine(endpoint) and session.get_credentials() is None
        key_id, secret = own_key(read_salt()) if keyless else (None, None)
        client = session.client(
            "mturk",
            endpoint_url=endpoint,
            config=config,
            aws_access_key_id=key_id,
            aws_secret_access_key=secret,
        )
    patience = _LOCAL_PATIENCE if _on_this_machine(endpoint) else _PATIENCE
    # The stubs say that handlers return nothing; this event's return a pause (botocore.endpoint, _needs_retry).
    client.meta.events.register("needs-retry.mturk", patience)  # type: ignore[arg-type]
    return Requester(client, endpoint)


def endpoint_of(target: str, port: int) -> str:
    """The address that a market.target stands for.

    Args:
        target: local, mturk, mturk-sandbox, or a URL.
        port: of the local marketplace.

    Raises:
        SettingsError: it is prolific, which has no requester API, or no name and no URL.
    """
    if target == "local":
        return f"http://127.0.0.1:{port}"
    if target in MTURK:
        log.warning(
            'Amazon closed Mechanical Turk on 2026-09-30: expect no answer from market.target = "%s"; '
            '"local" is the marketplace that photojury brings along',
            target,
        )
        return MTURK[target]
    if target == "prolific":
        raise SettingsError(
            "market.target: Prolific sends raters, and the HITs stay in your own marketplace; write "
            'target = "local", then recruit with: photojury annotate prolific'
        )
    if not target.startswith(("http://", "https://")):
        raise SettingsError(
            f'market.target is "{target}"; write local, mturk, mturk-sandbox, or a URL like https://host'
        )
    return target


@contextmanager
def service_errors(endpoint: str) -> Iterator[None]:
    """Turn boto3's errors into a ServiceError that says what to do."""
    try:
        yield
    except botocore.exceptions.ClientError as error:
        raise ServiceError(f"the marketplace at {endpoint} refused: {_message(error)}") from error
    except botocore.exceptions.NoCredentialsError:
        raise ServiceError(
            f"the marketplace at {endpoint} asks for AWS credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        ) from None
    except (botocore.exceptions.EndpointConnectionError, botocore.exceptions.ConnectTimeoutError) as error:
        raise ServiceError(
            f"the marketplace at {endpoint} does not answer; start it in another terminal: photojury market serve"
        ) from error
    except botocore.exceptions.BotoCoreError as error:
        raise ServiceError(f"the marketplace at {endpoint}: {error}") from error
    except ValueError as error:
        # boto3's word for an endpoint that is no URL.
        raise ServiceError(f"market.target: {error}; write local, or a URL like https://host") from error


def _on_this_machine(endpoint: str) -> bool:
    host = urlsplit(endpoint).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")


def turk_code(error: botocore.exceptions.ClientError) -> str:
    """MTurk's own error code ("AWS.MechanicalTurk.…"), in lower case, since its spelling has varied."""
    return str(error.response.get("TurkErrorCode", "")).lower()


def _message(error: botocore.exceptions.ClientError) -> str:
    response = error.response
    return str(response.get("Message") or response.get("Error", {}).get("Message") or error)
