"""The limits admit the cameras they name, and are those of the kernel."""

from pathlib import Path

from staydown.fingerprint import DEFAULT_LIMITS
from staydown.fingerprint.headers.jpeg import count_scans, read_jpeg
from staydown.fingerprint.limits import MAX_SIDE, MIN_SIDE
from tests.staydown.fingerprint.files import jpeg

NATIVE = Path(__file__).parents[3] / "native"


def test_a_108_megapixel_phone_fits() -> None:
    assert DEFAULT_LIMITS.max_pixels >= 12_000 * 9_000


def test_sides_are_those_of_the_kernel() -> None:
    assert f"#define MAX_SIDE {MAX_SIDE} " in (NATIVE / "photo.c").read_text()
    assert f"#define SD_MIN_SIDE {MIN_SIDE} " in (NATIVE / "include" / "staydown.h").read_text()


def test_what_programs_write_lies_far_within_the_limits() -> None:
    # Given a progressive photo with restart markers and a profile, as cameras and editors write them
    data = jpeg(640, 480, progressive=True, icc_profile=bytes(200_000), restart_marker_rows=1)

    # Then its scans, segments and profile are a tenth of what is allowed, or less
    assert count_scans(data, at_most=1000) * 10 <= DEFAULT_LIMITS.max_scans
    assert read_jpeg(data, max_parts=DEFAULT_LIMITS.max_parts // 10).profile == bytes(200_000)
    assert DEFAULT_LIMITS.max_profile_bytes >= 200_000 * 10


def test_frames_of_a_usual_animation_lie_within_the_limits() -> None:
    # Given ten seconds of 800 x 600 at 25 frames a second
    assert DEFAULT_LIMITS.max_frame_pixels >= 800 * 600 * 250
    assert 10 / DEFAULT_LIMITS.frame_seconds <= DEFAULT_LIMITS.max_frames
