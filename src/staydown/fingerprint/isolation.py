"""A decoding process leaves the network before it reads anything: one that was taken over can tell nobody.

It goes into a network namespace of its own, which has no interface that is up. Where the kernel does not
permit that (some containers), it says so and goes on; it never claims more than the kernel granted. What a
namespace does not cover: a Unix socket that lies in a folder can be opened by whoever may open the file.
Imports nothing of ours, so that `python -I -S isolation.py` soon tells what this machine permits.
"""

import ctypes
import os
import sys

NETWORK_NAMESPACE = "network-namespace"
NONE = "none"

_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
_PR_SET_NO_NEW_PRIVS = 38
_CAPABILITY_VERSION_3 = 0x20080522


def leave_the_network() -> str:
    """Takes the network from this process for good: NETWORK_NAMESPACE, or NONE if the kernel refused.

    For a process with one thread: the kernel lets no other one change its user namespace.
    """
    if not sys.platform.startswith("linux"):
        return NONE
    libc = ctypes.CDLL(None, use_errno=True)
    # Whoever is root may lack the right to a user namespace and still have the one to a network namespace.
    if libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) and libc.unshare(_CLONE_NEWNET):
        return NONE
    # A new user namespace makes its first process mighty inside it; nothing here needs that.
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    libc.capset(header, (ctypes.c_uint32 * 6)())
    return NETWORK_NAMESPACE


if __name__ == "__main__":
    print(leave_the_network())
    sys.stdout.flush()
    os._exit(0)
