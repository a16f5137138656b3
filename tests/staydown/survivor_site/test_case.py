"""The person's own case: only its receipt opens it, it closes by itself, and everything can be withdrawn."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from staydown.access import rules
from staydown.access.models import ReceiptVerifier
from staydown.access.terms import Platform
from staydown.bank.models import EntryRecord
from staydown.bank.queries import entries_of
from staydown.bank.terms import FloodDecision, FloodReason
from staydown.journal import BankJournalReader
from staydown.journeys.file_request import file_request
from staydown.journeys.judge_flood import judge_flood
from staydown.journeys.register_pictures import open_case_with_pictures
from staydown.journeys.withdraw import withdraw_everything, withdraw_picture
from staydown.journeys.work_on_request import claim_request, decline_request, grant_request
from staydown.ledger.checkpoint import verify_receipt
from staydown.ledger.errors import LedgerError
from staydown.ledger.models import LedgerEntry
from staydown.ledger.queries import latest_checkpoint
from staydown.notices.queries import notice_by_number
from staydown.notices.terms import Notice, NoticeState
from staydown.review.terms import Reason
from tests.staydown.conftest import NOW, a_draft, an_item
from tests.staydown.doors import Clock, Window, secrets_of
from tests.staydown.journeys.floods import a_flood
from tests.staydown.survivor_site.conftest import AliceCase, open_with


@pytest.fixture
def her_request(her_case: AliceCase, forum: Platform) -> Notice:
    """A request in Alice's case, waiting."""
    return file_request(a_draft(), case_number=her_case.number, now=NOW).notices[0]


def live_entries() -> int:
    """How many entries still hold what a check could match."""
    return EntryRecord.objects.exclude(sha256="").count()


# --- opening


@pytest.mark.parametrize("typed", [str, str.lower, lambda text: text.replace("-", " ")])
def test_receipt_opens_the_case_however_it_is_typed(
    alice: Window, her_case: AliceCase, typed: Callable[[str], str]
) -> None:
    # When
    sent = alice.send(
        "/case",
        number=typed(her_case.number),
        key_phrase=her_case.receipt.key_phrase.upper().replace(" ", "  "),
    )

    # Then
    assert (sent.status, sent.goes_to) == (302, "/case")
    page = alice.open("/case")
    assert page.says(f"Case {her_case.number}")
    assert page.says("Picture 1")
    assert page.says("Picture 2")
    assert page.says("2 pictures registered.")


@pytest.mark.parametrize("wrong", ["", "a b c d e f g", "'; drop table", "\x00", "x" * 100_000])
def test_wrong_words_open_nothing_and_the_number_stays_typed(
    charlie: Window, her_case: AliceCase, wrong: str
) -> None:
    # When Charlie tries Alice's number
    page = charlie.send("/case", number=her_case.number, key_phrase=wrong)

    # Then
    assert page.status == 403
    assert page.says("This number and these words do not belong together.")
    form = page.form_to("/case")
    assert form.values["number"] == her_case.number
    assert form.values["key_phrase"] == ""
    assert charlie.open("/case").form_to("/case")


def test_unknown_number_is_answered_as_a_wrong_phrase_is(charlie: Window, her_case: AliceCase) -> None:
    wrong = charlie.send("/case", number=her_case.number, key_phrase="a b c d e f g")
    unknown = charlie.send("/case", number="C-0000-0000", key_phrase="a b c d e f g")

    assert (unknown.status, unknown.title) == (wrong.status, wrong.title)
    assert unknown.text.replace("C-0000-0000", her_case.number) == wrong.text


def test_what_is_typed_is_shown_as_text_and_runs_nowhere(charlie: Window, db: None) -> None:
    page = charlie.send("/case", number='"><script>alert(1)</script>', key_phrase="x")

    assert "<script>alert" not in page.html
    assert page.form_to("/case").values["number"] == '"><script>alert(1)</script>'


def test_guessing_at_one_case_is_slowed_down_and_told_how_long(
    alice: Window, charlie: Window, her_case: AliceCase, clock: Clock
) -> None:
    # Given as many wrong tries as a case allows
    for _ in range(rules.RECEIPT_RULE.limit):
        assert charlie.send("/case", number=her_case.number, key_phrase="wrong").status == 403

    # When Charlie tries once more, now with the right words
    clock.goes_on(minutes=20, seconds=0.5)
    page = charlie.send("/case", number=her_case.number, key_phrase=her_case.receipt.key_phrase)

    # Then even they open nothing for now
    assert page.status == 429
    assert page.response.headers["Retry-After"] == str(40 * 60)
    assert page.says("Please wait 40 minutes")
    assert page.form_to("/case").values["number"] == her_case.number

    # And after the hour they do
    clock.goes_on(minutes=40)
    assert open_with(alice, her_case.receipt).status == 302


def test_walking_through_many_cases_from_one_address_is_slowed_down(
    charlie: Window, her_case: AliceCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "ADDRESS_RULE", rules.ThrottleRule(limit=3, window=timedelta(hours=1)))
    tried = [charlie.send("/case", number=f"C-0000-000{n}", key_phrase="wrong").status for n in range(4)]

    assert tried == [403, 403, 403, 429]


def test_right_words_forget_the_wrong_tries_before(alice: Window, her_case: AliceCase) -> None:
    for _ in range(3):
        for _ in range(rules.RECEIPT_RULE.limit - 1):
            alice.send("/case", number=her_case.number, key_phrase="wrong")
        assert open_with(alice, her_case.receipt).status == 302
        alice.send("/case", action="/case/close")


def test_opening_a_case_makes_a_new_session_key(alice: Window, her_case: AliceCase) -> None:
    # Given a session that somebody else may know
    other = open_case_with_pictures([an_item()], now=NOW)
    open_with(alice, other)
    known = alice.client.cookies["s"].value
    alice.send("/case", action="/case/close")

    # When
    open_with(alice, her_case.receipt)

    # Then
    assert alice.client.cookies["s"].value != known
    alice.client.cookies["s"] = known
    assert not alice.open("/case").says(her_case.number)


def test_cookies_say_nothing_and_end_with_the_window(alice: Window, her_case: AliceCase) -> None:
    open_with(alice, her_case.receipt)

    assert set(alice.client.cookies) == {"s", "t"}
    for cookie in alice.client.cookies.values():
        assert cookie["httponly"]
        assert cookie["samesite"] == "Strict"
        assert cookie["expires"] == ""
        assert cookie["max-age"] == ""


# --- closing


def test_case_closes_after_half_an_hour_without_a_click(
    alice: Window, her_case: AliceCase, clock: Clock
) -> None:
    # Given a case that is looked at now and then for an hour
    open_with(alice, her_case.receipt)
    for _ in range(3):
        clock.goes_on(minutes=30)
        assert alice.open("/case").says(her_case.number)

    # When it is not touched for longer
    clock.goes_on(minutes=30, seconds=1)

    # Then it is closed, and stays closed
    assert not alice.open("/case").says(her_case.number)
    assert alice.open("/case/proof").goes_to == "/case"
    assert alice.open("/case/add").goes_to == "/case"


def test_closing_the_case_leaves_the_case_as_it_is(alice: Window, her_case: AliceCase) -> None:
    # Given
    open_with(alice, her_case.receipt)

    # When
    sent = alice.send("/case", action="/case/close")

    # Then
    assert (sent.status, sent.goes_to) == (302, "/case")
    assert not alice.open("/case").says(her_case.number)
    assert live_entries() == 2
    assert open_with(alice, her_case.receipt).status == 302


# --- what it shows


def test_case_shows_request_with_deadline_and_decision_as_it_happens(
    alice: Window, her_case: AliceCase, her_request: Notice, bob: int, clock: Clock
) -> None:
    # Given
    open_with(alice, her_case.receipt)
    number = her_request.number

    # When it waits, then its deadline stands there with zone and hours left
    page = alice.open("/case")
    assert page.says("Monday 9 March 2026, 20:30 UTC")
    assert page.says("48 hours left")
    assert page.says("waits for a reviewer")

    # When a reviewer claims and declines it, then she reads each step and the reason
    claim_request(notice_number=number, reviewer_id=bob, now=clock.now)
    assert alice.open("/case").says("a reviewer is on it")
    decline_request(notice_number=number, reviewer_id=bob, reason=Reason.NOT_FOUND, now=clock.now)
    page = alice.open("/case")
    assert page.says("not removed")
    assert page.says("There was nothing at this address any more.")
    assert page.says(f"Request {number}: a reviewer decided that it is not removed.")

    # And never who decided
    assert "bob" not in page.html


def test_missed_deadline_is_said_plainly(
    alice: Window, her_case: AliceCase, her_request: Notice, clock: Clock
) -> None:
    # When the time has passed
    clock.goes_on(hours=48, minutes=5)
    open_with(alice, her_case.receipt)

    # Then
    page = alice.open("/case")
    assert page.says("5 minutes too late")
    assert 'class="late"' in page.html


def test_case_page_shows_copies_with_their_states(
    alice: Window, her_case: AliceCase, her_request: Notice, bob: int, clock: Clock
) -> None:
    claim_request(notice_number=her_request.number, reviewer_id=bob, now=clock.now)
    grant_request(notice_number=her_request.number, reviewer_id=bob, now=clock.now)
    open_with(alice, her_case.receipt)

    page = alice.open("/case")

    assert page.says("removal ordered")
    assert page.says(her_request.urls[0])


def test_no_page_of_a_case_shows_a_fingerprint_a_digest_or_its_words(
    alice: Window, her_case: AliceCase, her_request: Notice
) -> None:
    open_with(alice, her_case.receipt)
    shown = "".join(
        alice.open(path).html
        for path in ("/case", "/case/add", "/request", "/case/proof", "/case/withdraw/all")
    )

    assert her_case.receipt.key_phrase not in shown
    assert not [secret for secret in secrets_of(her_case.items) if secret in shown]


# --- the proof


def test_proof_that_alice_saves_verifies_without_us(
    alice: Window, her_case: AliceCase, her_request: Notice
) -> None:
    # Given
    open_with(alice, her_case.receipt)

    # When
    answer = alice.open("/case/proof")

    # Then it is a file to save, kept in no cache, that verifies with the log's key
    headers = answer.response.headers
    assert headers["Content-Type"] == "application/json"
    assert headers["Content-Disposition"] == 'attachment; filename="receipt.json"'
    assert headers["Cache-Control"] == "no-store"
    signed = latest_checkpoint()
    assert signed is not None
    verified = verify_receipt(json.loads(answer.html), trusted_vkey=signed.vkey)
    assert [row.event.kind for row in verified.events] == [
        "case.opened",
        "pictures.registered",
        "request.received",
    ]

    # And changed by one word it does not
    changed = answer.html.replace("request.received", "request.declined", 1)
    with pytest.raises(LedgerError):
        verify_receipt(json.loads(changed), trusted_vkey=signed.vkey)


def test_charlie_gets_no_proof(charlie: Window, her_case: AliceCase) -> None:
    answer = charlie.open("/case/proof")

    assert (answer.status, answer.goes_to) == (302, "/case")
    assert her_case.number not in answer.html


# --- withdrawing


def test_withdrawing_one_picture_asks_once_and_leaves_the_other(
    alice: Window, her_case: AliceCase, clock: Clock
) -> None:
    # Given the page that asks
    open_with(alice, her_case.receipt)
    first, second = her_case.registration_ids
    page = alice.open(f"/case/withdraw/{first}")
    assert page.headings == ["Withdraw picture 1"]
    assert page.says("Keep it")
    assert page.says("Withdraw it")
    assert live_entries() == 2

    # When she sends it
    clock.goes_on(minutes=1)
    sent = alice.send_from(page, action=f"/case/withdraw/{first}")

    # Then the picture's fingerprints and digests are gone, and the other's are not
    assert (sent.status, sent.goes_to) == (302, "/case")
    [gone], [kept] = entries_of(registration_ids=[first]), entries_of(registration_ids=[second])
    assert (gone.state, gone.fingerprints, gone.digests.sha256, gone.digests.md5) == ("withdrawn", (), "", "")
    assert kept.fingerprints == her_case.items[1].fingerprints
    assert alice.open("/case").says("You withdrew a picture. It is matched no more.")


def test_withdrawing_a_picture_twice_does_it_once(alice: Window, her_case: AliceCase) -> None:
    open_with(alice, her_case.receipt)
    path = f"/case/withdraw/{her_case.registration_ids[0]}"
    page = alice.open(path)
    alice.send_from(page, action=path)

    again = alice.send_from(page, action=path)

    assert again.status == 302
    assert LedgerEntry.objects.filter(kind="picture.withdrawn").count() == 1


def test_withdrawing_the_waiting_request_keeps_the_pictures(
    alice: Window, her_case: AliceCase, her_request: Notice
) -> None:
    # Given
    open_with(alice, her_case.receipt)
    page = alice.open(f"/case/withdraw/{her_request.number}")
    assert page.headings == [f"Withdraw request {her_request.number}"]

    # When
    alice.send_from(page, action=f"/case/withdraw/{her_request.number}")

    # Then
    assert notice_by_number(her_request.number).state is NoticeState.WITHDRAWN
    assert live_entries() == 2


def test_request_that_was_decided_meanwhile_stays_decided(
    alice: Window, her_case: AliceCase, her_request: Notice, bob: int, clock: Clock
) -> None:
    # Given the page that asks, and a reviewer who decides meanwhile
    open_with(alice, her_case.receipt)
    page = alice.open(f"/case/withdraw/{her_request.number}")
    claim_request(notice_number=her_request.number, reviewer_id=bob, now=clock.now)
    grant_request(notice_number=her_request.number, reviewer_id=bob, now=clock.now)

    # When
    sent = alice.send_from(page, action=f"/case/withdraw/{her_request.number}")

    # Then
    assert (sent.status, sent.goes_to) == (302, "/case")
    assert notice_by_number(her_request.number).state is NoticeState.REMOVED


def test_withdrawing_everything_ends_every_match_and_reaches_the_upload_check(
    alice: Window,
    her_case: AliceCase,
    her_request: Notice,
    settings: Any,
    django_capture_on_commit_callbacks: Any,
) -> None:
    # Given
    open_with(alice, her_case.receipt)

    # When
    with django_capture_on_commit_callbacks(execute=True):
        alice.send("/case/withdraw/all")

    # Then nothing of hers is matched, the request has ended, and the upload check is told
    assert live_entries() == 0
    assert notice_by_number(her_request.number).state is NoticeState.WITHDRAWN
    told = BankJournalReader(settings.STAYDOWN_BANK_JOURNAL_PATH).poll()
    assert not any(isinstance(row, dict) and row.get("op") == "put" for row in told)

    # And the case can still be read, with its proof
    page = alice.open("/case")
    assert page.says("You withdrew this case on")
    assert "/case/withdraw/all" not in page.links
    assert alice.open("/case/proof").status == 200


def test_receipt_still_opens_a_withdrawn_case(alice: Window, her_case: AliceCase, clock: Clock) -> None:
    withdraw_everything(case_number=her_case.number, now=clock.now)

    assert open_with(alice, her_case.receipt).status == 302
    assert ReceiptVerifier.objects.count() == 1


def test_charlie_with_a_case_of_his_own_reaches_nothing_of_alices(
    charlie: Window, her_case: AliceCase, her_request: Notice, clock: Clock
) -> None:
    # Given Charlie's own case, open
    open_with(charlie, open_case_with_pictures([an_item()], now=NOW))
    token = charlie.open("/case").form_to("/case/close").values["csrfmiddlewaretoken"]

    # When he asks for what is Alice's
    for what in (
        *her_case.registration_ids,
        her_request.number,
        her_case.number,
        "reg_nothing",
        "R-0000-0000",
    ):
        looked = charlie.open(f"/case/withdraw/{what}")
        sent = charlie.client.post(f"/case/withdraw/{what}", {"csrfmiddlewaretoken": token})

        # Then it does not exist for him
        assert (looked.status, sent.status_code) == (404, 404)
    assert live_entries() == 3
    assert notice_by_number(her_request.number).state is NoticeState.OPEN


def test_charlie_without_a_case_is_asked_for_his_receipt(charlie: Window, her_case: AliceCase) -> None:
    token = charlie.open("/case").form_to("/case").values["csrfmiddlewaretoken"]

    for what in ("all", her_case.registration_ids[0]):
        assert charlie.open(f"/case/withdraw/{what}").goes_to == "/case"
        sent = charlie.client.post(f"/case/withdraw/{what}", {"csrfmiddlewaretoken": token})
        assert (sent.status_code, sent.headers["Location"]) == (302, "/case")
    assert live_entries() == 2


def test_opening_the_page_that_asks_withdraws_nothing(
    alice: Window, her_case: AliceCase, clock: Clock
) -> None:
    open_with(alice, her_case.receipt)
    withdraw_picture(case_number=her_case.number, registration_id=her_case.registration_ids[0], now=clock.now)

    for path in ("/case/withdraw/all", f"/case/withdraw/{her_case.registration_ids[0]}"):
        assert alice.open(path).status == 200
    assert live_entries() == 1


def test_paused_picture_is_told_plainly_until_it_protects_again(
    alice: Window, her_case: AliceCase, forum: Platform, bob: int, clock: Clock
) -> None:
    # Given two pictures, of which the first meets a flood of different pictures
    entry = entries_of(registration_ids=her_case.registration_ids[:1])[0]
    open_with(alice, her_case.receipt)
    assert not alice.open("/case").says("paused")
    flood = a_flood(entry, forum, now=NOW)

    # Then her page says that it is paused and why, and that the other one is not
    page = alice.open("/case")
    assert page.says("This picture does not protect you for now, since")
    assert page.says("Many different pictures look like this one. A person is looking at it.")
    assert page.says("registered: uploads are held")
    assert page.says("Protection by one picture was paused")

    # When a reviewer keeps it out, then she reads that, and what she can still do
    judge = {"flood_id": flood.id, "reviewer_id": bob, "now": NOW}
    judge_flood(**judge, decision=FloodDecision.KEEP_OUT, reason=FloodReason.FITS_MANY_PICTURES)
    page = alice.open("/case")
    assert page.says("You can still ask for a post to be removed")
    assert not page.says("A person is looking at it")

    # When it is put back, then it protects her as before
    judge_flood(**judge, decision=FloodDecision.PUT_BACK, reason=FloodReason.FLOOD_IS_OVER)
    page = alice.open("/case")
    assert not page.says("does not protect you for now")
    assert page.says("A person looked, and the picture protects you again.")
