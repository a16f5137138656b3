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

from staydown.fingerprint import fingerprint_image
from tests.web.harness import Harness
from tests.web.pictures import FORMATS, encoded, scene
from tests.web.register_page import choose, items, open_register, statuses, upload

pytestmark = pytest.mark.browser
DERIVATIONS = ["full", "r90", "r180", "r270", "fV", "fH", "fP", "fM"]


def decoded(content: bytes) -> np.ndarray:
    """The rules of decoding, said in Pillow: turn as EXIF says, transparency over white."""
    picture = ImageOps.exif_transpose(Image.open(io.BytesIO(content)))
    if picture.mode == "RGBA":
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture)
    return np.asarray(picture.convert("RGB"))


def expected_codes(content: bytes) -> list[list[Any]]:
    rgb = decoded(content)
    height, width = rgb.shape[:2]
    reduced = rgb
    if max(height, width) > 512:
        reduced = np.ascontiguousarray(rgb[np.arange(512) * height // 512][:, np.arange(512) * width // 512])
    out = []
    for algorithm, pixels in (("pdq", rgb), ("pdq512", reduced)):
        codes, quality = pdqhash.compute_dihedral(pixels)
        for name, code in zip(DERIVATIONS, codes, strict=True):
            out.append([algorithm, name, int(quality), np.packbits(code).tobytes().hex()])
    return out


@pytest.mark.parametrize(
    ("policy", "kernel"),
    [
        pytest.param("default-src 'none'; script-src 'wasm-unsafe-eval'", "wasm-simd", id="wasm"),
        pytest.param("default-src 'none'", "js", id="javascript"),
    ],
)
def test_codes_and_digests_equal_the_reference_for_every_format(page: Page, policy: str, kernel: str) -> None:
    # Given the page, with a policy that allows WebAssembly or does not
    files = {name: make() for name, make in FORMATS.items()}
    with Harness(worker_csp=lambda _: policy) as harness:
        open_register(page, harness.url)
        assert page.locator("html").get_attribute("data-kernel") == kernel

        # When files of every format are chosen
        choose(page, *(upload(name, content) for name, content in files.items()))
        made = items(page)

    # Then all sixteen codes, the qualities and both digests are those of the reference, bit for bit
    for (name, content), item in zip(files.items(), made, strict=True):
        assert item["sha256"] == hashlib.sha256(content).hexdigest(), name
        assert item["md5"] == hashlib.md5(content).hexdigest(), name
        assert item["media"] == "image"
        assert item["codes"] == expected_codes(content), name


def test_codes_equal_those_of_the_server_for_every_format(page: Page, harness: Harness) -> None:
    files = {name: make() for name, make in FORMATS.items()}

    # When the device and the server read the same files
    open_register(page, harness.url)
    choose(page, *(upload(name, content) for name, content in files.items()))

    # Then they agree
    for (name, content), item in zip(files.items(), items(page), strict=True):
        media = fingerprint_image(content)
        server = {(f.algorithm.value, f.derivation, f.quality, f.hex) for f in media.registrable()}
        assert {tuple(code) for code in item["codes"]} == server, name
        assert (item["sha256"], item["md5"]) == (media.digests.sha256, media.digests.md5)


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


FALSIFY = """
const read = OffscreenCanvasRenderingContext2D.prototype.getImageData;
OffscreenCanvasRenderingContext2D.prototype.getImageData = function (...where) {
  const pixels = read.apply(this, where);
  pixels.data[4 * 11] ^= 1;
  return pixels;
};
"""


def test_a_browser_that_changes_pixels_makes_digests_but_never_a_fingerprint(
    browser: Browser, harness: Harness
) -> None:
    # Given a browser that changes one sample by one when pixels are read
    original = harness.static

    def falsified(name: str) -> Any:
        answer = original(name)
        if name.endswith("fingerprint-worker.js"):
            return type(answer)(answer.status, answer.headers, FALSIFY.encode() + answer.body)
        return answer

    harness.static = falsified  # type: ignore[method-assign]
    page = browser.new_page()
    content = encoded(scene(600, 400), "JPEG")

    # When a picture is chosen
    open_register(page, harness.url)
    choose(page, upload("photo.jpg", content))

    # Then the person is told, the digest is there, and no code is
    assert page.locator("#pixels-notice").is_visible()
    assert "exact copies only" in statuses(page)["photo.jpg"]
    assert items(page)[0]["codes"] == []
    assert items(page)[0]["sha256"] == hashlib.sha256(content).hexdigest()
    page.close()
