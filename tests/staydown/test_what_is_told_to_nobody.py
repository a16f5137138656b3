"""Over a whole run, with logging turned all the way up: no fingerprint, digest, key phrase, token or password
in a log record, in an address that a page links to, or in a header.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from staydown.access.operations import add_staff_member
from staydown.access.terms import Role
from staydown.action.models import DeliveryRecord
from staydown.action.queries import copies_of
from staydown.bank.models import EntryRecord
from staydown.cases.terms import SubmittedItem
from staydown.journeys.publishing import publish_bank, publish_tokens
from staydown.journeys.set_up_platform import connect_platform
from staydown.notices.models import NoticeRecord
from tests.staydown.conftest import an_item, some_content
from tests.staydown.doors import Screen, Window, a_submission, secrets_of

PASSWORD, WRONG_PASSWORD = "a password of Bob's own", "a slip of Bob's fingers"
WRONG_PHRASE, WRONG_TOKEN = "seven wrong words that nobody was given", "sdk_made-up-by-charlie"


class Followed(Window):
    """A window that keeps every answer."""

    def __init__(self, seen: list[Screen]) -> None:
        super().__init__()
        self.seen = seen

    def open(self, path: str) -> Screen:
        self.seen.append(super().open(path))
        return self.seen[-1]

    def send_from(self, page: Screen, *, action: str, **values: Any) -> Screen:
        self.seen.append(super().send_from(page, action=action, **values))
        return self.seen[-1]


@dataclass(frozen=True)
class Run:
    """Every answer that somebody saw, and what must not stand in the wrong places."""

    seen: list[Screen]
    phrase: str
    secrets: list[str]
    derivations: list[str]
    """What the registered codes are called, as far as no other word is."""
    told_to_platform: str
    """Every answer and every message that the platform got."""
    receipt: str
    log: str
    """What anybody can fetch of the ledger."""


@pytest.fixture
def story(db: None, settings: Any) -> Callable[[], Run]:
    """Does everything that the main story does, with its slips."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

    def play() -> Run:
        now, seen = datetime.now(UTC), []
        forum = connect_platform(
            name="Forum",
            url_prefix="http://127.0.0.1:8001/",
            webhook_url="http://127.0.0.1:8001/hook",
            now=now,
        )
        add_staff_member(username="bob", password=PASSWORD, role=Role.REVIEWER)
        items = [an_item(), an_item()]
        content = some_content(
            forum.token.platform, 1, digests=items[0].digests, fingerprints=items[0].fingerprints
        )
        phrase = alice_registers_and_asks(Followed(seen), items, content.content_url)
        bob_removes(Followed(seen))
        told = platform_answers(forum.token.secret)
        publish_bank()
        publish_tokens(now=now)
        typed = [PASSWORD, WRONG_PASSWORD, WRONG_PHRASE, WRONG_TOKEN]
        given = [phrase, forum.token.secret, forum.webhook_secret]
        return Run(
            seen=seen,
            phrase=phrase,
            secrets=[*secrets_of(items), *given, *typed],
            derivations=[code.derivation for code in items[0].fingerprints if code.derivation != "full"],
            told_to_platform=told + "".join(DeliveryRecord.objects.values_list("body", flat=True)),
            receipt=next(page.html for page in seen if page.path == "/case/proof"),
            log="".join(Window().open(path).html for path in ("/ledger/checkpoint", "/ledger/vkey")),
        )

    return play


def alice_registers_and_asks(alice: Followed, items: list[SubmittedItem], url: str) -> str:
    text = a_submission(*items)
    for refused in (text[:-9], text.replace('"version": 1', '"version": 2')):
        alice.send("/register", adult="yes", fingerprints=refused)
    page = alice.send("/register", adult="yes", fingerprints=text)
    phrase = page.html.split('id="key-phrase">')[1].split("<")[0]
    number = page.html.split('id="case-number">')[1].split("<")[0]
    alice.send("/case", action="/case/close")
    for words in (WRONG_PHRASE, phrase):
        alice.send("/case", number=number, key_phrase=words)
    alice.send("/request", adult="yes", location="https://elsewhere.example/")
    alice.send(
        "/request", adult="yes", location=url, good_faith="yes", contact="a@example.org", signature="Alice"
    )
    for path in (
        "/case",
        "/case/add",
        "/case/proof",
        "/case/withdraw/all",
        "/help/under-18",
        "/how-it-works",
        "/how-it-works/check",
        "/safety",
    ):
        alice.open(path)
    alice.open("/case/withdraw/reg_nothing")
    alice.open("/exit")
    return phrase


def bob_removes(bob: Followed) -> None:
    for password in (WRONG_PASSWORD, PASSWORD):
        bob.send("/desk/sign-in", username="bob", password=password)
    [notice] = NoticeRecord.objects.all()
    page = f"/desk/requests/{notice.number}"
    for action, values in (
        ("claim", {}),
        ("open", {"opening_reason": "check_location"}),
        ("decline", {}),
        ("remove", {}),
    ):
        bob.send(page, action=f"{page}/{action}", **values)
    for path in ("/desk/", "/desk/closed", page):
        bob.open(path)


def platform_answers(token: str) -> str:
    """What the platform does after a removal; returns what it heard, with its own token and another."""
    heard = []
    number = NoticeRecord.objects.get().number
    [copy] = copies_of([number])[number]
    entry = EntryRecord.objects.first()
    for bearer in (WRONG_TOKEN, token):
        client = Client(headers={"Authorization": f"Bearer {bearer}"}, raise_request_exception=False)
        heard += [
            client.get(f"/api/v1/notices/{number}"),
            client.get(f"/api/v1/copies/{copy.id}"),
            client.post(f"/api/v1/copies/{copy.id}/gone"),
            client.get(f"/api/v1/entries/{entry.public_id}"),
            client.post("/api/v1/notices", json.dumps({"urls": 7}), content_type="application/json"),
        ]
    return "".join(answer.content.decode() for answer in heard)


def found_in(text: str, secrets: list[str]) -> list[str]:
    return [secret for secret in secrets if secret in text]


def test_no_secret_stands_in_a_log_record(story: Callable[[], Run], caplog: pytest.LogCaptureFixture) -> None:
    # When the story is played and everything is logged, also what an installation leaves out
    for name in (None, "django.request", "staydown"):
        caplog.set_level(logging.DEBUG, logger=name)
    run = story()

    # Then something was (the refusals), and no secret is in any record, argument or traceback
    formatter = logging.Formatter()
    logged = "\n".join(f"{formatter.format(record)} {record.args!r}" for record in caplog.records)
    assert "Forbidden: /case" in logged
    assert "Unprocessable" in logged
    assert found_in(logged, run.secrets) == []


def test_no_secret_stands_in_an_address_or_in_a_header(story: Callable[[], Run]) -> None:
    run = story()
    addresses = [link for page in run.seen for link in (*page.links, page.goes_to, page.path)]
    addresses += [form.action for page in run.seen for form in page.forms]
    headers = [text for page in run.seen for text in page.response.headers.values()]

    assert len(addresses) > 100
    assert found_in("\n".join(addresses + headers), run.secrets) == []


def test_key_phrase_stands_on_one_page_once(story: Callable[[], Run]) -> None:
    run = story()

    assert sum(page.html.count(run.phrase) for page in run.seen) == 1


def test_no_platform_receipt_or_public_log_names_a_code_or_how_it_was_derived(
    story: Callable[[], Run],
) -> None:
    # When the story is played
    run = story()

    # Then each of them says something, and nothing of the fingerprints
    for text, word in (
        (run.told_to_platform, "ent_"),
        (run.told_to_platform, "copy.instructed"),
        (run.receipt, "C-"),
        (run.log, "/ledger"),
    ):
        assert word in text
        assert found_in(text, run.secrets) == []
        assert found_in(text, [f'"{name}"' for name in run.derivations]) == []


def test_staff_and_strangers_read_no_derivation_on_any_page(story: Callable[[], Run]) -> None:
    run = story()
    # Alice's own pages may say what her device sent; the desk's and the public's may not.
    pages = [page.html for page in run.seen if page.path.startswith(("/desk", "/how-it-works", "/help"))]

    assert len(pages) > 8
    assert len(run.derivations) > 30
    assert found_in("\n".join(pages), [name for name in run.derivations if len(name) > 3]) == []
