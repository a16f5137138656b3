"""A child that misbehaves is ended, and what it did has a name."""

import sys
from pathlib import Path

import pytest

from staydown.fingerprint import DecodeLimits, DecoderCrashed, DecodeTimedOut, SandboxUnavailable
from staydown.fingerprint.answers import PhotoAnswer, unpack_photo
from staydown.fingerprint.child import DecodingProcess
from staydown.fingerprint.errors import NotFingerprintable
from staydown.fingerprint.frames import Request
from tests.staydown.fingerprint.files import jpeg

READY = r"printf '\000\000\000\000\000\000\000\005ready'"
PROGRESS = r"""printf '\000\000\000\000\000\000\000\021{"progress": 0.5}'"""


def _ask(child: DecodingProcess, data: bytes, *, seconds: float = 10.0) -> PhotoAnswer | NotFingerprintable:
    request = Request({"do": "register", "set": "crops32"}, data)
    return child.ask(request, unpack=unpack_photo, seconds=seconds)


@pytest.fixture(name="impostor")
def _impostor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program that is started in Python's place."""
    program = tmp_path / "impostor"
    program.touch(mode=0o700)
    monkeypatch.setattr(sys, "executable", str(program))
    return program


@pytest.mark.parametrize(
    "answer",
    [
        r"printf '\000\000\000\000\000\000\000\002[]'",  # not of the agreed form
        r"printf '\377\377\377\377\377\377\377\377'",  # an answer that would fill all memory
        r"printf '\000\000\000'",  # breaks off
        "exit 3",
    ],
)
def test_answer_that_cannot_be_right_ends_the_child(impostor: Path, answer: str) -> None:
    # Given a child that was taken over
    impostor.write_text(f"#!/bin/sh\n{READY}\nhead -c 1000 >/dev/null\n{answer}\n")
    child = DecodingProcess(DecodeLimits())

    # When it is asked, Then its answer is not believed
    with pytest.raises(DecoderCrashed):
        _ask(child, bytes(992))
    assert not child.is_alive


def test_child_that_never_answers_is_ended_at_the_limit(impostor: Path) -> None:
    # Given a child that does not even read
    impostor.write_text(f"#!/bin/sh\n{READY}\nexec sleep 60\n")
    child = DecodingProcess(DecodeLimits())

    # Then neither a file that fits into the pipe nor a large one makes us wait
    with pytest.raises(DecodeTimedOut):
        _ask(child, bytes(4_000_000), seconds=0.3)
    assert not child.is_alive


def test_child_that_only_tells_progress_is_ended_at_the_limit(impostor: Path) -> None:
    # Given a child that was taken over and says for ever that it is half done
    impostor.write_text(f"#!/bin/sh\n{READY}\nwhile :; do {PROGRESS}; done\n")
    child, told = DecodingProcess(DecodeLimits()), list[float]()

    # When it is asked, Then we listen until the limit
    with pytest.raises(DecodeTimedOut):
        child.ask(Request({"do": "video"}), unpack=unpack_photo, seconds=0.3, progress=told.append)
    assert set(told) == {0.5}
    assert not child.is_alive


@pytest.mark.parametrize("error", [KeyboardInterrupt, BrokenPipeError, TimeoutError, ValueError])
def test_error_of_the_callers_own_progress_goes_to_the_caller(
    impostor: Path, error: type[BaseException]
) -> None:
    # Given a child at work, and a caller who stops it
    impostor.write_text(f"#!/bin/sh\n{READY}\n{PROGRESS}\nexec sleep 60\n")
    child = DecodingProcess(DecodeLimits())

    def stop(fraction: float) -> None:
        raise error

    # When it tells its progress, Then it is ended, and the child is not blamed
    with pytest.raises(error):
        child.ask(Request({"do": "video"}), unpack=unpack_photo, seconds=10, progress=stop)
    assert not child.is_alive


def test_child_that_does_not_start_is_the_fault_of_the_installation(impostor: Path) -> None:
    impostor.write_text("#!/bin/sh\nexit 1\n")
    with pytest.raises(SandboxUnavailable):
        _ask(DecodingProcess(DecodeLimits()), jpeg())


def test_absent_interpreter_is_the_fault_of_the_installation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(SandboxUnavailable):
        DecodingProcess(DecodeLimits())
