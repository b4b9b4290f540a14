"""Which addresses may be fetched at all."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photojury.collect.download import safety

ALLOWED = [
    "http://example.org/a.jpg",
    "HTTPS://Example.org:443/a%20b.jpg?x=1#y",
    "https://example.org:8443/",
    "http://bücher.example/ü.jpg",
    "http://8.8.8.8/a.jpg",
    "http://[2606:4700:4700::1111]/a.jpg",
]

REFUSED = {
    "file:///etc/hostname": "begins with file:",
    "ftp://example.org/a.jpg": "begins with ftp:",
    "javascript:alert(1)": "begins with javascript:",
    "data:image/png;base64,AAAA": "begins with data:",
    "//example.org/a.jpg": "no scheme",
    "": "no scheme",
    "http:///a.jpg": "names no host",
    "http://user:secret@example.org/": "user name or password",
    "http://example.org\\@10.0.0.1/": "backslash",
    "http://example.org/a b.jpg": "space",
    "http://example.org/\r\nHost: intranet": "control character",
    "http://example.org:22/": "port 22",
    "http://example.org:99999/": "cannot be read",
    "http://[::1/": "cannot be read",
    "http://example.org/" + "a" * 9000: "9019 characters",
    "http://10.0.0.7/": "not a public address",
    "http://172.16.0.1/": "not a public address",
    "http://192.168.1.1/": "not a public address",
    "http://100.64.0.1/": "not a public address",
    "http://169.254.169.254/latest/meta-data/": "not a public address",
    "http://224.0.0.1/": "not a public address",
    "http://0.0.0.0/": "not a public address",
    "http://255.255.255.255/": "not a public address",
    "http://[fe80::1]/": "not a public address",
    "http://[fc00::1]/": "not a public address",
    "http://[ff02::1]/": "not a public address",
    "http://[::]/": "not a public address",
    "http://[::ffff:10.0.0.7]/": "hides an IPv4 address",
    "http://[2002:a00:7::]/": "hides an IPv4 address",
    "http://[64:ff9b::a00:7]/": "not a public address",
}

LOOPBACK = [
    "http://localhost/",
    "http://a.localhost./",
    "http://127.0.0.1:8000/",
    "http://127.9.9.9/",
    "http://127.1/",
    "http://0x7f000001/",
    "http://2130706433/",
    "http://017700000001/",
    "http://①②⑦.0.0.1/",
    "http://127。0。0。1/",
    "http://[::1]/",
]


@pytest.mark.parametrize("url", ALLOWED)
def test_public_addresses_may_be_fetched(url: str) -> None:
    """Over http and https, by name or number."""
    assert safety.url_problem(url, allow_loopback=False) is None


@pytest.mark.parametrize("url", REFUSED, ids=lambda url: url[:40])
def test_others_may_not(url: str) -> None:
    """With the reason, also where this machine may be asked."""
    for allowed in (False, True):
        assert REFUSED[url] in (safety.url_problem(url, allow_loopback=allowed) or "")


@pytest.mark.parametrize("url", LOOPBACK)
def test_this_machine_is_for_tests(url: str) -> None:
    """However it is written."""
    assert "not a public address" in (safety.url_problem(url, allow_loopback=False) or "")
    assert safety.url_problem(url, allow_loopback=True) is None


def test_the_switch_is_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only PHOTOJURY_ALLOW_LOOPBACK=1 turns it on."""
    monkeypatch.delenv("PHOTOJURY_ALLOW_LOOPBACK", raising=False)
    assert not safety.allow_loopback()
    monkeypatch.setenv("PHOTOJURY_ALLOW_LOOPBACK", "0")
    assert not safety.allow_loopback()
    monkeypatch.setenv("PHOTOJURY_ALLOW_LOOPBACK", "1")
    assert safety.allow_loopback()


# IANA's special-purpose registries (RFC 6890), written out independently of the ipaddress module's tables.
SPECIAL = [
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.2.0/24",
    "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    "::1/128", "::/128", "::ffff:0:0/96", "100::/64", "2001:db8::/32", "2002::/16", "fc00::/7", "fe80::/10", "ff00::/8",
]  # fmt: skip


@given(st.sampled_from(SPECIAL), st.integers(min_value=0))
def test_no_special_address_is_connected_to(network: str, number: int) -> None:
    """Anywhere in IANA's special networks."""
    net = ipaddress.ip_network(network)
    address = net[number % net.num_addresses]
    assert safety.address_problem(str(address), allow_loopback=False)


@given(st.text(max_size=60))
def test_any_text_has_an_answer(text: str) -> None:
    """Never an error, with or without a scheme before it."""
    for url in (text, f"http://{text}", f"http://[{text}]/"):
        safety.url_problem(url, allow_loopback=False)
