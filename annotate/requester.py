"""The requester's side of a marketplace: boto3's `mturk` client, pointed at the study's target.

Takes in the settings; gives out a client, and its errors as photojury's, each one sentence.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
import botocore.config
import botocore.exceptions

from photojury.errors import ServiceError
from photojury.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_mturk import MTurkClient
else:
    MTurkClient = Any

# A marketplace that throttles is asked again, with growing pauses; one on this machine answers or is not there.
_PATIENCE, _LOCAL_PATIENCE = 8, 2


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

    AWS_ENDPOINT_URL_MTURK stands over market.target. The local marketplace takes any credentials, so none
    need be set for it; any other one gets those that boto3 finds.
    """
    target = settings.market.target
    local = f"http://127.0.0.1:{settings.market.port}"
    endpoint = os.environ.get("AWS_ENDPOINT_URL_MTURK") or (local if target == "local" else target)
    attempts = _LOCAL_PATIENCE if _on_this_machine(endpoint) else _PATIENCE
    config = botocore.config.Config(
        retries={"mode": "standard", "max_attempts": attempts}, connect_timeout=10, read_timeout=120
    )
    with service_errors(endpoint):
        session = boto3.session.Session(region_name="us-east-1")
        keyless = _on_this_machine(endpoint) and session.get_credentials() is None
        client = session.client(
            "mturk",
            endpoint_url=endpoint,
            config=config,
            aws_access_key_id="local" if keyless else None,
            aws_secret_access_key="local" if keyless else None,
        )
    return Requester(client, endpoint)


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
