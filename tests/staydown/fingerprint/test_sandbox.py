"""One bad file stops itself and nothing else: crashes, bombs, timeouts, and the pool's own end."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from staydown.fingerprint import (
    DamagedFile,
    DecodeLimits,
    DecoderCrashed,
    DecodeTimedOut,
    EmptyFile,
    FileTooLarge,
    NotFingerprintable,
    QueryLevel,
    SandboxPool,
    SandboxUnavailable,
    TooManyPixels,
    TooSmall,
    UnknownFormat,
    fingerprint_image,
)
from staydown.fingerprint.errors import AudioOnly, NoFrames, NotAFile, VideoUnavailable
from staydown.fingerprint.video import fingerprint_video, query_video
from staydown.fingerprint.video_limits import VideoLimits
from tests.staydown.fingerprint.files import encoded, jpeg, png_of_zeros, webp_claim
from tests.staydown.fingerprint.films import film, scene, scenes, sound_only

MEBIBYTE = 1024 * 1024


@pytest.fixture(name="pool", scope="module")
def _pool() -> Iterator[SandboxPool]:
    with SandboxPool() as pool:
        yield pool


def _child_of(pool: SandboxPool) -> int:
    """The process id of the pool's only child, which must be idle."""
    process = pool._places.get()
    pool._places.put(process)
    assert process is not None
    return process.process_id


def test_sandbox_gives_what_the_process_itself_gives(pool: SandboxPool) -> None:
    for data in (jpeg(), jpeg(1200, 900, seed=3), encoded(Image.new("L", (70, 80), 9), "PNG")):
        assert pool.fingerprint(data) == fingerprint_image(data)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", EmptyFile),
        (b"Text that was renamed.", UnknownFormat),
        (jpeg()[:5000], DamagedFile),
        (encoded(Image.new("RGB", (1, 1)), "PNG"), TooSmall),
        (png_of_zeros(65_535, 1), TooSmall),
        (png_of_zeros(40_000, 40_000), TooManyPixels),
        (encoded(Image.new("1", (20_000, 10_000)), "TIFF", compression="group4"), TooManyPixels),
        (webp_claim(16_383, 16_383), TooManyPixels),
        (bytes(64 * MEBIBYTE + 1), FileTooLarge),
    ],
    ids=[
        "no bytes",
        "text",
        "truncated",
        "1x1",
        "65535x1",
        "a whole bomb of 1600 megapixels",
        "200 megapixels",
        "WebP that claims 268 megapixels",
        "65 MiB",
    ],
)
def test_bad_file_is_refused_by_name_and_the_next_one_works(
    pool: SandboxPool, data: bytes, error: type[NotFingerprintable]
) -> None:
    # When a bad file is given
    with pytest.raises(error) as raised:
        pool.fingerprint(data)

    # Then its error is the one that the process itself would raise, and the next file works
    with pytest.raises(error) as direct:
        fingerprint_image(data)
    assert str(raised.value) == str(direct.value)
    assert pool.fingerprint(jpeg()) == fingerprint_image(jpeg())


def test_refused_bombs_leave_the_child_small(pool: SandboxPool) -> None:
    # Given a child that has been given bombs
    pool.fingerprint(jpeg())
    for bomb in (png_of_zeros(40_000, 40_000, rows=99), webp_claim(16_383, 16_383)):
        with pytest.raises(TooManyPixels):
            pool.fingerprint(bomb)

    # Then the most memory it ever held is that of Python and its libraries
    status = Path(f"/proc/{_child_of(pool)}/status").read_text()
    peak_kib = int(status.split("VmHWM:")[1].split()[0])
    assert peak_kib < 250 * 1024


def test_picture_that_needs_more_memory_than_allowed_is_named_and_the_next_one_works() -> None:
    # Given a picture within the pixel limit, in a child that may not hold it
    large = encoded(Image.new("RGB", (10_000, 10_000)), "PNG", compress_level=1)
    with SandboxPool(limits=DecodeLimits(memory_bytes=500 * MEBIBYTE)) as pool:
        # When it is given, Then the error says so, or that the decoder gave up
        with pytest.raises((DecoderCrashed, DamagedFile)):
            pool.fingerprint(large)

        # Then the next one works
        assert pool.fingerprint(jpeg()) == fingerprint_image(jpeg())


def test_picture_of_108_megapixels_is_taken_within_the_limits(pool: SandboxPool) -> None:
    media = pool.fingerprint(encoded(Image.new("L", (12_000, 9_000), 77), "JPEG"))
    assert (media.width, media.height) == (12_000, 9_000)


def test_slow_file_times_out_and_the_next_one_works() -> None:
    with SandboxPool(limits=DecodeLimits(seconds=1.0)) as pool:
        # Given a child that has stopped, as a decoder in an endless loop has
        pool.fingerprint(jpeg())
        stopped = _child_of(pool)
        os.kill(stopped, signal.SIGSTOP)

        # When a file is given to it, Then the wait ends at the limit
        started = time.monotonic()
        with pytest.raises(DecodeTimedOut):
            pool.fingerprint(jpeg())
        assert 0.9 < time.monotonic() - started < 5

        # Then that child is gone and the next file works
        assert not Path(f"/proc/{stopped}").exists()
        assert pool.fingerprint(jpeg()) == fingerprint_image(jpeg())


def test_child_killed_in_the_middle_of_a_file_is_named_and_the_next_one_works(pool: SandboxPool) -> None:
    # Given a child that is held in the middle of a file
    pool.fingerprint(jpeg())
    victim = _child_of(pool)
    os.kill(victim, signal.SIGSTOP)

    # When it is killed there
    killer = threading.Timer(1.0, os.kill, (victim, signal.SIGKILL))
    killer.start()
    with pytest.raises(DecoderCrashed):
        pool.fingerprint(jpeg())
    killer.join()

    # Then another takes its place
    assert pool.fingerprint(jpeg()) == fingerprint_image(jpeg())
    assert _child_of(pool) != victim


def test_child_that_died_idle_is_not_blamed_on_the_next_file(pool: SandboxPool) -> None:
    # Given a child that the machine killed between two files
    pool.fingerprint(jpeg())
    os.kill(_child_of(pool), signal.SIGKILL)
    time.sleep(0.1)

    # Then the next file does not notice
    assert pool.fingerprint(jpeg()) == fingerprint_image(jpeg())


def test_child_is_replaced_after_its_share_of_files() -> None:
    with SandboxPool(limits=DecodeLimits(files_per_process=2)) as pool:
        pool.fingerprint(jpeg())
        first = _child_of(pool)
        pool.fingerprint(jpeg())
        assert not Path(f"/proc/{first}").exists()
        assert pool.fingerprint(jpeg()) == fingerprint_image(jpeg())


def test_many_threads_each_get_their_own_answer() -> None:
    # Given forty files, some of them bad, eight threads and two children
    files = [jpeg(200 + 7 * n, 150, seed=n) if n % 5 else jpeg()[: 500 + n] for n in range(40)]

    def outcome(pool: SandboxPool, data: bytes) -> object:
        try:
            return pool.fingerprint(data)
        except NotFingerprintable as error:
            return error.slug

    # When they are all asked for at once
    with SandboxPool(workers=2) as pool, ThreadPoolExecutor(8) as threads:
        outcomes = list(threads.map(lambda data: outcome(pool, data), files))

    # Then each answer belongs to its file
    expected = [fingerprint_image(data) if n % 5 else "damaged-file" for n, data in enumerate(files)]
    assert outcomes == expected


def test_closed_pool_refuses_and_leaves_no_child() -> None:
    # Given a pool with a child
    pool = SandboxPool()
    pool.fingerprint(jpeg())
    child = _child_of(pool)

    # When it is closed, twice as a careful caller may
    pool.close()
    pool.close()

    # Then the child is gone, and nothing more is read
    assert not Path(f"/proc/{child}").exists()
    with pytest.raises(SandboxUnavailable, match="closed"):
        pool.fingerprint(jpeg())


def test_pool_without_workers_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        SandboxPool(workers=0)


# ---- videos ---------------------------------------------------------------------------------------------


def test_sandbox_gives_of_a_video_what_the_process_itself_gives(pool: SandboxPool, tmp_path: Path) -> None:
    # Given a video as bytes and as a file
    data = film(scenes(1, 2, 3))
    path = tmp_path / "film.mp4"
    path.write_bytes(data)

    # Then both are read in the child with the same result, to register and to look up
    assert pool.video(data) == pool.video(path) == pool.video(str(path)) == fingerprint_video(data)
    assert pool.video(data, derive="frames2") == fingerprint_video(data, derive="frames2")
    assert pool.query_video(path) == query_video(data)
    assert pool.query_video(data, level=QueryLevel.PLAIN) == query_video(data, level=QueryLevel.PLAIN)


def test_child_is_given_an_open_file_and_keeps_none(pool: SandboxPool, tmp_path: Path) -> None:
    # Given a video whose name is gone as soon as it is open, as a temporary upload's is
    path = tmp_path / "film.mp4"
    path.write_bytes(film(scenes(1)))
    open_before = len(os.listdir(f"/proc/{_child_of(pool)}/fd"))
    for _ in range(40):  # more than the child may have open
        pool.video(path)
    assert len(os.listdir(f"/proc/{_child_of(pool)}/fd")) == open_before


def test_progress_of_a_video_reaches_the_caller(pool: SandboxPool) -> None:
    told: list[float] = []
    pool.video(film(scenes(*range(8))), told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_caller_can_stop_a_video_and_the_next_one_works(pool: SandboxPool) -> None:
    def stop(fraction: float) -> None:
        raise RuntimeError("not any more")

    with pytest.raises(RuntimeError, match="not any more"):
        pool.video(film(scenes(1, 2)), stop)
    assert pool.video(film(scenes(1))) == fingerprint_video(film(scenes(1)))


def test_bad_video_is_refused_by_name_and_the_next_one_works(pool: SandboxPool, tmp_path: Path) -> None:
    good = film(scenes(1, 2))
    for data, error in [
        (b"", EmptyFile),
        (b"Text that was renamed.", UnknownFormat),
        (jpeg(), UnknownFormat),
        (sound_only(), AudioOnly),
        (good[: good.index(b"moov") - 4], DamagedFile),
    ]:
        with pytest.raises(error):
            pool.video(data)
    with pytest.raises(NotAFile):
        pool.video(tmp_path)
    assert pool.video(good) == fingerprint_video(good)


def test_video_that_takes_too_long_is_stopped_and_the_next_one_works() -> None:
    # Given a child that has stopped in the middle, as a decoder in an endless loop has
    with SandboxPool(video_limits=VideoLimits(seconds=1.0)) as pool:
        pool.video(film(scenes(1)))
        os.kill(_child_of(pool), signal.SIGSTOP)

        # Then the wait ends at the limit for videos
        with pytest.raises(DecodeTimedOut):
            pool.video(film(scenes(1)))
        assert pool.video(film(scenes(1))) == fingerprint_video(film(scenes(1)))


def test_video_that_needs_more_memory_than_allowed_is_named_and_the_next_one_works() -> None:
    # Given frames of 33 megapixels, and a child that cannot hold one of them
    large = film([scene(1, 7680, 4320)])
    with SandboxPool(limits=DecodeLimits(memory_bytes=400 * MEBIBYTE)) as pool:
        with pytest.raises(NotFingerprintable) as raised:
            pool.video(large)
        assert isinstance(raised.value, DecoderCrashed | DamagedFile | NoFrames)
        assert pool.fingerprint(jpeg()) == fingerprint_image(jpeg())


def test_video_without_the_library_is_refused_before_a_child_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("staydown.fingerprint.video_source.find_spec", lambda name: None)
    with SandboxPool() as pool, pytest.raises(VideoUnavailable):
        pool.video(b"anything")
