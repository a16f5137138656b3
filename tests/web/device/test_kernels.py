"""The device's kernels (JavaScript, WebAssembly, with SIMD) give the bits of `pdqhash` and of hashlib.

The reference for `pdq512` is `pdqhash` on pixels sampled here by the written rule: nearest,
floor(i * side / 512). The reference for parts of a picture is the native kernel as Python calls it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pdqhash
import pytest

from staydown.fingerprint.kernel import Rectangle, scan_strips

WEB = Path(__file__).resolve().parents[3] / "web"
RUNNER = Path(__file__).with_name("run_kernels.mjs")
KERNELS = ["js", "base", "simd"]
# Around every step of the method: 64 samples, windows of ceil(side / 128), the 512 rule, odd strip ends.
SIZES = [
    (5, 5), (6, 300), (63, 64), (64, 64), (65, 63), (127, 129), (128, 128), (129, 127), (255, 257),
    (511, 512), (512, 512), (512, 513), (513, 512), (640, 480), (480, 641), (1023, 769),
    (1600, 37), (37, 1600),
]  # fmt: skip
# Blocks of one, two and three pixels, whole and ragged at the ends; sides around 1024 and 2048.
VIEW_SIZES = [(5, 5), (90, 700), (1023, 65), (64, 1025), (2047, 33), (2500, 1100), (3100, 260), (130, 4099)]
STREAM_LENGTHS = [0, 1, 55, 56, 57, 63, 64, 65, 119, 120, 128, 1000, 100_003]


def scene(width: int, height: int, *, seed: int) -> np.ndarray:
    """(height, width, 3) uint8: gradients, a disc and a little noise; nothing that shows anything."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    waves = [
        127
        + 120 * np.sin(x / width * rng.uniform(2, 14) + y / height * rng.uniform(2, 14) + rng.uniform(0, 6))
        for _ in range(3)
    ]
    picture = np.stack(waves, axis=-1)
    disc = (x - width * rng.uniform()) ** 2 + (y - height * rng.uniform()) ** 2 < (
        min(width, height) / 3
    ) ** 2
    picture[disc] = rng.uniform(0, 255, 3)
    picture += rng.normal(0, 6, picture.shape)
    return picture.clip(0, 255).astype(np.uint8)


def reference(rgb: np.ndarray) -> dict[str, Any]:
    """What `pdqhash` says of these pixels, in the shape that the device's kernels answer in."""
    codes, quality = pdqhash.compute_dihedral(rgb)
    return {"quality": int(quality), "codes": [np.packbits(code).tobytes().hex() for code in codes]}


def sampled_to_512(rgb: np.ndarray) -> np.ndarray:
    height, width = rgb.shape[:2]
    if max(height, width) <= 512:
        return rgb
    return np.ascontiguousarray(rgb[np.arange(512) * height // 512][:, np.arange(512) * width // 512])


def rectangles_in(width: int, height: int, *, seed: int) -> list[Rectangle]:
    """The whole, the smallest in each corner, and some anywhere."""
    rng = np.random.default_rng(seed)
    found = [Rectangle(0, 0, width, height)]
    found += [Rectangle(left, top, 5, 5) for left in (0, width - 5) for top in (0, height - 5)]
    for _ in range(6):
        across, down = int(rng.integers(5, width + 1)), int(rng.integers(5, height + 1))
        left, top = int(rng.integers(0, width - across + 1)), int(rng.integers(0, height - down + 1))
        found.append(Rectangle(left, top, across, down))
    return found


def of_the_native_kernel(rgb: np.ndarray, views: list[Rectangle]) -> list[dict[str, Any]]:
    """What Python's kernel says of parts of these pixels, in the shape that the device's answer in."""
    height, width = rgb.shape[:2]
    scan, _ = scan_strips([np.ascontiguousarray(rgb)], width=width, height=height, keeps_plane=True)
    answers = []
    for view in views:
        turns = scan.view(view)
        codes = [turns.codes[at : at + 32].hex() for at in range(0, 256, 32)]
        answers.append({"quality": turns.quality, "codes": codes})
    return answers


def run(
    kernel: str,
    *,
    pictures: list[np.ndarray] | None = None,
    views: list[list[Rectangle]] | None = None,
    streams: list[bytes] | None = None,
) -> Any:
    """views: rectangles for each picture; None: no plane is kept."""
    path = kernel if kernel == "js" else str(WEB / "kernel" / f"staydown.{kernel}.wasm")
    if kernel != "js" and not Path(path).exists():
        pytest.fail(f"{path} is missing; native/wasm/build.sh makes it")
    asked = {
        "kernel": path,
        "pictures": [
            {
                "width": rgb.shape[1],
                "height": rgb.shape[0],
                "rgba": base64.b64encode(
                    np.dstack([rgb, np.full(rgb.shape[:2], 77, np.uint8)]).tobytes()
                ).decode(),
                "strips": 17,
                **({} if views is None else {"views": [asdict(view) for view in views[index]]}),
            }
            for index, rgb in enumerate(pictures or [])
        ],
        "streams": [{"bytes": base64.b64encode(stream).decode(), "pieces": 77} for stream in streams or []],
    }
    done = subprocess.run(
        ["node", str(RUNNER)],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("kernel", KERNELS)
class TestKernel:
    def test_both_fingerprints_have_the_bits_and_quality_of_the_reference(self, kernel: str) -> None:
        # Given pictures of many sizes
        pictures = [scene(width, height, seed=index) for index, (width, height) in enumerate(SIZES)]

        # When the kernel reads them in strips
        results = run(kernel, pictures=pictures)["pictures"]

        # Then every one of the 2 x 8 codes and both qualities are those of pdqhash
        for size, picture, result in zip(SIZES, pictures, results, strict=True):
            assert result["pdq"] == reference(picture), size
            assert result["pdq512"] == reference(sampled_to_512(picture)), size

    def test_parts_of_a_picture_have_the_bits_and_quality_of_the_native_kernel(self, kernel: str) -> None:
        # Given pictures of which parts are wanted
        pictures = [scene(width, height, seed=index) for index, (width, height) in enumerate(VIEW_SIZES)]
        views = [rectangles_in(width, height, seed=index) for index, (width, height) in enumerate(VIEW_SIZES)]

        # When the kernel reads them in strips
        results = run(kernel, pictures=pictures, views=views)["pictures"]

        # Then the whole is as without parts, and each part's eight codes and quality are the native kernel's
        for size, picture, wanted, result in zip(VIEW_SIZES, pictures, views, results, strict=True):
            assert result["pdq"] == reference(picture), size
            assert result["views"] == of_the_native_kernel(picture, wanted), size

    def test_a_part_outside_the_picture_or_too_small_is_refused(self, kernel: str) -> None:
        outside = [(-1, 0, 9, 9), (0, -1, 9, 9), (92, 0, 9, 9), (0, 72, 9, 9), (0, 0, 4, 9), (0, 0, 9, 4)]
        rectangles = [Rectangle(*sides) for sides in [*outside, (91, 71, 9, 9)]]

        result = run(kernel, pictures=[scene(100, 80, seed=1)], views=[rectangles])["pictures"][0]

        assert result["views"][:-1] == ["refused"] * len(outside)
        assert result["views"][-1]["codes"]  # the last rectangle touches both ends and is inside

    def test_a_picture_with_a_side_that_pdq_is_not_defined_for_is_refused(self, kernel: str) -> None:
        sizes = [(4, 100), (100, 4), (65_536, 5), (5, 65_536)]
        pictures = [np.zeros((height, width, 3), np.uint8) for width, height in sizes]

        assert run(kernel, pictures=pictures)["pictures"] == ["refused"] * 4

    def test_flat_pixels_give_quality_zero_as_the_reference_does(self, kernel: str) -> None:
        flat = np.full((200, 300, 3), 128, np.uint8)

        result = run(kernel, pictures=[flat])["pictures"][0]

        assert result["pdq"]["quality"] == reference(flat)["quality"] == 0

    def test_digests_equal_those_of_the_standard_library_at_every_block_edge(self, kernel: str) -> None:
        # Given streams whose lengths lie around the 64-byte blocks
        streams = [np.random.default_rng(n).bytes(n) for n in STREAM_LENGTHS]

        # When the kernel reads them in pieces of 77 bytes
        results = run(kernel, streams=streams)["streams"]

        # Then MD5 and SHA-256 are right
        assert results == [
            {"md5": hashlib.md5(s).hexdigest(), "sha256": hashlib.sha256(s).hexdigest()} for s in streams
        ]
