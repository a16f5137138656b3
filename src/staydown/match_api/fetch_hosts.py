"""From where media may be fetched: hosts that the operator named, one by one. Empty means never.

Refuses patterns: a host whose sub-domains others can have is a way in.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

PORTS = {"https": 443, "http": 80}
_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")

_PORT = re.compile(r"[0-9]{1,5}")


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchHost:
    """One place that may be asked: over https, or over http if it is named so."""

    host: str
    """In lower case and ASCII (an international name as xn--...); or an IPv4 address."""
    port: int = 443
    scheme: str = "https"
    address: str | None = None
    """Where it is to be found whatever a name server says, also if that is a private address."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """One host: `cdn.example`, `cdn.example:8443`, `http://media.internal:9000=10.0.0.7`.

        Raises ValueError, with a sentence for the operator.
        """
        wrong = ValueError(
            f"STAYDOWN_FETCH_HOSTS: {text!r} is not `host`, `host:port` or `http://host:port`, each with or "
            "without `=address` behind it"
        )
        place, _, address = text.strip().partition("=")
        scheme, is_named, rest = place.partition("://")
        if not is_named:
            scheme, rest = "https", place
        name, has_port, port = rest.partition(":")
        name = name.lower()
        is_port = _PORT.fullmatch(port) and 0 < int(port) < 65536 if has_port else scheme == "https"
        if scheme not in PORTS or not _NAME.fullmatch(name) or not is_port:
            raise wrong
        try:
            pinned = str(ipaddress.ip_address(address)) if "=" in text else None
        except ValueError:
            raise wrong from None
        return cls(host=name, port=int(port) if has_port else PORTS[scheme], scheme=scheme, address=pinned)

    @classmethod
    def parse_all(cls, text: str) -> tuple[Self, ...]:
        """The hosts of a comma-separated list. Raises ValueError."""
        return tuple(cls.parse(part) for part in text.split(",") if part.strip())


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be asked for: a place that is allowed, and the rest of the address."""

    place: FetchHost
    path: str

    @property
    def url(self) -> str:
        """The address, to read a redirect against."""
        return f"{self.place.scheme}://{self.place.host}:{self.place.port}{self.path}"


def target_of(url: str, *, hosts: tuple[FetchHost, ...]) -> Target | None:
    """What the address asks for, or None if no host of these is meant by it.

    The request is built from the host's own row, not from the address: two readings of one odd address cannot
    differ. Raises ValueError for what is no address of the web.
    """
    if not url.isascii() or any(character <= " " or character in '\\\x7f"<>^`{|}' for character in url):
        raise ValueError("an address has printable ASCII characters without spaces and backslashes")
    parts = urlsplit(url)
    if parts.scheme not in PORTS or not parts.hostname:
        raise ValueError("an address begins with https://")
    if "@" in parts.netloc:
        raise ValueError("an address may not have a name or a password")
    asked = (parts.scheme, parts.hostname, parts.port or PORTS[parts.scheme])
    for place in hosts:
        if asked == (place.scheme, place.host, place.port):
            path = parts.path or "/"
            return Target(place, f"{path}?{parts.query}" if parts.query else path)
    return None
