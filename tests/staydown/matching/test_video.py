"""Two videos match by two distinct frames; it is told which part of the one is which part of the other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from staydown.fingerprint import Algorithm, Digests, Fingerprint
from staydown.fingerprint.video_terms import FrameFingerprint, VideoFingerprints, frame_derivation
from staydown.matching import DistanceOutOfRange, EntryState, Index
from staydown.matching.bank_search import CodeHit, HeldEntry
from staydown.matching.held_bank import HeldBank, codes_of
from staydown.matching.video import FrameCodes, VideoMatch, code_hits, match_frames, match_hits


def _code(seed: int, *, changed_bits: int = 0) -> bytes:
    """A code unlike any of another seed; with its first so many bits turned over."""
    code = int.from_bytes(np.random.default_rng(seed).bytes(32))
    return (code ^ ((1 << changed_bits) - 1)).to_bytes(32)


def _frames(*frames: tuple[float, bytes] | tuple[float, bytes, str]) -> FrameCodes:
    return FrameCodes(
        np.frombuffer(b"".join(frame[1] for frame in frames), np.uint8).reshape(-1, 32),
        np.array([frame[0] for frame in frames], np.float64),
        tuple(frame[2] if len(frame) > 2 else "full" for frame in frames),  # type: ignore[misc]
    )


def _film(first: int, count: int, *, begin: float = 0.0, changed_bits: int = 0) -> FrameCodes:
    """A frame a second, the n-th with the code of seed `first` + n."""
    return _frames(*((begin + n, _code(first + n, changed_bits=changed_bits)) for n in range(count)))


ENTRY = _film(100, 60)


# ---- what matches ---------------------------------------------------------------------------------------


def test_sub_clip_matches_and_both_stretches_are_told() -> None:
    # Given seconds 20 to 29 of an entry, encoded anew
    match = match_frames(_film(120, 10, changed_bits=18), ENTRY)

    # Then it says so
    assert match == VideoMatch(
        query_begin_seconds=0,
        query_end_seconds=9,
        entry_begin_seconds=20,
        entry_end_seconds=29,
        frames=10,
        turn="full",
        distance_bits=18,
    )


def test_stretch_within_a_longer_video_is_told() -> None:
    # Given a long video, five seconds of which are seconds 7 to 11 of an entry
    query = _frames(
        *((n, _code(500 + n)) for n in range(30)),
        *((30 + n, _code(107 + n)) for n in range(5)),
        *((35 + n, _code(600 + n)) for n in range(30)),
    )
    match = match_frames(query, ENTRY)
    assert match is not None
    assert (match.query_begin_seconds, match.query_end_seconds) == (30, 34)
    assert (match.entry_begin_seconds, match.entry_end_seconds, match.frames) == (7, 11, 5)


def test_threshold_is_met_at_31_bits_and_not_at_32() -> None:
    assert match_frames(_film(100, 5, changed_bits=31), ENTRY) is not None
    assert match_frames(_film(100, 5, changed_bits=32), ENTRY) is None
    assert match_frames(_film(100, 5, changed_bits=32), ENTRY, max_distance_bits=32) is not None
    with pytest.raises(DistanceOutOfRange):
        match_frames(ENTRY, ENTRY, max_distance_bits=257)


def test_unrelated_videos_do_not_match() -> None:
    assert match_frames(_film(1000, 64), ENTRY) is None


def test_mirrored_video_says_that_it_is_mirrored() -> None:
    # Given an entry with mirrored codes and crops of its frames
    entry = _frames(
        *((n, _code(100 + n)) for n in range(9)),
        *((n, _code(200 + n), "fH") for n in range(9)),
        *((n, _code(300 + n), "cc88~fH") for n in range(9)),
    )

    # Then a match with those says so
    found = [match_frames(_film(first, 9), entry) for first in (100, 200, 300)]
    assert [match.turn for match in found if match] == ["full", "fH", "fH"]


def test_turned_video_says_how_it_is_turned() -> None:
    entry = _frames(*((n, _code(100 + n), "r90") for n in range(4)))
    match = match_frames(_film(100, 4), entry)
    assert match is not None
    assert match.turn == "r90"


# ---- distinct frames ------------------------------------------------------------------------------------


def test_one_common_frame_is_no_match() -> None:
    # Given two videos that share a title and nothing else
    query = _frames((0, _code(100)), *((1 + n, _code(700 + n)) for n in range(9)))
    assert match_frames(query, ENTRY) is None
    assert match_frames(query, ENTRY, min_frames=1) is not None


def test_more_frames_can_be_asked_for() -> None:
    query = _frames((0, _code(100)), (1, _code(101)), (2, _code(102)), (3, _code(900)))
    assert match_frames(query, ENTRY, min_frames=3) is not None
    assert match_frames(query, ENTRY, min_frames=4) is None
    with pytest.raises(ValueError, match="at least one"):
        match_frames(query, ENTRY, min_frames=0)


def test_several_codes_of_one_frame_count_once() -> None:
    # Given a frame of a query that meets an entry's frame with three of its parts
    query = _frames(
        (0, _code(100)), (0, _code(100, changed_bits=9), "strip"), (0, _code(101), "cut1"), (1, _code(900))
    )
    assert match_frames(query, ENTRY) is None

    # and a query in which two frames meet the same frame of the entry
    entry = _frames((5, _code(1)), (5, _code(2), "cc88"), (6, _code(3)))
    assert match_frames(_frames((0, _code(1)), (1, _code(2)), (2, _code(9))), entry) is None


def test_still_stretch_counts_as_one_frame_on_either_side() -> None:
    # Given a partner's codes of a title that stands for ten seconds, not thinned out
    still = [(float(n), _code(100, changed_bits=n)) for n in range(10)]
    long_title = _frames(*still, (10, _code(800)))

    # Then ten near-duplicates are one frame, whoever has them
    assert match_frames(long_title, ENTRY) is None
    assert match_frames(ENTRY, long_title) is None
    assert match_frames(long_title, _frames(*still, (20, _code(801)))) is None


def test_still_picture_as_a_video_matches_as_a_picture_does() -> None:
    # Given a video that shows one picture all the time
    assert match_frames(_frames((0, _code(103))), ENTRY) is not None
    assert match_frames(ENTRY, _frames((0, _code(103)), (0, _code(5), "fH"))) is not None
    assert match_frames(_frames((0, _code(999))), ENTRY) is None


def test_video_without_codes_matches_nothing() -> None:
    nothing = _frames()
    assert match_frames(nothing, ENTRY) is None
    assert match_frames(ENTRY, nothing) is None


def test_answer_does_not_hang_on_the_order_of_codes() -> None:
    # Given the same codes in three orders
    frames = [(float(n % 7), _code(100 + n // 2, changed_bits=n)) for n in range(14)]
    answers = set()
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(len(frames))
        answers.add(match_frames(_frames(*(frames[n] for n in order)), ENTRY))
    assert len(answers) == 1


# ---- banks ----------------------------------------------------------------------------------------------


def _fingerprints(frames: FrameCodes, *, quality: int = 80) -> list[Fingerprint]:
    """As an entry keeps them."""
    return [
        Fingerprint(Algorithm.PDQ, code.tobytes(), quality, frame_derivation(at, name))
        for code, at, name in zip(frames.codes, frames.at_seconds, frames.derivations, strict=True)
    ]


def test_video_is_found_in_a_bank_of_many() -> None:
    # Given a bank of forty videos and a picture
    bank = HeldBank()
    for number in range(40):
        codes = codes_of(_fingerprints(_film(1000 * number, 30)))
        bank.put(HeldEntry(f"film-{number}", "default", EntryState.CONFIRMED, None, None, codes))
    picture = codes_of([Fingerprint(Algorithm.PDQ, _code(7003), 80)])
    bank.put(HeldEntry("picture", "default", EntryState.CONFIRMED, None, None, picture))
    bank.settle()

    # When a video is looked for that was put together of two of them, with a title of a third
    query = _frames(
        *((n, _code(7000 + n, changed_bits=20)) for n in range(5)),
        *((5 + n, _code(9010 + n, changed_bits=7)) for n in range(4)),
        (9, _code(11_000)),
    )
    sought = [Fingerprint(Algorithm.PDQ, code.tobytes(), 80) for code in query.codes]
    matches = match_hits(query, bank.hits(sought))

    # Then both are found with their stretches, the third and the picture are not
    assert set(matches) == {"film-7", "film-9"}
    seventh, ninth = matches["film-7"], matches["film-9"]
    assert (seventh.query_begin_seconds, seventh.query_end_seconds, seventh.frames) == (0, 4, 5)
    assert (ninth.query_begin_seconds, ninth.query_end_seconds) == (5, 8)
    assert (ninth.entry_begin_seconds, ninth.entry_end_seconds, ninth.distance_bits) == (10, 13, 7)


def test_index_of_many_videos_gives_what_comparing_with_each_gives() -> None:
    # Given an index with the codes of three videos, whole and mirrored
    films = {
        f"film-{number}": _frames(
            *((n, _code(1000 * number + n)) for n in range(20)),
            *((n, _code(1000 * number + 500 + n), "fH") for n in range(20)),
        )
        for number in range(3)
    }
    index, places = Index(), {}
    for entry_id, frames in films.items():
        ids = np.arange(len(places), len(places) + len(frames), dtype=np.uint64)
        index.add(frames.codes, ids)
        places.update(
            zip(ids.tolist(), [(entry_id, one.derivation) for one in _fingerprints(frames)], strict=True)
        )

    # When a mirrored part of one is looked for
    query = _film(1505, 6, changed_bits=11)
    matches = match_hits(query, code_hits(index.search(query.codes), places))

    # Then the answer is that of the pairwise rule
    compared = {entry_id: match_frames(query, frames) for entry_id, frames in films.items()}
    assert matches == {entry_id: match for entry_id, match in compared.items() if match}
    assert list(matches) == ["film-1"]
    assert matches["film-1"].turn == "fH"


def test_still_entry_of_a_bank_matches_on_its_one_frame() -> None:
    query = _film(100, 9)
    hits = [CodeHit(3, "still", "@0.000", 4), CodeHit(3, "other", "@7.000", 4)]
    assert set(match_hits(query, hits, still_entries=frozenset({"still"}))) == {"still"}


def test_codes_that_are_of_no_frame_are_left_out() -> None:
    query = _film(100, 9)
    hits = [CodeHit(row, "picture", name, 0) for row in range(9) for name in ("full", "cc88~fH")]
    assert match_hits(query, hits) == {}


# ---- what is compared -----------------------------------------------------------------------------------


def test_codes_of_a_video_and_of_its_entry_are_the_same() -> None:
    # Given a video with a flat frame, and another algorithm's code among an entry's
    frames = [
        FrameFingerprint(0.0, Fingerprint(Algorithm.PDQ, _code(1), 80)),
        FrameFingerprint(0.0, Fingerprint(Algorithm.PDQ, _code(2), 80, "cc88~fH")),
        FrameFingerprint(1.5, Fingerprint(Algorithm.PDQ, _code(3), 49)),
    ]
    video = VideoFingerprints(
        digests=Digests("a" * 64, "b" * 32),
        duration_seconds=3.0,
        width=640,
        height=480,
        frames=tuple(frames),
        looked_at=3,
        broke_off=False,
    )
    kept = [*video.registrable(), replace(video.registrable()[0], algorithm=Algorithm.PDQ512)]

    # Then both give the same codes: those of frames, with enough detail, of the one algorithm
    for codes in (
        FrameCodes.of(video),
        FrameCodes.of_entry([*kept, Fingerprint(Algorithm.PDQ, _code(9), 80)]),
    ):
        assert codes.codes.tobytes() == _code(1) + _code(2)
        assert codes.at_seconds.tolist() == [0, 0]
        assert codes.derivations == ("full", "cc88~fH")
        assert codes.frames == 1


def test_codes_without_their_times_are_refused() -> None:
    with pytest.raises(ValueError, match="as many"):
        FrameCodes(np.zeros((2, 32), np.uint8), np.zeros(1), ("full", "full"))


def test_blocks_give_what_the_whole_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    query = _film(110, 20, changed_bits=5)
    whole = match_frames(query, ENTRY)
    monkeypatch.setattr("staydown.matching.video._BLOCK", 7)
    assert match_frames(query, ENTRY) == whole
