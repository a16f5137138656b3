"""Files that cannot become fingerprints: each gets a plain sentence, and the page goes on."""

from __future__ import annotations

import pytest
from PIL import Image
from playwright.sync_api import Page

from tests.web.harness import Harness
from tests.web.pictures import FORMATS, encoded, png_header_only, scene
from tests.web.register_page import choose, items, open_register, statuses, upload

pytestmark = pytest.mark.browser


def test_each_bad_file_says_why_and_a_good_one_beside_them_is_ready(page: Page, harness: Harness) -> None:
    # Given an empty file, a text, a huge picture, broken ones, and one good picture
    good = FORMATS["photo.jpg"]()
    broken = encoded(scene(400, 300), "PNG")
    bad = {
        "empty.jpg": (b"", "empty (0 bytes)"),
        "text.jpg": (b"Dear diary, this is only text.\n" * 50, "not a picture or a video"),
        "huge.png": (png_header_only(20_000, 10_000), "The limit is 120 million pixels"),
        "long.png": (png_header_only(65_536, 5), "65,535 on one side"),
        "tiny.png": (encoded(Image.new("RGB", (3, 3)), "PNG"), "smaller than 5 pixels"),
        "cut-header.png": (broken[:14], "damaged"),
        "wrong-data.png": (broken[:60] + bytes(len(broken) - 60), "damaged"),
        "cut.jpg": (good[:100], "damaged"),
        "half.jpg": (good[: len(good) // 2], "damaged"),  # the server's decoder refuses it too
    }
    open_register(page, harness.url)

    # When all are chosen at once
    files = [upload(name, content) for name, (content, _) in bad.items()]
    choose(page, *files, upload("good.jpg", good))

    # Then each has its sentence, only the good one would be sent, and the page is alive
    said = statuses(page)
    for name, (_, sentence) in bad.items():
        assert sentence in said[name], (name, said[name])
    assert said["good.jpg"].startswith("Ready.")
    assert len(items(page)) == 1
    assert page.locator("#send").is_enabled()


def test_five_hundred_files_at_once_prepare_one_hundred_and_name_the_rest(
    page: Page, harness: Harness
) -> None:
    # Given five hundred small pictures, all different
    files = [
        upload(f"{n:03}.png", encoded(Image.new("RGB", (40, 30), (n % 256, n // 256, 9)), "PNG"))
        for n in range(500)
    ]
    open_register(page, harness.url)

    # When all are chosen at once
    choose(page, *files)

    # Then one hundred are prepared, and the page says what happens to the other four hundred
    assert len(items(page)) == 100
    notice = page.locator("#left-out-text").inner_text()
    assert "You chose 500 files" in notice
    assert "The other 400 are not read and not sent now" in notice
    page.click("#left-out summary")
    assert page.locator("#left-out-names li").count() == 400
    assert page.locator("#left-out-names li").first.inner_text() == "100.png"
    assert page.locator("#send").is_enabled()
