"""One HTTP call as the server hands it over: its headers, and from where its body comes. Keeps nothing of it.

Plain, because a lookup by fingerprints takes less time than a framework's request object.
"""

from __future__ import annotations

from starlette.types import Receive, Scope


class Call:
    """A call in work. Of a header that was sent several times, the last one counts."""

    __slots__ = ("headers", "receive", "scope")

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.scope = scope
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self.receive = receive

    def header(self, name: bytes) -> str | None:
        """The header's value; its name in lower case. None if it was not sent."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")

    @property
    def content_type(self) -> str:
        """The type without its parameters, in lower case; empty if there is none."""
        return self.headers.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip().lower()

    @property
    def query(self) -> bytes:
        """What stands behind the question mark."""
        found: bytes = self.scope.get("query_string", b"")
        return found

    @property
    def peer(self) -> str:
        """The address that the connection came from; empty if the server does not know it."""
        client = self.scope.get("client")
        return client[0] if client else ""
