"""Story: Alice uses Firefox; and Dana uses it with the protection against tracking that Tor Browser has.

1. Alice registers pictures, gets a receipt, and asks for a removal: as in any browser, with the same codes.
2. Dana's browser makes noise of what a page reads from a canvas. The page says that it reads her pictures in
   another way; the codes are the server's, bit for bit, or there are digests only. No request is made.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from staydown.fingerprint import fingerprint_image
from tests.stories.firefox import Window, firefox
from tests.stories.people import forum_member, gate, posted
from tests.stories.serving import ServedDemo
from tests.web.harness import Harness
from tests.web.test_fingerprints import bits_apart
from tests.web.test_wire import leaks
from tests.web.varied_pictures import heics, varied

pytestmark = pytest.mark.browser
# One of each kind; the comparison of all is Chromium's (tests/web/test_every_kind_of_picture.py).
KINDS = ["420.jpg", "444-progressive.jpg", "turned-6.jpg", "grey.jpg", "cmyk.jpg", "palette.png"]
KINDS += ["interlaced.png", "plain.gif"]
# In ordinary Firefox its own arithmetic rounds these a little otherwise; the private one has the server's.
ROUNDED = [
    "p3.jpg",
    "adobe.png",
    "alpha.png",
    "alpha-lossless.webp",
    "sixteen.png",
    "lossy-80.webp",
    "90.avif",
]
ROUNDED_BITS = 4
HEICS = ["640x480.heic", "turned-6.heic", "p3.heic"]
NOT_EXACT_BY_OTHER_DECODER = {"cmyk.jpg", "90.avif"}


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Window]:
    with firefox(tmp_path_factory.mktemp("firefox")) as opened:
        yield opened


@pytest.fixture(scope="module")
def private(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Window]:
    with firefox(tmp_path_factory.mktemp("private"), private=True) as opened:
        yield opened


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    every = varied() | heics()
    for name in (*KINDS, *ROUNDED, *HEICS):
        (tmp_path / name).write_bytes(every[name])
    return {name: tmp_path / name for name in (*KINDS, *ROUNDED, *HEICS)}


def registered(content: bytes) -> list[list[Any]]:
    return [
        [f.algorithm.value, f.derivation, f.quality, f.hex] for f in fingerprint_image(content).registrable()
    ]


def made(window: Window, files: dict[str, Path]) -> dict[str, list[list[Any]]]:
    """The codes that the page would send of each file."""
    found = {item["sha256"]: item["codes"] for item in json.loads(window.value("#fingerprints"))["items"]}
    return {name: found[hashlib.sha256(path.read_bytes()).hexdigest()] for name, path in files.items()}


def test_alice_registers_and_asks_for_removal_in_firefox(
    demo: ServedDemo, window: Window, paint: Callable[[str], Path]
) -> None:
    # Given a picture that somebody has posted
    picture = paint("landscape.jpg")
    with forum_member(demo.forum_url) as mara:
        post = posted(mara, picture.read_bytes())

    # When Alice registers it
    window.open(demo.url + "/register")
    window.choose(picture)
    assert made(window, {"one": picture})["one"] == registered(picture.read_bytes())
    window.click("#send")
    window.find("#key-phrase")

    # Then uploads are held
    assert window.text("#case-number").startswith("C-")
    assert gate(demo.url, demo.secrets.token, picture.read_bytes()) == 202

    # When she asks for its removal
    window.open(demo.url + "/request")
    window.click("input[name=adult][value=yes]")
    window.fill("#location", post)
    window.click("#good_faith")
    window.fill("#contact", "alias@example.org")
    window.fill("#signature", "Alice")
    window.click("main form[method=post] button[type=submit]:not([formaction])")

    # Then she has a number and a time
    window.until(lambda: "R-" in window.text("main"), "the request's number")
    assert "Your request was received" in window.text("main")


def test_firefox_makes_the_servers_codes_of_every_kind(
    demo: ServedDemo, window: Window, files: dict[str, Path]
) -> None:
    window.open(demo.url + "/register")
    window.choose(*files.values())

    found = made(window, files)

    for name in (*KINDS, *HEICS):
        assert found[name] == registered(files[name].read_bytes()), name
    for name in ROUNDED:
        expected = registered(files[name].read_bytes())
        assert [code[:2] for code in found[name]] == [code[:2] for code in expected], name
        apart = [bits_apart(a[3], b[3]) for a, b in zip(found[name], expected, strict=True)]
        assert max(apart) <= ROUNDED_BITS, (name, apart)


def test_dana_whose_browser_makes_noise_gets_the_servers_codes_or_digests(
    demo: ServedDemo, private: Window, files: dict[str, Path]
) -> None:
    # Given the page in a browser that makes noise, and the wire to look at
    with Harness(upstream=demo.url) as wire:
        private.open(wire.url + "/register")
        private.find("#pixels-notice:not([hidden])")
        private.until(
            lambda: any("decode-worker" in r.target for r in wire.requests), "the decoder is loaded"
        )
        wire.clear()

        # When Dana chooses pictures of every kind
        private.choose(*files.values())
        found = made(private, files)

        # Then nothing was requested but the decoder of phones' photos
        assert {request.target for request in wire.requests} <= {"/static/dist/heic-worker.js"}
        assert leaks(wire.requests, [path.read_bytes() for path in files.values()]) == []

    # Then each code is the server's, bit for bit, or there is none and the page says so
    for name, path in files.items():
        expected = [] if name in NOT_EXACT_BY_OTHER_DECODER else registered(path.read_bytes())
        assert found[name] == expected, name
    assert private.text("#file-list").count("cannot be read exactly here") == len(NOT_EXACT_BY_OTHER_DECODER)
