"""What the people of the stories do, so that a story says it in one line.

On a screen: functions that take a Playwright page. Where it is only the Given of a story: a `Visitor`.
"""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import httpx
from PIL import Image, ImageOps
from playwright.sync_api import Page

from staydown.cli.demo_setup import join_forum, post_picture
from staydown.cli.visitor import Visitor
from staydown.fingerprint import fingerprint_image

ELEMENTS = {"adult": "yes", "good_faith": "yes", "contact": "alias@example.org", "signature": "Alice"}


@dataclass(frozen=True)
class Receipt:
    """What Alice writes down."""

    number: str
    key_phrase: str


def status(url: str) -> int:
    """What a stranger gets there."""
    return httpx.get(url, trust_env=False).status_code


def gate(url: str, token: str, picture: bytes) -> int:
    """What a platform is told about an upload: 200 goes through, 202 is held, 451 is blocked."""
    answer = httpx.post(
        f"{url}/api/v1/gate",
        files={"media": picture},
        headers={"Authorization": f"Bearer {token}"},
        trust_env=False,
    )
    return answer.status_code


def saved(image: Image.Image, kind: str = "JPEG", **options: int) -> bytes:
    """A picture as a file."""
    out = BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def variants(picture: bytes) -> dict[str, bytes]:
    """The same picture as people pass it on."""
    opened = Image.open(BytesIO(picture))
    return {
        "as it is": picture,
        "saved anew": saved(opened, quality=60),
        "as PNG": saved(opened, "PNG"),
        "as WebP": saved(opened, "WEBP", quality=80),
        "half the size": saved(opened.resize((opened.width // 2, opened.height // 2)), quality=85),
        "mirrored": saved(ImageOps.mirror(opened), quality=85),
        "turned 90 degrees": saved(opened.transpose(Image.Transpose.ROTATE_90), quality=85),
        "cut to a square": saved(ImageOps.fit(opened, (opened.height, opened.height)), quality=85),
        "in a white border": saved(ImageOps.expand(opened, opened.width // 12, "white"), quality=85),
        "a square in a black border": saved(
            ImageOps.expand(ImageOps.fit(opened, (opened.height, opened.height)), opened.width // 12),
            quality=85,
        ),
    }


# --- on a screen: the depicted person


def choose_pictures(page: Page, *files: Path) -> None:
    """On /register: says that everyone was of age, chooses files and waits until each was read."""
    page.wait_for_selector("html[data-kernel]", state="attached")
    page.check("#adult-yes")
    page.set_input_files("#files", list(files))
    page.wait_for_selector("form[data-state=done]", timeout=60_000)


def receipt_on(page: Page) -> Receipt:
    """The receipt that a page shows."""
    return Receipt(page.inner_text("#case-number").strip(), page.inner_text("#key-phrase").strip())


def register(page: Page, url: str, *files: Path) -> Receipt:
    """Registers pictures and reads the receipt."""
    page.goto(url + "/register")
    choose_pictures(page, *files)
    page.click("#send")
    page.wait_for_selector("#key-phrase")
    return receipt_on(page)


def open_case(page: Page, url: str, receipt: Receipt) -> None:
    """Types the receipt in and opens the case."""
    page.goto(url + "/case")
    page.fill("#number", receipt.number)
    page.fill("#key_phrase", receipt.key_phrase)
    page.get_by_role("button", name="Open", exact=True).click()
    page.wait_for_selector("text=What happened")


def fill_in_request(page: Page, *, location: str | None = None) -> None:
    """Fills in the four elements; `location` None leaves what the page was opened with."""
    page.check("input[name=adult][value=yes]")
    if location is not None:
        page.fill("#location", location)
    page.check("#good_faith")
    page.fill("#contact", "alias@example.org")
    page.fill("#signature", "Alice")


# --- on a screen: the reviewer


def sign_in_at_desk(page: Page, url: str, *, name: str, password: str) -> None:
    """Signs in and comes to the queue."""
    page.goto(url + "/desk/")
    page.fill("#username", name)
    page.fill("#password", password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_selector("h1:has-text('wait')")


# --- without a screen


def forum_member(forum_url: str) -> Visitor:
    """Mara joins the forum, each time under another name."""
    visitor = Visitor(forum_url)
    join_forum(visitor, name=f"mara-{secrets.token_hex(4)}", password="a long enough password")
    return visitor


def posted(member: Visitor, picture: bytes, *, title: str = "A view") -> str:
    """The address of a new post."""
    return post_picture(member, title=title, picture=picture)


def submission(*pictures: bytes) -> str:
    """What the registration page sends for these pictures."""
    items = []
    for picture in pictures:
        found = fingerprint_image(picture)
        codes = [[code.algorithm, code.derivation, code.quality, code.hex] for code in found.registrable()]
        digests = {"sha256": found.digests.sha256, "md5": found.digests.md5}
        items.append({"media": "image", **digests, "codes": codes})
    return json.dumps({"version": 1, "items": items})


def registered(alice: Visitor, *pictures: bytes) -> Receipt:
    """Alice registers pictures; her window stays open on the case."""
    answer = alice.send("/register", action="", adult="yes", fingerprints=submission(*pictures))
    number = re.search(r'id="case-number">([^<]+)<', answer.text)
    phrase = re.search(r'id="key-phrase">([^<]+)<', answer.text)
    assert number, answer.text
    assert phrase, answer.text
    return Receipt(number[1], phrase[1])


def requested(alice: Visitor, *posts: str) -> str:
    """Alice asks for removal; returns the request's number."""
    answer = alice.send("/request", action="/request", **ELEMENTS, location="\n".join(posts))
    number = re.search(r'class="number">(R-[0-9A-Z-]+)<', answer.text)
    assert number, answer.text
    return number[1]


def reviewer(url: str, *, name: str, password: str) -> Visitor:
    """Bob signs in at the desk."""
    bob = Visitor(url)
    bob.send("/desk/sign-in", action="/desk/sign-in", username=name, password=password).raise_for_status()
    return bob


def decided(bob: Visitor, request: str) -> None:
    """Bob claims a request and decides that the picture goes."""
    page = f"/desk/requests/{request}"
    bob.send(page, action=f"{page}/claim").raise_for_status()
    bob.send(page, action=f"{page}/remove").raise_for_status()
