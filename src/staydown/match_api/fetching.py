"""Fetches media from an address that a platform names, without becoming a way into the operator's network.

Each address, also behind a redirect, must be of a host that the operator listed; its name is looked up once,
every address found is checked, and the connection goes to the one that was checked. Refuses cookies,
passwords, proxies of the environment, compressed answers, and to say more of a failure than its kind.
"""

from __future__ import annotations

import asyncio
import functools
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urljoin

import httpcore

from staydown.match_api.addresses import is_own, is_public
from staydown.match_api.body import BodyReader
from staydown.match_api.errors import Refused
from staydown.match_api.fetch_hosts import Target, target_of
from staydown.match_api.refusals import busy, fetch_failed, fetch_refused, fetch_too_slow, too_large
from staydown.match_api.settings import MatchApiSettings

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""The addresses of a host. Raises OSError."""

# A picture behind a shortened address and a change of host is two; more is a chain to lead us somewhere.
MAX_REDIRECTS = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class MediaFetcher:
    """Fetches at most `max_fetches` at a time. For the event loop only; keeps no connection."""

    def __init__(
        self,
        settings: MatchApiSettings,
        *,
        resolve: Resolve | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._settings = settings
        # Threads of their own: a name server that does not answer holds up no other work.
        self._lookups = ThreadPoolExecutor(settings.max_fetches, thread_name_prefix="look-up")
        self._resolve = resolve or self._addresses_of
        self._tls = tls
        self._at_work = 0

    def target(self, url: str) -> Target:
        """What the address asks for. Raises Refused before anything is looked up."""
        if not self._settings.fetch_hosts:
            raise fetch_refused("fetch-off", "This installation fetches nothing; send the media itself.")
        try:
            target = target_of(url, hosts=self._settings.fetch_hosts)
        except ValueError:
            raise fetch_refused(
                "fetch-host-not-allowed", "`media_url` is no address that can be used."
            ) from None
        if target is None:
            raise fetch_refused(
                "fetch-host-not-allowed", "This installation may not fetch from that host, scheme and port."
            )
        return target

    def close(self) -> None:
        """Looks nothing up any more."""
        self._lookups.shutdown(wait=False, cancel_futures=True)

    async def fetch(self, target: Target, reader: BodyReader, *, own_port: int | None) -> bytes:
        """The media; its bytes count as held until the reader is left. Raises Refused.

        own_port: where this server listens; that port of this machine is never asked.
        """
        if self._at_work >= self._settings.max_fetches:
            raise busy(
                "Too many files are being fetched; try again shortly.",
                retry_after_seconds=self._settings.retry_after_seconds,
            )
        self._at_work += 1
        try:
            async with asyncio.timeout(self._settings.fetch_seconds):
                return await self._follow(target, reader, own_port=own_port)
        except TimeoutError:
            raise fetch_too_slow(self._settings.fetch_seconds) from None
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError):
            raise fetch_failed("The host could not be reached, or its answer was broken.") from None
        finally:
            self._at_work -= 1

    async def _follow(self, target: Target, reader: BodyReader, *, own_port: int | None) -> bytes:
        for _ in range(MAX_REDIRECTS + 1):
            address = await self._checked_address(target, own_port=own_port)
            found = await self._ask(target, address, reader)
            if isinstance(found, bytes):
                return found
            target = self.target(found)
        raise fetch_failed(f"The address leads on more than {MAX_REDIRECTS} times.")

    async def _checked_address(self, target: Target, *, own_port: int | None) -> str:
        place = target.place
        if place.address is not None:
            if place.port == own_port and is_own(place.address):
                raise _address_refused()
            return place.address
        addresses = await self._resolve(place.host, place.port)
        # One that is not public among others is no accident: it is there for a second look-up to find.
        if not addresses or not all(is_public(address) and not is_own(address) for address in addresses):
            raise _address_refused()
        return addresses[0]

    async def _ask(self, target: Target, address: str, reader: BodyReader) -> bytes | str:
        """The body, or the address that the answer leads to."""
        place = target.place
        usual = {"https": 443, "http": 80}[place.scheme]
        host = place.host if place.port == usual else f"{place.host}:{place.port}"
        headers = [
            (b"Host", host.encode()),
            (b"Accept", b"image/*, video/*"),
            (b"Accept-Encoding", b"identity"),
            (b"User-Agent", b"staydown"),
        ]
        url = httpcore.URL(
            scheme=place.scheme.encode(),
            host=place.host.encode(),
            port=place.port,
            target=target.path.encode(),
        )
        async with (
            httpcore.AsyncConnectionPool(
                ssl_context=self._context(), max_connections=1, network_backend=_OneAddress(address)
            ) as pool,
            pool.stream("GET", url, headers=headers) as response,
        ):
            told = {name.lower(): value.decode("latin-1") for name, value in response.headers}
            if response.status in _REDIRECTS:
                return _joined(target.url, told.get(b"location", ""))
            if response.status != 200:
                raise fetch_failed("The host did not answer with the file (200).")
            if told.get(b"content-encoding", "identity").lower() != "identity":
                raise fetch_failed("The host sent the file compressed, although it was asked not to.")
            return await self._body(response.aiter_stream(), told.get(b"content-length"), reader)

    async def _addresses_of(self, host: str, port: int) -> list[str]:
        look_up = functools.partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        found = await asyncio.get_running_loop().run_in_executor(self._lookups, look_up)
        return [str(address[0]) for *_, address in found]

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:  # reading the system's authorities takes some tens of milliseconds
            self._tls = ssl.create_default_context()
        return self._tls

    async def _body(self, pieces: Any, announced: str | None, reader: BodyReader) -> bytes:
        most = self._settings.max_body_bytes
        if (
            announced is not None
            and announced.isascii()
            and announced.isdigit()
            and int(announced[:18]) > most
        ):
            raise too_large("A file", max_bytes=most)
        body = bytearray()
        async for piece in pieces:
            reader.count(len(piece), "A file", max_bytes=most)
            body += piece
        return bytes(body)


class _OneAddress(httpcore.AsyncNetworkBackend):
    """Connects to the address that was checked, whatever host is asked for; TLS checks the host's name."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._real = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        return await self._real.connect_tcp(self._address, port, timeout, local_address, socket_options)


def _address_refused() -> Refused:
    return fetch_refused(
        "fetch-address-refused", "The host has an address that is not one of the public internet."
    )


def _joined(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError:
        raise fetch_failed("The address leads on to what is no address.") from None
