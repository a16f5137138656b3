"""What a video leads to in a bank: the same file, a stretch of a registered video, a picture in it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pytest

from staydown.fingerprint import Algorithm, Fingerprint
from staydown.fingerprint.video_terms import FrameFingerprint
from staydown.matching import EntryState, Match
from staydown.matching.bank_search import HeldEntry
from staydown.matching.find_video import (
    CODES_AT_ONCE,
    codes_of_frames,
    find_video,
    hits_in_parts,
    video_matches,
)
from staydown.matching.held_bank import HeldBank, codes_of
from staydown.matching.terms import Stretch

SHA = "5" * 64


def code_of(number: int, *, bits: int = 0, derivation: str = "full", quality: int = 100) -> Fingerprint:
    """A made-up code, moved by so many bits; those of different numbers are about 128 bits apart."""
    code = int.from_bytes(hashlib.sha256(f"code {number}".encode()).digest())
    return Fingerprint(Algorithm.PDQ, (code ^ ((1 << bits) - 1)).to_bytes(32), quality, derivation)


def upload(*frames: tuple[float, Fingerprint]) -> list[FrameFingerprint]:
    return [FrameFingerprint(at_seconds, fingerprint) for at_seconds, fingerprint in frames]


def registered(*frames: tuple[float, int]) -> list[Fingerprint]:
    """What is registered of a video: each frame as it is and mirrored."""
    return [
        code_of(number + more, derivation=f"@{at_seconds:.3f}{turn}")
        for at_seconds, number in frames
        for more, turn in ((0, ""), (500, "~fH"))
    ]


def held(*entries: tuple[str, Sequence[Fingerprint]], sha256: str | None = None) -> HeldBank:
    bank = HeldBank()
    for entry_id, codes in entries:
        bank.put(HeldEntry(entry_id, "default", EntryState.CONFIRMED, sha256, None, codes_of(codes)))
    bank.settle()
    return bank


def found(bank: HeldBank, frames: Sequence[FrameFingerprint], **digests: str) -> list[Match]:
    return find_video(bank, codes_of_frames(frames), **digests)


FILM = registered((0, 1), (1, 2), (2, 3), (3, 4), (4, 5))


def test_stretch_of_a_registered_video_is_found_with_its_times() -> None:
    # Given a cut of the film, moved by ten seconds
    cut = upload(
        (10.0, code_of(2, bits=3)), (11.0, code_of(3, bits=9)), (12.5, code_of(4)), (13.0, code_of(99))
    )

    # When
    [match] = found(held(("ent_film", FILM)), cut)

    # Then
    assert (match.entry_id, match.kind, match.rule) == ("ent_film", "near", "confirmed-near")
    assert (match.distance_bits, match.derivation, match.view) == (0, "@3.000", "full")
    assert match.stretch == Stretch(upload_seconds=(10.0, 12.5), entry_seconds=(1.0, 3.0), frames=3)


def test_one_common_frame_of_two_videos_is_no_match() -> None:
    bank = held(("ent_film", FILM))

    assert found(bank, upload((0.0, code_of(2)), (1.0, code_of(98)), (2.0, code_of(99)))) == []
    # And the same frame twice is still one
    assert found(bank, upload((0.0, code_of(2)), (1.0, code_of(2, bits=2)), (2.0, code_of(99)))) == []


def test_mirrored_video_inside_a_border_is_found_by_its_parts() -> None:
    # Given what is looked up of a mirrored copy: its frames as they are, and without their borders
    copy = [
        *((at, code_of(700 + at)) for at in range(4)),
        *((at, code_of(501 + at, bits=5, derivation="strip")) for at in range(4)),
    ]

    [match] = found(held(("ent_film", FILM)), upload(*sorted(copy, key=lambda frame: frame[0])))

    assert (match.derivation, match.view) == ("@0.000~fH", "strip")
    assert match.stretch is not None
    assert (match.stretch.frames, match.stretch.entry_seconds) == (4, (0.0, 3.0))


def test_registered_picture_is_found_in_a_video_by_the_one_frame_that_shows_it() -> None:
    # Given a picture with two crops
    picture = [code_of(40), code_of(41, derivation="cc88"), code_of(42, derivation="cc88~fH")]

    [match] = found(held(("ent_picture", picture)), upload((0.0, code_of(98)), (7.5, code_of(41, bits=4))))

    assert (match.entry_id, match.derivation) == ("ent_picture", "cc88")
    assert match.stretch == Stretch(upload_seconds=(7.5, 7.5), entry_seconds=None, frames=1)


def test_moving_picture_counts_as_a_video() -> None:
    # Given its first frame with a crop, and a later one
    moving = [code_of(40), code_of(41, derivation="cc88"), code_of(43, derivation="@1.500")]
    bank = held(("ent_moving", moving))

    assert found(bank, upload((0.0, code_of(98)), (1.0, code_of(41)))) == []
    [match] = found(bank, upload((0.0, code_of(98)), (1.0, code_of(41)), (2.0, code_of(43))))
    assert match.stretch == Stretch(upload_seconds=(1.0, 2.0), entry_seconds=(0.0, 1.5), frames=2)


def test_same_file_is_exact_and_needs_no_frames() -> None:
    bank = held(("ent_film", FILM), sha256=SHA)

    for frames in ([], upload((0.0, code_of(1)), (1.0, code_of(2)))):
        [match] = found(bank, frames, sha256=SHA)
        assert (match.kind, match.distance_bits, match.stretch) == ("exact", 0, None)


@pytest.mark.parametrize(("quality", "count"), [(49, 0), (50, 1)])
def test_frames_without_detail_are_not_sought(quality: int, count: int) -> None:
    frames = upload((0.0, code_of(1, quality=quality)), (1.0, code_of(2)), (2.0, code_of(99)))

    assert len(found(held(("ent_film", FILM)), frames)) == count


def test_long_video_is_sought_in_parts_and_what_is_withdrawn_meanwhile_is_not_told() -> None:
    # Given a video with more codes than are sought at once, whose last frames are those of the film
    others = [(float(number), code_of(1000 + number)) for number in range(2 * CODES_AT_ONCE)]
    last = [(500.0 + number, code_of(number)) for number in (1, 2, 3)]
    query = codes_of_frames(upload(*others, *last))
    bank = held(("ent_film", FILM), ("ent_other", FILM))

    # When one of two entries goes between the search and the answer
    parts = list(hits_in_parts(bank, query))
    assert len(parts) == 3
    bank.drop("ent_other")
    bank.settle()

    # Then
    [match] = video_matches(bank, query, [hit for part in parts for hit in part])
    assert match.entry_id == "ent_film"
    assert match.stretch == Stretch(upload_seconds=(501.0, 503.0), entry_seconds=(0.0, 2.0), frames=3)
