"""Few frames are kept, none like another, from all over the video, however long it is."""

import numpy as np

from staydown.fingerprint.video_spread import SAME_BITS, Look, SpreadFrames


def _look(seed: int, views: int = 1) -> Look:
    """A look unlike any of another seed."""
    return np.random.default_rng(seed).integers(0, 256, (views, 32), dtype=np.uint8)


def _changed(look: Look, *, bits: int, view: int = 0) -> Look:
    changed = look.copy()
    for bit in range(bits):
        changed[view, bit // 8] ^= 1 << bit % 8
    return changed


def _fed(looks: list[Look], *, most: int, step_seconds: float = 1.0) -> SpreadFrames[int]:
    spread: SpreadFrames[int] = SpreadFrames(most=most)
    for number, look in enumerate(looks):
        if spread.wants(number * step_seconds, look):
            spread.keep(number * step_seconds, look, number)
    return spread


def test_frame_that_the_code_of_a_kept_one_would_find_is_not_kept() -> None:
    first = _look(1)
    looks = [first, _changed(first, bits=SAME_BITS), _changed(first, bits=SAME_BITS + 1), _look(2), first]
    assert [number for _, number in _fed(looks, most=9).frames()] == [0, 2, 3]


def test_frame_counts_as_another_when_one_of_its_views_changes() -> None:
    first = _look(1, views=3)
    looks = [first, _changed(first, bits=60, view=2), _changed(first, bits=SAME_BITS, view=1)]
    assert [number for _, number in _fed(looks, most=9).frames()] == [0, 1]


def test_many_frames_are_thinned_out_evenly() -> None:
    # Given four hours, a frame a second, each unlike the others
    spread = _fed([_look(number) for number in range(4 * 3600)], most=64)

    # Then 64 are kept from the first second on, and nothing is denser than a third of the even step
    times = [at_seconds for at_seconds, _ in spread.frames()]
    steps = np.diff(times)
    assert len(times) == 64
    assert times[0] == 0
    assert times[-1] > 4 * 3600 * 0.95
    assert steps.min() > 4 * 3600 / 64 / 3
    assert steps.max() < 4 * 3600 / 64 * 3


def test_no_more_than_twice_as_many_are_ever_held() -> None:
    spread: SpreadFrames[int] = SpreadFrames(most=8)
    held = []
    for number in range(500):
        if spread.wants(number, _look(number)):
            spread.keep(number, _look(number), number)
        held.append(len(spread._kept))
    assert max(held) <= 16


def test_as_many_as_are_wanted_stay_as_they_are() -> None:
    assert [number for _, number in _fed([_look(n) for n in range(8)], most=8).frames()] == list(range(8))
    assert len(_fed([_look(n) for n in range(9)], most=8).frames()) == 8
    assert len(_fed([_look(n) for n in range(9)], most=1).frames()) == 1
    assert _fed([], most=8).frames() == []


def test_same_frames_give_the_same_choice() -> None:
    looks = [_look(number // 3) for number in range(600)]
    assert _fed(looks, most=16).frames() == _fed(looks, most=16).frames()
