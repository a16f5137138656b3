"""An audit hook that lets sockets reach loopback and nothing else.

An audit hook sees every connection of the process, also those made in C or by a library that kept its own
reference to socket.connect, and nobody can take it off again.
"""

import ipaddress

ALLOWED_NAMES = {"localhost", "localhost.", "ip6-localhost", ""}
CONNECTING = {"socket.connect", "socket.sendto", "socket.sendmsg"}
LOOKING_UP = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}


class NetworkBlocked(RuntimeError):
    """A test tried to reach something that is not on loopback."""


def is_loopback(host):
    """Whether a host, as given to a socket, is this machine."""
    name = host.decode("ascii", "replace") if isinstance(host, bytes | bytearray) else str(host or "")
    try:
        return ipaddress.ip_address(name.partition("%")[0]).is_loopback
    except ValueError:
        return name.lower() in ALLOWED_NAMES


def is_number(host):
    """Whether a host is an address already: asking for it sends nothing to a name server."""
    try:
        ipaddress.ip_address(str(host).partition("%")[0])
    except ValueError:
        return False
    return True


def refuse_the_network(event, arguments):
    """Raises NetworkBlocked for a connection or a look-up that would leave this machine."""
    if event in CONNECTING:
        address = arguments[1]
        # A tuple is an internet address; text is a Unix socket, None a socket that is connected already.
        if isinstance(address, tuple) and address and not is_loopback(address[0]):
            raise NetworkBlocked(f"a test may reach loopback only, not {address[0]!r}")
    elif event in LOOKING_UP:
        host = arguments[0]
        if not is_loopback(host) and not is_number(host):
            raise NetworkBlocked(f"a test may look up loopback only, not {host!r}")
