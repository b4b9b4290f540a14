"""Which marketplace the suite runs against: any that --endpoint names, or else photojury's own in this process."""

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest

from tests.conformance.place import Place
from tests.conformance.wire import watch

Clock = Callable[[float], None]


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("conformance")
    group.addoption("--endpoint", metavar="URL", help="An MTurk-compatible marketplace to test.")
    group.addoption(
        "--second-key",
        metavar="ID:SECRET",
        help="Keys of a second requester there; the first's: AWS_ACCESS_...",
    )


@pytest.fixture(autouse=True, scope="session")
def only_loopback(request: pytest.FixtureRequest) -> Iterator[None]:
    """The suite's guard against the network, but for an endpoint that was asked for by name."""
    if not _option(request, "endpoint"):
        request.getfixturevalue("only_loopback")
    yield


@pytest.fixture(scope="module")
def _own(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Our own marketplace, one for each file; None where another one is tested."""
    if _option(request, "endpoint"):
        yield None
        return
    from tests.annotate.marketplace.live import running

    folder = tmp_path_factory.mktemp("conformance")
    with running(f"sqlite:///{folder / 'study.db'}", folder / "images") as live:
        yield live


@pytest.fixture(scope="module")
def place(request: pytest.FixtureRequest, _own: Any) -> Iterator[Place]:
    """The marketplace under test, as a requester."""
    url = _own.url if _own else str(_option(request, "endpoint")).rstrip("/")
    client = watch(boto3.client("mturk", region_name="us-east-1", endpoint_url=url))
    place = Place(url, client, _courier(_own) if _own else lambda: None)
    yield place
    place.close()
    client.close()


@pytest.fixture
def clock(_own: Any) -> Clock:
    """Puts the marketplace's clock ahead by so many seconds."""
    if _own is None:
        pytest.skip("the clock of a marketplace elsewhere cannot be moved; run without --endpoint")
    move: Clock = _own.clock.move
    return move


@pytest.fixture(scope="module")
def second(request: pytest.FixtureRequest, _own: Any, place: Place) -> Iterator[Any]:
    """A client of another requester of the same marketplace."""
    if _own:
        yield watch(_own.requester("second"))
        return
    if not _option(request, "second_key"):
        pytest.skip("a second requester is needed: give --second-key ID:SECRET")
    key_id, _, secret = str(_option(request, "second_key")).partition(":")
    client = boto3.client(
        "mturk",
        region_name="us-east-1",
        endpoint_url=place.url,
        aws_access_key_id=key_id,
        aws_secret_access_key=secret,
    )
    yield watch(client)
    client.close()


def _courier(own: Any) -> Callable[[], object]:
    """What the server's background thread does, for the marketplace in this process, which has none."""
    from photojury.annotate.marketplace import events
    from photojury.annotate.marketplace.books import Market

    return lambda: events.deliver(Market(own.engine, own.images, own.clock))


def _option(request: pytest.FixtureRequest, name: str) -> str | None:
    # Where the whole suite is run, this file is read too late for its options to be known.
    value: str | None = request.config.getoption(name, None)
    return value
