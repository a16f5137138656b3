"""Files from strangers are looked at in processes that may fail, with the same result as in one's own.

Covers: staydown.matching.second_look_pool, staydown.matching.second_look_worker.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from staydown.fingerprint import (
    DamagedFile,
    DecodeLimits,
    DecoderCrashed,
    EmptyFile,
    FileTooLarge,
    NotFingerprintable,
    SandboxUnavailable,
    TooManyPixels,
    UnknownFormat,
)
from staydown.matching.errors import OpenCvMissing
from staydown.matching.second_look import rank_candidates, second_look
from staydown.matching.second_look_pool import SecondLookPool
from tests.staydown.fingerprint.files import encoded, png_of_zeros
from tests.staydown.matching.scenes import jpeg, scene


@pytest.fixture(name="pool", scope="module")
def _pool() -> Iterator[SecondLookPool]:
    with SecondLookPool() as pool:
        yield pool


def _child_of(pool: SecondLookPool) -> int:
    """The process id of the pool's only child, which must be idle."""
    process = pool._pool._places.get()
    pool._pool._places.put(process)
    assert process is not None
    return process.process_id


def test_pool_gives_what_the_process_itself_gives(pool: SecondLookPool, tmp_path: Path) -> None:
    # Given a picture as a file and copies in several formats
    path = tmp_path / "scene.jpg"
    path.write_bytes(jpeg(scene(1)))
    for copy in (
        jpeg(ImageOps.mirror(scene(1)).crop((50, 60, 700, 500))),
        encoded(scene(1).resize((300, 200)), "PNG"),
        encoded(scene(1).convert("L"), "WEBP"),
        jpeg(scene(2)),
    ):
        # Then both ways say the same
        assert pool.look(path, copy) == second_look(path, copy)


def test_ranking_is_the_same_whatever_the_number_of_processes() -> None:
    # Given candidates of which some are equal and some are bad
    candidates = [
        (number, jpeg(scene(1 + number % 3, 450, 300)) if number % 4 else b"a letter") for number in range(12)
    ]
    expected = rank_candidates(jpeg(scene(1)), candidates)
    heard: list[int] = []

    # When two processes work on them
    with SecondLookPool(workers=2) as pool:
        ranked = pool.rank(jpeg(scene(1)), candidates, progress=heard.append)

    # Then the ranking is the one that a single process makes
    assert [(one.name, one.look, str(one.refusal)) for one in ranked] == [
        (one.name, one.look, str(one.refusal)) for one in expected
    ]
    assert heard == list(range(1, 13))


def test_what_progress_raises_ends_the_work_and_the_pool_goes_on(pool: SecondLookPool) -> None:
    # Given a caller who gives up after the first of many
    def stop(count: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pool.rank(jpeg(scene(1)), [(number, jpeg(scene(2))) for number in range(30)], progress=stop)

    # Then the next call works
    assert pool.look(jpeg(scene(1)), jpeg(scene(1))).is_likely_copy


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", EmptyFile),
        (b"Text that was renamed.", UnknownFormat),
        (jpeg(scene(1))[:3000], DamagedFile),
        (png_of_zeros(40_000, 40_000), TooManyPixels),
        (bytes(64 * 1024 * 1024 + 1), FileTooLarge),
    ],
    ids=["no bytes", "text", "truncated", "a bomb of 1600 megapixels", "65 MiB"],
)
def test_bad_file_is_refused_by_name_and_the_next_one_works(
    pool: SecondLookPool, data: bytes, error: type[NotFingerprintable]
) -> None:
    with pytest.raises(error):
        pool.look(data, jpeg(scene(1)))
    with pytest.raises(error):
        pool.look(jpeg(scene(1)), data)
    assert pool.look(jpeg(scene(1)), jpeg(scene(1))).is_likely_copy


def test_child_that_is_killed_in_the_middle_is_named_and_the_next_one_works(pool: SecondLookPool) -> None:
    # Given a child that is held in the middle of a picture
    pool.look(jpeg(scene(1)), jpeg(scene(1)))
    victim = _child_of(pool)
    os.kill(victim, signal.SIGSTOP)

    # When it is killed there
    killer = threading.Timer(0.3, os.kill, (victim, signal.SIGKILL))
    killer.start()
    with pytest.raises(DecoderCrashed):
        pool.look(jpeg(scene(1)), jpeg(scene(1)))
    killer.join()

    # Then another takes its place
    assert pool.look(jpeg(scene(1)), jpeg(scene(1))).is_likely_copy


def test_child_has_given_up_its_means(pool: SecondLookPool) -> None:
    # Given a child that has looked at a picture; When the kernel is asked for its limits
    pool.look(jpeg(scene(1)), jpeg(scene(1)))
    text = Path(f"/proc/{_child_of(pool)}/limits").read_text()
    limits = dict(re.findall(r"^(Max [a-z ]+?)  +(\w+)", text, re.MULTILINE))

    # Then they are those of every decoding process
    assert limits["Max address space"] == str(DecodeLimits().memory_bytes)
    assert limits["Max file size"] == "0"
    assert limits["Max core file size"] == "0"


def test_picture_of_108_megapixels_is_looked_at_within_the_limits(pool: SecondLookPool) -> None:
    large = encoded(scene(1).convert("L").resize((12_000, 9_000), Image.Resampling.BILINEAR), "JPEG")
    look = pool.look(jpeg(scene(1).resize((900, 675))), large)
    assert look.is_likely_copy
    assert look.outline is not None
    assert np.allclose(look.outline[2], (12_000, 9_000), atol=100)


def test_small_copy_keeps_the_shape_or_is_a_square(pool: SecondLookPool) -> None:
    # Given a picture of 900 by 600 pixels
    data = encoded(scene(1), "PNG")

    # Then its small copies have the side that was asked for, and three channels
    assert pool.pixels(data, side=480).shape == (320, 480, 3)
    assert pool.pixels(data, side=5000).shape == (400, 600, 3)  # no answer holds more
    assert pool.pixels(data, fit="shorter", side=288).shape == (288, 432, 3)
    assert pool.pixels(jpeg(scene(1, 150, 100)), fit="shorter", side=288).shape == (288, 432, 3)
    assert pool.pixels(data, fit="square", side=288).shape == (288, 288, 3)
    grey = pool.pixels(jpeg(scene(1).convert("L")), side=90)
    assert np.array_equal(grey[:, :, 0], grey[:, :, 2])

    # Then the colours are those of the picture
    small = np.asarray(scene(1).resize((90, 60), Image.Resampling.BOX), np.int64)
    assert np.abs(pool.pixels(data, side=90).astype(np.int64) - small).mean() < 1


@pytest.mark.parametrize(("size", "shape"), [((4000, 6), (288, 833, 3)), ((6, 4000), (833, 288, 3))])
def test_small_copy_of_a_strip_is_squeezed(
    pool: SecondLookPool, size: tuple[int, int], shape: tuple[int, int, int]
) -> None:
    strip = encoded(Image.new("RGB", size, "red"), "PNG")
    assert pool.pixels(strip, fit="shorter", side=288).shape == shape


def test_closed_pool_refuses_and_leaves_no_child() -> None:
    # Given a pool with a child
    pool = SecondLookPool()
    pool.look(jpeg(scene(1)), jpeg(scene(1)))
    child = _child_of(pool)

    # When it is closed, Then the child is gone and nothing more is read
    pool.close()
    assert not Path(f"/proc/{child}").exists()
    with pytest.raises(SandboxUnavailable, match="closed"):
        pool.look(jpeg(scene(1)), jpeg(scene(1)))


def test_missing_opencv_is_named_before_anything_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(OpenCvMissing):
        SecondLookPool()
