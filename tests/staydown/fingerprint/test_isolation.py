"""A decoding process has no network: what it tries to reach on its own machine is not there."""

import socket
import subprocess
import sys

import pytest

from staydown.fingerprint import SandboxPool, isolation
from staydown.fingerprint.child import DecodingProcess
from staydown.fingerprint.frames import Request
from staydown.fingerprint.limits import DEFAULT_LIMITS
from tests.staydown.fingerprint.files import jpeg

WORKER = "tests.staydown.fingerprint.reaching_worker"


def machine_permits():
    """What a fresh process of this machine is allowed."""
    command = [sys.executable, "-I", "-S", isolation.__file__]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture(scope="module")
def permitted():
    found = machine_permits()
    if found != isolation.NETWORK_NAMESPACE:
        pytest.skip("this kernel permits no network namespaces to this account")
    return found


@pytest.mark.parametrize("family", ["AF_INET", "AF_INET6", "AF_UNIX"])
def test_listener_that_this_process_reaches_is_out_of_a_childs_reach(permitted, family):
    # Given a listener on loopback, or under an abstract name, that can be reached from here
    kind = getattr(socket, family)
    name = {"AF_INET": ("127.0.0.1", 0), "AF_INET6": ("::1", 0), "AF_UNIX": "\0staydown-isolation-test"}[
        family
    ]
    with socket.socket(kind) as listener:
        try:
            listener.bind(name)
        except OSError:
            pytest.skip(f"this machine has no {family}")
        listener.listen(5)
        place = listener.getsockname()
        with socket.socket(kind) as control:
            control.connect(place)

        # When a child tries the same
        if family == "AF_UNIX":
            header = {"address": "staydown-isolation-test"}
        else:
            header = {"address": place[0], "port": str(place[1])}
        with SandboxPool(worker=WORKER) as pool:
            told = pool.ask(Request({"do": "reach", "family": family, **header}), bytes.decode, seconds=10)

    # Then
    assert told.startswith("refused")


def test_child_says_itself_whether_it_has_left_the_network():
    # Given a child that has read a picture
    child = DecodingProcess(DEFAULT_LIMITS)
    child.ask(Request({"do": "register", "set": "crops32"}, jpeg()), unpack=bytes, seconds=60)
    try:
        # Then what it said is what this machine permits
        assert child.isolation == machine_permits()
    finally:
        child.end()


def test_child_keeps_no_power_from_the_namespace_that_it_made(permitted):
    # Given
    script = (
        "import importlib.util as u, sys\n"
        "s = u.spec_from_file_location('isolation', sys.argv[1]); m = u.module_from_spec(s)\n"
        "s.loader.exec_module(m); m.leave_the_network()\n"
        "print(open('/proc/self/status').read())"
    )

    # When
    command = [sys.executable, "-I", "-S", "-c", script, isolation.__file__]
    status = subprocess.run(command, capture_output=True, text=True, check=True).stdout

    # Then
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert int(fields["CapEff"], 16) == int(fields["CapPrm"], 16) == 0
    assert fields["NoNewPrivs"] == "1"


def test_kernel_that_refuses_is_told_as_none(monkeypatch):
    class Refusing:
        def unshare(self, flags):
            return -1

    monkeypatch.setattr(isolation.ctypes, "CDLL", lambda *_, **__: Refusing())

    assert isolation.leave_the_network() == isolation.NONE
