"""What the sandbox and its children say to each other survives the way, and lies are noticed."""

import io
import json

import pytest

from staydown.fingerprint import DEFAULT_LIMITS, TooManyPixels
from staydown.fingerprint.frames import (
    BrokenAnswer,
    frame_prefix,
    pack_photo,
    pack_refusal,
    read_frame,
    unpack,
    write_frame,
)
from staydown.fingerprint.media import photo_fingerprints
from tests.staydown.fingerprint.files import jpeg


def test_photo_answer_comes_out_as_it_went_in() -> None:
    answer = photo_fingerprints(jpeg(), limits=DEFAULT_LIMITS)
    assert unpack(pack_photo(answer)) == answer


def test_refusal_comes_out_as_the_same_error() -> None:
    refusal = unpack(pack_refusal(TooManyPixels("It is large.")))
    assert type(refusal) is TooManyPixels
    assert str(refusal) == "It is large."


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b'{"refused": "no-such-slug", "sentence": "x"}',
        b'{"width": 1, "height": 1, "codes": [["pdq", "full", 101, "%s"]]}' % (b"0" * 64),
        b'{"width": 1, "height": 1, "codes": [["pdq", "full", 50, "00"]]}',
        b'{"width": 1, "height": 1, "codes": [["md5", "full", 50, "%s"]]}' % (b"0" * 64),
        b'{"width": "x", "height": 1, "codes": []}',
        json.dumps([[]] * 5).encode(),
        b"[" * 50_000,
    ],
)
def test_answer_of_another_form_is_noticed(body: bytes) -> None:
    with pytest.raises(BrokenAnswer):
        unpack(body)


def test_frames_follow_each_other_and_end() -> None:
    # Given two frames in a stream, and a third that breaks off
    stream = io.BytesIO()
    write_frame(stream, b"one")
    write_frame(stream, b"")
    stream.write(frame_prefix(9) + b"four")
    stream.seek(0)

    # Then two are read, and the torn one counts as the end
    assert [read_frame(stream) for _ in range(4)] == [b"one", b"", None, None]
