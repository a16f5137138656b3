"""The child takes away its own means before it reads anything, and keeps nothing of its parent's."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from staydown.fingerprint import DecodeLimits
from staydown.fingerprint.answers import unpack_photo
from staydown.fingerprint.child import DecodingProcess
from staydown.fingerprint.frames import Request
from tests.staydown.fingerprint.files import jpeg

MEBIBYTE = 1024 * 1024
REQUEST = Request({"do": "register", "set": "crops32"}, jpeg())


@pytest.fixture(name="child")
def _child(monkeypatch: pytest.MonkeyPatch) -> Iterator[DecodingProcess]:
    monkeypatch.setenv("STAYDOWN_SECRET_KEY", "a secret of the parent")
    child = DecodingProcess(DecodeLimits(memory_bytes=700 * MEBIBYTE, seconds=9.0))
    child.ask(REQUEST, unpack=unpack_photo, seconds=60)
    yield child
    child.end()


def test_child_has_given_up_memory_files_and_core_dumps(child: DecodingProcess) -> None:
    # Given a child that has read a picture; When the kernel is asked for its limits
    text = Path(f"/proc/{child.process_id}/limits").read_text()
    limits = dict(re.findall(r"^(Max [a-z ]+?)  +(\w+)", text, re.MULTILINE))

    # Then they are the ones that were set
    assert limits["Max address space"] == str(700 * MEBIBYTE)
    assert limits["Max file size"] == "0"
    assert limits["Max core file size"] == "0"
    assert int(limits["Max open files"]) <= 32
    assert 9 <= int(limits["Max cpu time"]) <= 60


def test_child_sees_nothing_of_the_parents_environment(child: DecodingProcess) -> None:
    environment = Path(f"/proc/{child.process_id}/environ").read_bytes()
    assert b"a secret" not in environment
    assert b"STAYDOWN" not in environment
    assert b"HOME" not in environment


def test_child_holds_a_pipe_and_a_socket_and_nothing_else_of_the_parent(
    child: DecodingProcess, tmp_path: Path
) -> None:
    # Given a file that the parent has open, inheritable as a careless library leaves it
    with (tmp_path / "open.txt").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        other = DecodingProcess(DecodeLimits())
        other.ask(REQUEST, unpack=unpack_photo, seconds=60)

        # When a child is looked at, Then it has its own pipe, its own socket and the empty device
        targets = {os.readlink(entry) for entry in Path(f"/proc/{other.process_id}/fd").iterdir()}
        other.end()
    kinds = sorted(target.split(":")[0] for target in targets)
    assert kinds == [os.devnull, "pipe", "socket"], targets
