"""The fault server, for all tests of downloading."""

from collections.abc import Iterator

import pytest

from tests.collect.download.fault_server import FaultServer


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultServer]:
    """A fault server on this machine, which may be asked."""
    monkeypatch.setenv("PHOTOJURY_ALLOW_LOOPBACK", "1")
    with FaultServer() as server:
        yield server
