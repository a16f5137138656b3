"""Story: what Staydown has accepted survives that it is killed, at whatever instant.

1. Alice gets a receipt; in that instant all of Staydown is killed (SIGKILL, the worker too).
2. After a restart her request is in the queue with its deadline, and her receipt opens her case.
3. Bob decides; Staydown is killed before the webhook went out. After a restart it goes out, both posts go.
4. The worker alone is killed: it is started again, and what is due is done.
5. Alice withdraws; Staydown is killed at once. After the restart nothing of hers is matched.
6. Killed in the middle of many requests: every number that was handed out is in the queue.
"""

from __future__ import annotations

import os
import random
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import BrowserContext

from staydown.cli.demo_setup import painted
from staydown.cli.visitor import Visitor
from tests.stories.people import (
    Receipt,
    fill_in_request,
    forum_member,
    gate,
    posted,
    receipt_on,
    registered,
    requested,
    reviewer,
    status,
    variants,
)
from tests.stories.serving import OwnHouse, run_staydown, wait_until

pytestmark = pytest.mark.browser
ROUNDS = 2


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnHouse]:
    """A house that is killed and started again; the forum stays."""
    own = OwnHouse(tmp_path_factory.mktemp("house"))
    try:
        own.set_up()
        own.start()
        own.start_forum()
        yield own
    finally:
        own.stop()


@pytest.fixture
def bob(house: OwnHouse) -> Callable[[], Visitor]:
    """Bob signs in."""
    return lambda: reviewer(house.url, name="bob", password=house.reviewer_password)


def deadline_on(text: str, number: str) -> str:
    """The deadline that stands beside a request's number in the queue."""
    row = re.search(rf'>{number}</a></th>\s*<td><time datetime="([^"]+)"', text)
    assert row, f"{number} is not in the queue"
    return row[1]


def opens(house: OwnHouse, receipt: Receipt) -> str:
    """The case page that the receipt opens."""
    with Visitor(house.url) as later:
        answer = later.send("/case", action="/case", number=receipt.number, key_phrase=receipt.key_phrase)
    assert answer.status_code == 200
    return answer.text


def test_request_is_in_the_queue_after_a_kill_right_after_its_receipt(
    house: OwnHouse, bob: Callable[[], Visitor], phone: BrowserContext
) -> None:
    # Given a request that Alice sends from her phone
    page = phone.new_page()
    page.goto(house.url + "/request")
    fill_in_request(page, location=house.forum_url + "/posts/somewhere")
    page.get_by_role("button", name="Send the request").click()
    page.wait_for_selector("#key-phrase", state="attached")

    # When everything is killed in the instant in which her receipt arrived
    house.kill()
    receipt = receipt_on(page)
    number = page.locator(".panel .number").inner_text()
    deadline = page.locator("main time").nth(1).get_attribute("datetime")
    house.start()

    # Then the request is in the queue with the deadline that she was told, and her receipt opens her case
    with bob() as window:
        assert deadline_on(window.open("/desk/").text, number) == deadline
    assert number in opens(house, receipt)


def test_registration_is_matched_after_a_kill_right_after_its_receipt(house: OwnHouse, picture: Path) -> None:
    # Given a receipt for a picture
    with Visitor(house.url) as alice:
        receipt = registered(alice, picture.read_bytes())

    # When everything is killed at once
    house.kill()
    house.start()

    # Then its uploads are held, and the case is there
    assert gate(house.url, house.token, picture.read_bytes()) == 202
    assert "Picture 1" in opens(house, receipt)


def test_decision_is_carried_out_after_a_kill_before_the_webhook(
    house: OwnHouse, bob: Callable[[], Visitor], picture: Path
) -> None:
    # Given a request about one of two posts of a picture
    content = picture.read_bytes()
    with forum_member(house.forum_url) as mara, Visitor(house.url) as alice, bob() as window:
        posts = [posted(mara, content), posted(mara, content)]
        receipt = registered(alice, content)
        number = requested(alice, posts[0])
        page = f"/desk/requests/{number}"
        window.send(page, action=f"{page}/claim").raise_for_status()
        wait_until(
            lambda: "1 identical copy elsewhere" in window.open(page).text, what="the catalog knows the copy"
        )

        # When Bob decides while the worker stands still, and everything is killed before a webhook goes out
        for pid in house.workers():
            os.kill(pid, signal.SIGSTOP)
        window.send(page, action=f"{page}/remove").raise_for_status()
        assert [status(post) for post in posts] == [200, 200]
        house.kill()
        time.sleep(0.5)
        assert [status(post) for post in posts] == [200, 200]
        house.start()

    # Then the webhook is delivered, both posts go, and it is all in Alice's case
    wait_until(lambda: [status(post) for post in posts] == [410, 410], what="both posts are gone", seconds=30)
    wait_until(
        lambda: opens(house, receipt).count("gone, the platform says") == 2,
        what="both are confirmed",
        seconds=20,
    )
    assert gate(house.url, house.token, content) == 451

    # Then the ledger adds up after all that
    assert run_staydown("ledger", "verify", data=house.data).returncode == 0


def test_worker_that_is_killed_alone_is_started_again(
    house: OwnHouse, bob: Callable[[], Visitor], picture: Path
) -> None:
    # Given a claimed request
    with forum_member(house.forum_url) as mara, Visitor(house.url) as alice, bob() as window:
        post = posted(mara, picture.read_bytes())
        number = requested(alice, post)
        page = f"/desk/requests/{number}"
        window.send(page, action=f"{page}/claim").raise_for_status()
        before = house.workers()
        assert len(before) == 1

        # When the worker is killed, and Bob decides
        os.kill(before[0], signal.SIGKILL)
        window.send(page, action=f"{page}/remove").raise_for_status()

        # Then another one does what is due
        wait_until(lambda: status(post) == 410, what="the post is gone", seconds=30)
        assert house.workers() != before


def test_withdrawn_picture_is_not_matched_after_a_kill(house: OwnHouse, picture: Path) -> None:
    # Given a registered picture
    content = picture.read_bytes()
    with Visitor(house.url) as alice:
        registered(alice, content)
        assert gate(house.url, house.token, content) == 202

        # When Alice withdraws everything, and everything is killed at once
        alice.send("/case/withdraw/all", action="/case/withdraw/all").raise_for_status()
        house.kill()
    house.start()

    # Then no version of it is matched
    for name, version in variants(content).items():
        assert gate(house.url, house.token, version) == 200, name


def test_every_number_that_was_handed_out_is_in_the_queue(
    house: OwnHouse, bob: Callable[[], Visitor]
) -> None:
    chance = random.Random(5)
    handed_out: list[str] = []
    registrations: list[bytes] = []
    for turn in range(ROUNDS):
        # Given Alice and others who send requests and register as fast as they can
        stop = threading.Event()

        def send_requests(stop: threading.Event = stop) -> None:
            while not stop.is_set():
                try:
                    with Visitor(house.url) as alice:
                        handed_out.append(requested(alice, house.forum_url + "/posts/one"))
                except (httpx.HTTPError, AssertionError):
                    return

        def register_pictures(stop: threading.Event = stop, turn: int = turn) -> None:
            for number in range(100):
                picture = painted(5_000_000 + 100 * turn + number, width=300, height=200)
                try:
                    with Visitor(house.url) as alice:
                        registered(alice, picture)
                except (httpx.HTTPError, AssertionError):
                    return
                registrations.append(picture)

        threads = [threading.Thread(target=work) for work in (send_requests, register_pictures)]
        for thread in threads:
            thread.start()

        # When everything is killed at some instant
        before = len(handed_out), len(registrations)
        wait_until(
            lambda before=before: len(handed_out) > before[0] and len(registrations) > before[1],
            what="somebody got a number",
        )
        time.sleep(chance.uniform(0, 0.5))
        house.kill()
        stop.set()
        for thread in threads:
            thread.join()
        house.start()

    # Then every number that anybody was given is in the queue, and every registered picture is held
    assert len(handed_out) >= ROUNDS
    with bob() as window:
        queue = window.open("/desk/").text
    assert [number for number in handed_out if number not in queue] == []
    assert len(registrations) >= ROUNDS
    assert {gate(house.url, house.token, picture) for picture in registrations} == {202}
    assert run_staydown("ledger", "verify", data=house.data).returncode == 0
