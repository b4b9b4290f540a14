"""Safety: which addresses may be fetched at all. A list of URLs from strangers must not reach this network's inside.

Takes in a URL, or the IP address that a name stands for; gives out a sentence about what is wrong with it, or None.
The first reads only the text; connections.py asks the second of every address that it is about to connect to.

    >>> url_problem("file:///etc/hostname", allow_loopback=False)
    'its address begins with file:, not with http: or https:'
    >>> address_problem("10.0.0.7", allow_loopback=False)
    '10.0.0.7 is not a public address'
"""

import ipaddress
import os
import re
import socket
import unicodedata
from urllib.parse import urlsplit

# RFC 9110, 4.1 recommends that all can read URLs of 8,000 characters; nobody has longer ones for pictures.
_LONGEST = 8000

# Space and control characters, and the backslash, which some parsers read as a slash.
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\x9f\\\u2028\u2029]")

# What the C library reads as an IPv4 address: 127.1, 0x7f000001, 2130706433, 0177.0.0.1.
_NUMBERS = re.compile(r"(0x[0-9a-f]*|\d+)(\.(0x[0-9a-f]*|\d+)){0,3}\.?", re.IGNORECASE)

# Addresses of IPv6 that stand for one of IPv4: RFC 6052 (the network's NAT64 reaches the latter).
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def allow_loopback() -> bool:
    """Whether this machine itself may be asked: PHOTOJURY_ALLOW_LOOPBACK=1, for tests and trials."""
    return os.environ.get("PHOTOJURY_ALLOW_LOOPBACK") == "1"


def url_problem(url: str, *, allow_loopback: bool) -> str | None:
    """What is wrong with a URL, as far as its text tells; None where it may be fetched.

    Accepted are http and https, with a host, without credentials, at a web server's port (80, 443, or from 1024 on).
    """
    if len(url) > _LONGEST:
        return f"its address has {len(url)} characters; {_LONGEST} are allowed"
    if _FORBIDDEN.search(url):
        return "its address holds a space, a control character or a backslash"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        return f"its address cannot be read: {error}"
    if parts.scheme not in ("http", "https"):
        scheme = f"{parts.scheme[:20]}:" if parts.scheme else "no scheme"
        return f"its address begins with {scheme}, not with http: or https:"
    if "@" in parts.netloc:
        return "its address holds a user name or password"
    if not parts.hostname:
        return "its address names no host"
    if port is not None and port not in (80, 443) and port < 1024:
        return f"its address names port {port}, which is none of a web server"
    return _host_problem(parts.hostname, allow_loopback)


def address_problem(ip: str, *, allow_loopback: bool) -> str | None:
    """What is wrong with connecting to an IP address; None where it is a public one.

    Args:
        ip: as the resolver gives it, an IPv6 scope included.
        allow_loopback: let this machine's own addresses pass, too.
    """
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return f"{ip!r} is no IP address"
    if address.is_loopback and allow_loopback:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        if address in _NAT64:
            return address_problem(str(ipaddress.IPv4Address(address.packed[-4:])), allow_loopback=False)
        if address.ipv4_mapped or address.sixtofour or address.teredo:
            return f"{ip} hides an IPv4 address"
    # is_global holds for some multicast addresses, and older Pythons miss some reserved ones.
    if not address.is_global or address.is_multicast or address.is_reserved or address.is_unspecified:
        return f"{ip} is not a public address"
    return None


def _host_problem(host: str, allow_loopback: bool) -> str | None:
    # Full-width digits and ideographic full stops are what a resolver makes plain ones of (UTS 46, 4).
    name = unicodedata.normalize("NFKC", host).replace("\u3002", ".").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):  # RFC 6761, 6.3: always this machine
        return None if allow_loopback else f"{host} is not a public address"
    if ":" in name:
        return address_problem(name, allow_loopback=allow_loopback)
    if _NUMBERS.fullmatch(name):
        try:
            return address_problem(socket.inet_ntoa(socket.inet_aton(name)), allow_loopback=allow_loopback)
        except OSError:
            return f"{host} is no IP address"
    if not name or len(name) > 253:  # RFC 1035, 2.3.4
        return "its address names no host"
    return None
