"""Convention 38: no network in tests. Every attempt below is refused before anything is sent."""

import asyncio
import socket
import urllib.request

import pytest

from tests.loopback_only import NetworkBlocked, is_loopback

# 192.0.2.0/24 and 2001:db8::/32 are set aside for documentation (RFC 5737, RFC 3849): nobody answers there.
ELSEWHERE = "192.0.2.1"


def test_connection_to_another_machine_is_refused():
    with socket.socket() as far, pytest.raises(NetworkBlocked, match=ELSEWHERE):
        far.connect((ELSEWHERE, 80))


def test_datagram_to_another_machine_is_refused():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as far, pytest.raises(NetworkBlocked):
        far.sendto(b"?", (ELSEWHERE, 53))


def test_name_is_not_looked_up():
    with pytest.raises(NetworkBlocked, match=r"staydown\.example"):
        socket.getaddrinfo("staydown.example", 443)


def test_library_that_opens_an_address_is_refused():
    with pytest.raises(NetworkBlocked):
        urllib.request.urlopen(f"http://{ELSEWHERE}/", timeout=1)


def test_event_loop_is_refused():
    async def reach_out():
        await asyncio.open_connection(ELSEWHERE, 80)

    with pytest.raises(NetworkBlocked):
        asyncio.run(reach_out())


def test_loopback_is_allowed():
    # Given
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        # When
        socket.create_connection(server.getsockname(), timeout=5) as near,
    ):
        accepted, _ = server.accept()
        with accepted:
            accepted.sendall(b"here")

            # Then
            assert near.recv(4) == b"here"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost", b"localhost", None, ""])
def test_this_machine_is_loopback(host):
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "10.0.0.1", "169.254.169.254", "2001:db8::1", "localhost.example"]
)
def test_other_machines_are_not_loopback(host):
    assert not is_loopback(host)
