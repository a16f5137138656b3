"""Story: a picture that suddenly seems to be everywhere is paused, and a person decides what that means.

1. Alice registers a picture; uploads of it are held.
2. Within minutes, dozens of different pictures come near it. It is paused: its uploads pass.
3. Alice reads on her case page that it is paused, and why.
4. Bob sees it above his queue, looks at the counts, is asked for a reason, and puts it back to work.
5. Uploads of it are held again; Alice reads that, too. The same flood does not pause it again.
6. Charlie reaches none of it.
"""

from __future__ import annotations

import json
import random
import secrets
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import BrowserContext, expect

from staydown.cli.visitor import Visitor
from staydown.fingerprint import Algorithm, fingerprint_image
from tests.stories.people import gate, open_case, registered, sign_in_at_desk
from tests.stories.serving import OwnHouse, wait_until
from tests.stories.test_pages_are_accessible import look_at

pytestmark = pytest.mark.browser
# Beyond the guard's floor of 60 in an hour.
UPLOADS = 64
# Beyond 16, where copies of one picture seldom are, and within the 31 of a match.
BITS_AWAY = 24


@pytest.fixture
def house(tmp_path: Path) -> Iterator[OwnHouse]:
    """A house of this story's own; a flood in the common one would stand on every desk."""
    own = OwnHouse(tmp_path)
    try:
        own.set_up()
        own.start()
        yield own
    finally:
        own.stop()


def uploads_near(picture: bytes) -> bytes:
    """Different pictures near one, as a platform sends their fingerprints in a batch."""
    chance = random.Random(7)
    whole = fingerprint_image(picture).registrable()
    code = next(code for code in whole if (code.algorithm, code.derivation) == (Algorithm.PDQ, "full"))
    lines = []
    for number in range(UPLOADS):
        turned = sum(1 << place for place in chance.sample(range(256), BITS_AWAY))
        near = (int.from_bytes(code.code) ^ turned).to_bytes(32).hex()
        fingerprints = {
            "pdq": {"hex": near, "quality": 90},
            "sha256": secrets.token_hex(32),
            "md5": secrets.token_hex(16),
        }
        lines.append(json.dumps({"fingerprints": fingerprints, "content_id": f"post-{number}"}))
    return "\n".join(lines).encode()


def test_flood_is_paused_and_a_reviewer_puts_the_picture_back(
    house: OwnHouse, phone: BrowserContext, desktop: BrowserContext, picture: Path
) -> None:
    # Given Alice's picture, which is held
    content = picture.read_bytes()
    with Visitor(house.url) as alice:
        receipt = registered(alice, content)
    assert gate(house.url, house.token, content) == 202

    # When dozens of different pictures come near it
    answer = httpx.post(
        f"{house.url}/api/v1/check/batch",
        content=uploads_near(content),
        headers={"Authorization": f"Bearer {house.token}", "Content-Type": "application/jsonl"},
        trust_env=False,
    )
    assert [json.loads(line)["action"] for line in answer.text.splitlines()] == ["hold"] * UPLOADS

    # Then it is paused
    wait_until(lambda: gate(house.url, house.token, content) == 200, what="its uploads pass")

    # Then Alice reads so on her case page, and that a person looks
    page = phone.new_page()
    open_case(page, house.url, receipt)
    expect(page.get_by_text("This picture does not protect you for now")).to_be_visible()
    expect(page.get_by_text("a person is looking at it", exact=False)).to_be_visible()
    wrong = look_at(page, "case-paused")

    # Then Bob sees it above his queue, and the page has the counts and no picture
    desk = desktop.new_page()
    sign_in_at_desk(desk, house.url, name="bob", password=house.reviewer_password)
    expect(desk.get_by_text("1 picture matches far more than usual.")).to_be_visible()
    wrong += look_at(desk, "desk-queue-flood")
    desk.get_by_role("link", name="Look at the counts").click()
    expect(desk.get_by_text(f"{UPLOADS} different files were near this picture")).to_be_visible()
    expect(desk.get_by_role("img", name="Different near uploads in each hour")).to_be_visible()
    assert desk.locator("img").count() == 0
    wrong += look_at(desk, "desk-quarantine")

    # When he forgets the reason, then he is asked for it; with one, from the keyboard, it is put back
    desk.get_by_role("button", name="Put it back to work").click()
    expect(desk.get_by_role("alert")).to_contain_text("Choose a reason")
    wrong += look_at(desk, "desk-quarantine-trouble")
    desk.get_by_label("the flood is over").focus()
    desk.keyboard.press("Space")
    desk.keyboard.press("Enter")
    expect(desk.get_by_text("Nothing is paused.")).to_be_visible()
    wrong += look_at(desk, "desk-quarantine-empty")

    # Then uploads of it are held again, and stay so while the guard comes by again
    wait_until(lambda: gate(house.url, house.token, content) == 202, what="its uploads are held")
    page.reload()
    expect(page.get_by_text("A person looked, and the picture protects you again.")).to_be_visible()
    expect(page.get_by_text("registered: uploads are held")).to_be_visible()

    # Then Charlie, who has no account, is sent away
    charlie = httpx.get(house.url + "/desk/quarantine", trust_env=False)
    assert charlie.status_code == 302
    assert charlie.headers["location"].startswith("/desk/sign-in")
    assert not wrong, "\n".join(wrong)
