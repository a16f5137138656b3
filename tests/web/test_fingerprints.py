"""Fingerprints made in Chromium are those of the server's decoder and of `pdqhash`, with every kernel."""

from __future__ import annotations

import hashlib
import io
from typing import Any

import numpy as np
import pdqhash
import pytest
from PIL import Image, ImageOps
from playwright.sync_api import Browser, Page

from staydown.fingerprint import DERIVATIONS, Fingerprint, fingerprint_image
from staydown.fingerprint.views import split_derivation, view_rectangle
from tests.web.harness import Harness
from tests.web.pictures import FORMATS, MOVING, encoded
from tests.web.register_page import choose, items, open_register, statuses, upload

pytestmark = pytest.mark.browser
# Parts come from means of blocks, so they are near, not equal. A narrow part of a panorama keeps so few
# samples that only a match is promised (31 bits, staydown.matching). Unrelated pictures are about 128 apart.
MAX_BITS_APART = 4
ENOUGH_SAMPLES = 128
MATCH_BITS = 31


def decoded(content: bytes) -> np.ndarray:
    """The rules of decoding, said in Pillow: turn as EXIF says, transparency over white."""
    picture = ImageOps.exif_transpose(Image.open(io.BytesIO(content)))
    if picture.mode == "RGBA":
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture)
    return np.asarray(picture.convert("RGB"))


def reference_codes(rgb: np.ndarray) -> tuple[dict[str, str], int]:
    """Code of each turn, and quality, by `pdqhash`."""
    codes, quality = pdqhash.compute_dihedral(np.ascontiguousarray(rgb))
    return {
        turn: np.packbits(code).tobytes().hex() for turn, code in zip(DERIVATIONS, codes, strict=True)
    }, int(quality)


def sampled_to_512(rgb: np.ndarray) -> np.ndarray:
    height, width = rgb.shape[:2]
    if max(height, width) <= 512:
        return rgb
    return rgb[np.arange(512) * height // 512][:, np.arange(512) * width // 512]


def bits_apart(code: str, other: str) -> int:
    return (int(code, 16) ^ int(other, 16)).bit_count()


@pytest.mark.parametrize(
    ("policy", "kernel"),
    [
        pytest.param("default-src 'none'; script-src 'wasm-unsafe-eval'", "wasm-simd", id="wasm"),
        pytest.param("default-src 'none'", "js", id="javascript"),
    ],
)
def test_the_device_registers_what_python_registers_of_every_format(
    page: Page, policy: str, kernel: str
) -> None:
    # Given the page, with a policy that allows WebAssembly or does not
    files = {name: make() for name, make in FORMATS.items()}
    with Harness(worker_csp=lambda _: policy) as harness:
        open_register(page, harness.url)
        assert page.locator("html").get_attribute("data-kernel") == kernel

        # When files of every format are chosen
        choose(page, *(upload(name, content) for name, content in files.items()))
        made = items(page)

    # Then the codes of the whole and of its parts have Python's names, order, qualities and bits
    for (name, content), item in zip(files.items(), made, strict=True):
        media = fingerprint_image(content)
        told = [[f.algorithm.value, f.derivation, f.quality, f.hex] for f in media.registrable()]
        assert item["codes"] == told, name
        assert any(split_derivation(derivation)[0] != "full" for _, derivation, _, _ in told), name
        assert (item["sha256"], item["md5"]) == (media.digests.sha256, media.digests.md5), name
        assert item["media"] == "image"


def test_codes_are_those_of_pdqhash_for_the_whole_and_next_to_them_for_parts(
    page: Page, harness: Harness
) -> None:
    # Given files of every format, but the largest, whose parts take `pdqhash` long
    files = {name: make() for name, make in FORMATS.items() if name != "large.jpg"}

    # When they are chosen
    open_register(page, harness.url)
    choose(page, *(upload(name, content) for name, content in files.items()))

    # Then each code is that of the named turn of the named part, cut out of the picture by slicing
    for (name, content), item in zip(files.items(), items(page), strict=True):
        assert item["sha256"] == hashlib.sha256(content).hexdigest(), name
        assert item["md5"] == hashlib.md5(content).hexdigest(), name
        rgb = decoded(content)
        for algorithm, derivation, quality, code in item["codes"]:
            view, turn = split_derivation(derivation)
            part = view_rectangle(view, width=rgb.shape[1], height=rgb.shape[0])
            assert part is not None
            pixels = rgb[part.top : part.top + part.height, part.left : part.left + part.width]
            codes, reference_quality = reference_codes(
                sampled_to_512(pixels) if algorithm == "pdq512" else pixels
            )
            if view == "full":
                assert (code, quality) == (codes[turn], reference_quality), (name, derivation)
            else:
                samples = min(part.width // max(1, rgb.shape[1] // 1024), part.height)
                limit = MAX_BITS_APART if samples >= ENOUGH_SAMPLES else MATCH_BITS
                assert bits_apart(code, codes[turn]) <= limit, (name, derivation)


def test_frames_of_moving_pictures_are_registered_as_in_python(page: Page, harness: Harness) -> None:
    # Given moving pictures of each kind, one of more scenes than are taken, and one that was cut off
    files = {name: make() for name, make in MOVING.items()}

    # When they are chosen
    open_register(page, harness.url)
    choose(page, *(upload(name, content) for name, content in files.items()))

    # Then the first frame's codes are followed by those of further scenes, with Python's names and bits
    for (name, content), item in zip(files.items(), items(page), strict=True):
        told = [[f.algorithm.value, f.derivation, f.quality, f.hex] for f in of_python(content)]
        assert item["codes"] == told, name
        assert any(derivation.startswith("@") for _, derivation, _, _ in told), name


def of_python(content: bytes) -> tuple[Fingerprint, ...]:
    return fingerprint_image(content).registrable()


def test_a_browser_that_decodes_no_frames_registers_the_first(browser: Browser, harness: Harness) -> None:
    # Given a browser without a decoder for frames
    before_worker(harness, "delete self.ImageDecoder;")
    page = browser.new_page()
    content = MOVING["moving.gif"]()

    # When a moving picture is chosen
    open_register(page, harness.url)
    choose(page, upload("moving.gif", content))

    # Then its codes are those of the first frame
    told = [[f.algorithm.value, f.derivation, f.quality, f.hex] for f in of_python(content)]
    assert items(page)[0]["codes"] == [code for code in told if not code[1].startswith("@")]
    page.close()


def test_a_video_gets_digests_only_and_the_page_says_so(page: Page, harness: Harness) -> None:
    content = b"\x00\x00\x00\x18ftypisom" + np.random.default_rng(1).bytes(9_000_000)
    open_register(page, harness.url)

    choose(page, upload("clip.mp4", content))

    assert items(page) == [
        {
            "media": "video",
            "sha256": hashlib.sha256(content).hexdigest(),
            "md5": hashlib.md5(content).hexdigest(),
            "codes": [],
        }
    ]
    assert "exact copies only" in statuses(page)["clip.mp4"]


def test_a_flat_picture_is_sent_without_codes_because_its_quality_is_low(
    page: Page, harness: Harness
) -> None:
    open_register(page, harness.url)

    choose(page, upload("flat.png", encoded(Image.new("RGB", (300, 200), "grey"), "PNG")))

    assert items(page)[0]["codes"] == []
    assert "too little detail" in statuses(page)["flat.png"]


def before_worker(harness: Harness, script: str) -> None:
    """Runs this in the worker before its own script."""
    original = harness.static

    def static(name: str) -> Any:
        answer = original(name)
        if name.endswith("fingerprint-worker.js"):
            return type(answer)(answer.status, answer.headers, script.encode() + answer.body)
        return answer

    harness.static = static  # type: ignore[method-assign]


FALSIFY = """
const read = OffscreenCanvasRenderingContext2D.prototype.getImageData;
OffscreenCanvasRenderingContext2D.prototype.getImageData = function (...where) {
  const pixels = read.apply(this, where);
  pixels.data[4 * 11] ^= 1;
  return pixels;
};
"""
