"""A decoding process that does what one that was taken over would: it tries to reach a port of its host."""

import socket

from staydown.fingerprint.worker import serve


def _reach(request, _limits, _answers):
    family, address = request.header["family"], request.header["address"]
    try:
        with socket.socket(getattr(socket, family)) as reaching:
            reaching.settimeout(2)
            if family == "AF_UNIX":
                reaching.connect("\0" + address)
            else:
                reaching.connect((address, int(request.header["port"])))
    except OSError as error:
        return f"refused: {error.errno}".encode()
    return b"reached"


if __name__ == "__main__":
    serve({"reach": _reach})
