"""The limits admit the cameras they name, and are those of the kernel."""

from pathlib import Path

from staydown.fingerprint import DEFAULT_LIMITS
from staydown.fingerprint.limits import MAX_SIDE, MIN_SIDE

NATIVE = Path(__file__).parents[3] / "native"


def test_a_108_megapixel_phone_fits() -> None:
    assert DEFAULT_LIMITS.max_pixels >= 12_000 * 9_000


def test_sides_are_those_of_the_kernel() -> None:
    assert f"#define MAX_SIDE {MAX_SIDE} " in (NATIVE / "photo.c").read_text()
    assert f"#define SD_MIN_SIDE {MIN_SIDE} " in (NATIVE / "include" / "staydown.h").read_text()
