"""Connections: only to addresses that were looked at, with an end to every wait, and used again."""

import socket
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from zlib import crc32

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from photojury.collect.download.connections import Limits
from photojury.collect.download.fetching import Fetcher, Moved
from photojury.collect.download.troubles import NoPicture, NotNow
from tests.collect.download import pictures
from tests.collect.download.fault_server import FaultServer
from tests.collect.download.harness import stub

LOCAL = Limits(allow_loopback=True)


def fetched(url: str, limits: Limits = LOCAL, names: dict[str, list[str]] | None = None) -> bytes | Moved:
    fetcher = Fetcher(limits, "photojury/test", stub({"127.0.0.1": ["127.0.0.1"], **(names or {})}))
    try:
        return fetcher.get(url, lambda data: data)
    finally:
        fetcher.close()


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[object]]:
    """Every address that a socket was told to connect to."""
    places: list[object] = []
    real: Callable[..., None] = socket.socket.connect

    def connect(self: socket.socket, address: object) -> None:
        places.append(address)
        real(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)
    yield places


def test_names_of_public_addresses_only(connected: list[object]) -> None:
    """A name of a private, link-local or loopback address is refused before anything is sent."""
    for address in ("10.0.0.7", "169.254.169.254", "127.0.0.1", "::1", "::ffff:127.0.0.1", "fe80::1"):
        with pytest.raises(NoPicture, match="address") as caught:
            fetched("http://a.example/a.jpg", Limits(), {"a.example": [address]})
        assert (caught.value.state, caught.value.rule) == ("rejected", "private_address")
    assert connected == []


def test_one_bad_address_condemns_a_name(connected: list[object]) -> None:
    """Also where the first one that it stands for is public."""
    fetcher = Fetcher(Limits(), "x", lambda host, port, *rest: [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in ("8.8.8.8", "10.0.0.7")
    ])  # fmt: skip
    with pytest.raises(NoPicture):
        fetcher.get("http://a.example/", bytes)
    assert connected == []


def test_a_name_is_looked_up_once(server: FaultServer, connected: list[object]) -> None:
    """DNS rebinding: what is public when it is checked cannot be private when it is used; it is asked for once."""
    asked = []

    def rebinding(host: str, port: int, *_: object) -> list[object]:
        asked.append(host)
        address = "127.0.0.1" if len(asked) == 1 else "10.0.0.7"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    fetcher = Fetcher(LOCAL, "x", rebinding)
    url = server.url("/good/1.jpg", host="a.example")
    assert fetcher.get(url, len) == len(pictures.jpeg(crc32(b"/good/1.jpg")))
    assert asked == ["a.example"] and connected == [("127.0.0.1", server.port)]
    fetcher.close()
    # A new connection is a new look at the name, and it is private now.
    with pytest.raises(NoPicture, match=r"10\.0\.0\.7 is not a public address"):
        fetcher.get(url, len)
    assert len(connected) == 1


def test_the_peer_is_looked_at(server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever redirects a connection below us (a proxy on this machine) is noticed before anything is sent."""
    monkeypatch.setattr(socket.socket, "getpeername", lambda self: ("192.168.0.1", 80))
    with pytest.raises(NoPicture, match=r"192\.168\.0\.1 is not a public address"):
        fetched(server.url("/good/1.jpg"))
    assert server.asked == []


def test_the_second_address_is_tried(server: FaultServer) -> None:
    """A host of which one address does not answer."""
    fetcher = Fetcher(LOCAL, "x", lambda host, port, *_: [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in ("127.0.0.2", "127.0.0.1")
    ])  # fmt: skip
    with socket.socket() as other:  # so that nobody else has 127.0.0.2
        other.bind(("127.0.0.2", server.port))
        size = fetcher.get(server.url("/good/1.jpg", host="a.example"), len)
        assert size == len(pictures.jpeg(crc32(b"/good/1.jpg")))
    fetcher.close()


def test_the_environment_has_no_say(server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a proxy nor a .netrc of the environment is used."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    assert isinstance(fetched(server.url("/good/1.jpg")), bytes)


def test_connections_are_used_again(server: FaultServer) -> None:
    """Ten files, a redirect, a missing file, an empty one and a page: one connection."""
    fetcher = Fetcher(LOCAL, "photojury/test (me@example.org)")
    for number in range(10):
        fetcher.get(server.url(f"/good/{number}.jpg"), len)
    assert isinstance(fetcher.get(server.url("/far"), len), Moved)
    for path in ("/404", "/empty", "/page"):
        with pytest.raises((NoPicture, NotNow)):
            fetcher.get(server.url(path), len)
    fetcher.get(server.url("/good/11.jpg"), len)
    assert server.connections == 1
    assert server.agents == {"photojury/test (me@example.org)"}
    fetcher.close()


def test_nobody_is_followed(server: FaultServer) -> None:
    """A cookie that a server sets is not sent back to it."""
    fetcher = Fetcher(LOCAL, "x")
    fetcher.get(server.url("/cookie"), len)
    fetcher.get(server.url("/cookie"), len)
    assert server.cookies == []
    fetcher.close()


@pytest.mark.parametrize("path", ["/drip", "/drip-headers", "/silent"])
def test_every_wait_ends(server: FaultServer, path: str) -> None:
    """The deadline holds for headers and body together, however slowly they come."""
    began = time.monotonic()
    with pytest.raises(NotNow) as caught:
        fetched(server.url(path), Limits(allow_loopback=True, total=0.5))
    assert caught.value.rule == "too_slow" and caught.value.of_host
    assert time.monotonic() - began < 1.5


def test_a_slow_host_is_left(server: FaultServer) -> None:
    """A hundred bytes a second, where a thousand are asked for, end long before the deadline."""
    with pytest.raises(NotNow, match="bytes a second"):
        fetched(server.url("/drip"), Limits(allow_loopback=True, grace=0.3, slowest=1000))


def test_nobody_listens(server: FaultServer) -> None:
    """A refused connection and an unknown name may both be better tomorrow."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(NotNow, match="refused") as caught:
            fetched(f"http://127.0.0.1:{unused.getsockname()[1]}/")
    assert (caught.value.rule, caught.value.of_host) == ("connection", True)
    with pytest.raises(NotNow, match="name is not known") as caught:
        fetched("http://nowhere.example/")
    assert (caught.value.rule, caught.value.of_host) == ("dns", True)


def certificate(folder: Path, name: str) -> Path:
    """A certificate that signs itself, with its key, for one name."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    known_as = x509.IPAddress(ip_address(name)) if name[0].isdigit() else x509.DNSName(name)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([known_as]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    text = serialization.NoEncryption()
    kind = serialization.PrivateFormat.PKCS8
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, kind, text)
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


def test_tls(tmp_path: Path) -> None:
    """A host that proves who it is is believed; one that cannot, or is another, may have it mended tomorrow."""
    path = certificate(tmp_path, "a.example")
    trusting = Limits(allow_loopback=True, verify=str(path))
    names = {"a.example": ["127.0.0.1"], "b.example": ["127.0.0.1"]}
    with FaultServer(path) as server:
        good = server.url("/good/1.jpg", host="a.example")
        assert isinstance(fetched(good, trusting, names), bytes)
        for url, limits in ((good, LOCAL), (server.url("/good/1.jpg", host="b.example"), trusting)):
            with pytest.raises(NotNow, match="could not prove who it is") as caught:
                fetched(url, limits, names)
            assert (caught.value.rule, caught.value.of_host) == ("tls", True)
        with pytest.raises(NotNow):
            fetched(
                server.url("/drip", host="a.example"),
                Limits(allow_loopback=True, verify=str(path), total=0.5),
                names,
            )


def test_large_files_wait_for_each_other(server: FaultServer) -> None:
    """Of files over 8 MB no more than two are in memory, until what they are used for is done."""
    from concurrent.futures import ThreadPoolExecutor
    from threading import Lock

    server.body = pictures.jpeg() + bytes(9_000_000)
    fetcher = Fetcher(LOCAL, "x")
    lock, inside, most = Lock(), [0], [0]

    def use(data: bytes) -> int:
        with lock:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
        time.sleep(0.05)
        with lock:
            inside[0] -= 1
        return len(data)

    with ThreadPoolExecutor(6) as pool:
        sizes = list(pool.map(lambda n: fetcher.get(server.url(f"/good/{n}"), use), range(6)))
    assert set(sizes) == {len(server.body)}
    assert most[0] <= 2
    fetcher.close()
