"""Browser and server make the same fingerprints: ninety varied files, each way that a file can be decoded.

One page is loaded for all files of a test; every code of the registered set is compared.
"""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from staydown.fingerprint import fingerprint_image
from tests.web.harness import Harness
from tests.web.pictures import encoded, scene
from tests.web.register_page import choose, items, open_register, statuses, upload
from tests.web.test_fingerprints import FALSIFY, before_worker, bits_apart
from tests.web.varied_pictures import heics, varied

pytestmark = pytest.mark.browser
# Chromium converts colours by another library than the server, which rounds one sample in forty otherwise.
MANAGED_BITS = 2
MANAGED = {
    *("grey-profile.jpg", "p3.jpg", "p3-turned.jpg", "adobe.jpg", "adobe-turned.jpg", "grey-profile.png"),
    *("p3.png", "adobe.png", "p3-alpha.png", "p3.webp", "p3.avif"),
}
# Known to be decoded otherwise than on the server, so there are digests only.
NOT_EXACT_IN_CHROMIUM = {"alpha.avif"}
NOT_EXACT_BY_OTHER_DECODER = {"cmyk.jpg", "ycck.jpg"} | {name for name in varied() if name.endswith(".avif")}


def registered(content: bytes) -> list[list[Any]]:
    """What the server would register."""
    return [
        [f.algorithm.value, f.derivation, f.quality, f.hex] for f in fingerprint_image(content).registrable()
    ]


def made_on(page: Page, url: str, files: dict[str, bytes]) -> dict[str, list[list[Any]]]:
    """The codes that the page makes of each file."""
    open_register(page, url)
    choose(page, *(upload(name, content) for name, content in files.items()), timeout_ms=180_000)
    found = {item["sha256"]: item["codes"] for item in items(page)}
    assert len(found) == len(files), statuses(page)
    return {name: found[hashlib.sha256(content).hexdigest()] for name, content in files.items()}


def test_chromium_makes_the_servers_codes_of_every_kind_of_picture(page: Page, harness: Harness) -> None:
    # Given more than sixty files that differ in kind, size, colours, turn and transparency
    files = varied()
    assert len(files) > 60

    # When all are chosen on one page
    made = made_on(page, harness.url, files)

    # Then every code is the server's, bit for bit, or within rounding where colours were converted
    for name, content in files.items():
        expected = registered(content)
        assert len(expected) > 16, name
        if name in NOT_EXACT_IN_CHROMIUM:
            assert made[name] == []
        elif name in MANAGED:
            assert [code[:2] for code in made[name]] == [code[:2] for code in expected], name
            apart = [bits_apart(a[3], b[3]) for a, b in zip(made[name], expected, strict=True)]
            assert max(apart) <= MANAGED_BITS, (name, apart)
        else:
            assert made[name] == expected, name


def test_photos_of_phones_are_opened_by_a_decoder_that_is_loaded_only_then(
    page: Page, harness: Harness
) -> None:
    # Given a page that was loaded without the decoder of HEIC
    files = heics()
    assert len(files) >= 20
    open_register(page, harness.url)
    assert not any("heic-worker" in request.target for request in harness.requests)

    # When photos of that kind are chosen
    made = made_on(page, harness.url, files)

    # Then every code is the server's, and the decoder was loaded once
    for name, content in files.items():
        assert made[name] == registered(content), name
    assert [r.target for r in harness.requests if "heic-worker" in r.target] == [
        "/static/dist/heic-worker.js"
    ]


def test_a_browser_that_changes_pixels_makes_the_servers_codes_by_another_decoder(
    browser: Browser, harness: Harness
) -> None:
    # Given a browser that changes one sample by one when pixels are read
    before_worker(harness, FALSIFY)
    page = browser.new_page()
    files = varied() | heics()

    # When every kind of picture is chosen
    made = made_on(page, harness.url, files)

    # Then the person was told, and each code is the server's, bit for bit, or there is none
    assert page.locator("#pixels-notice").is_visible()
    for name, content in files.items():
        assert made[name] == ([] if name in NOT_EXACT_BY_OTHER_DECODER else registered(content)), name
    assert "cannot be read exactly here" in statuses(page)["cmyk.jpg"]
    page.close()


def test_control_without_the_self_test_the_changed_pixels_would_change_codes(
    browser: Browser, harness: Harness
) -> None:
    # Given a browser that changes pixels of every picture but those of the self-test
    before_worker(harness, FALSIFY.replace("pixels.data[", "if (where[2] !== 64) pixels.data.reverse()["))
    page = browser.new_page()
    content = encoded(scene(400, 300), "JPEG")

    # Then its codes are not the server's: the comparison can fail
    assert made_on(page, harness.url, {"photo.jpg": content})["photo.jpg"] != registered(content)
    page.close()


def test_without_the_other_decoder_there_are_digests_and_the_page_says_why(
    browser: Browser, harness: Harness
) -> None:
    # Given a browser that changes pixels, on a page whose other decoder cannot be loaded, and a phone's photo
    before_worker(harness, FALSIFY)
    original = harness.static
    refused = ("decode-worker.js", "heic-worker.js")
    harness.static = lambda name: original("none" if name.endswith(refused) else name)  # type: ignore[method-assign]
    page = browser.new_page()
    photo = encoded(scene(400, 300), "JPEG")

    # When pictures are chosen
    made = made_on(page, harness.url, {"photo.jpg": photo, "phone.heic": heics()["p3.heic"]})

    # Then there are no codes, and the reason is told
    assert made == {"photo.jpg": [], "phone.heic": []}
    assert all("could not be loaded" in said for said in statuses(page).values())
    page.close()
