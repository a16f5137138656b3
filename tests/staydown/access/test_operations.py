"""Receipts, throttles, tokens and staff: secrets are stored as verifiers only, and tries are counted."""

from __future__ import annotations

import contextlib
import hashlib
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher, Type, extract_parameters
from django.core import serializers
from django.db import IntegrityError, transaction

from staydown.access import operations, rules
from staydown.access.errors import (
    OpenKeyMalformed,
    PlatformNameTaken,
    ReceiptNotRecognised,
    TooManyAttempts,
    WordListMissing,
)
from staydown.access.models import (
    ApiToken,
    IdempotentCall,
    PlatformRecord,
    ReceiptVerifier,
    StaffMember,
    Throttle,
)
from staydown.access.operations import check_receipt, count_attempt, make_receipt
from staydown.access.terms import KeyKind, MarkedCall, Platform, Role, Scope
from tests.staydown.conftest import NOW, a_platform

ALICE = "C-A11C-E000"
RULE = rules.ThrottleRule(limit=3, window=timedelta(minutes=10))


class CountingHasher:
    """Counts comparisons, and otherwise is the hasher it was given."""

    def __init__(self, hasher: PasswordHasher) -> None:
        self.hasher = hasher
        self.comparisons = 0

    def hash(self, text: str) -> str:
        return self.hasher.hash(text)

    def verify(self, verifier: str, text: str) -> bool:
        self.comparisons += 1
        return self.hasher.verify(verifier, text)


def test_receipt_has_seven_words_of_the_list_and_the_table_has_none_of_them(db: None, settings: Any) -> None:
    # Given the words that ship with Staydown
    words = {
        line for line in settings.STAYDOWN_WORDS_PATH.read_text().splitlines() if not line.startswith("#")
    }
    assert len(words) >= rules.MIN_WORD_LIST

    # When a receipt is made
    receipt = make_receipt(number=ALICE, now=NOW)

    # Then it has seven of them, and what is stored holds neither the phrase nor a word of it
    assert receipt.key_phrase is not None
    chosen = receipt.key_phrase.split(" ")
    assert (receipt.number, receipt.made_at, len(chosen)) == (ALICE, NOW, 7)
    assert set(chosen) <= words
    stored = serializers.serialize("json", ReceiptVerifier.objects.all())
    assert json.loads(stored)[0]["fields"]["number"] == ALICE
    assert not any(f'"{word}' in stored or f" {word}" in stored for word in chosen)


def test_verifier_is_argon2id_with_the_strength_of_rfc_9106(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given the hasher that installations have
    monkeypatch.setattr(operations, "_ARGON2ID", PasswordHasher())

    # When a receipt is made
    receipt = make_receipt(number=ALICE, now=NOW)

    # Then its verifier is Argon2id, 64 MiB, 3 passes, 4 lanes, and opens to the phrase
    found = extract_parameters(ReceiptVerifier.objects.get().verifier)
    assert (found.type, found.memory_cost, found.time_cost, found.parallelism) == (Type.ID, 65_536, 3, 4)
    assert check_receipt(number=ALICE, key_phrase=receipt.key_phrase or "") is KeyKind.KEY_PHRASE


def test_two_receipts_never_share_a_phrase_or_a_verifier(db: None) -> None:
    receipts = [make_receipt(number=operations.new_number("C"), now=NOW) for _ in range(30)]

    assert len({receipt.key_phrase for receipt in receipts}) == 30
    assert ReceiptVerifier.objects.values("verifier").distinct().count() == 30


def test_receipt_is_recognised_however_it_is_typed(db: None) -> None:
    receipt = make_receipt(number=ALICE, now=NOW)

    typed = (receipt.key_phrase or "").upper().replace(" ", "-")
    assert check_receipt(number="c a11c eooo", key_phrase=f" {typed} ") is KeyKind.KEY_PHRASE


def test_wrong_phrase_and_wrong_number_are_refused_in_the_same_words(db: None) -> None:
    # Given Alice's receipt
    receipt = make_receipt(number=ALICE, now=NOW)

    # When Charlie tries another phrase, another number, or a part
    refusals = []
    for number, phrase in [
        (ALICE, "apple river stone cloud table green window"),
        ("C-A11C-E001", receipt.key_phrase or ""),
        (ALICE, ""),
        (ALICE, (receipt.key_phrase or "").rsplit(" ", 1)[0]),
        ("", ""),
    ]:
        with pytest.raises(ReceiptNotRecognised) as refused:
            check_receipt(number=number, key_phrase=phrase)
        refusals.append(str(refused.value))

    # Then every refusal reads the same
    assert len(set(refusals)) == 1


def test_the_receipt_of_one_person_does_not_open_the_case_of_another(db: None) -> None:
    # Given Alice and Dana with receipts of their own
    alices = make_receipt(number=ALICE, now=NOW)
    danas = make_receipt(number="C-DANA-0000", now=NOW)

    # Then each opens her own case only
    for own in (alices, danas):
        assert check_receipt(number=own.number, key_phrase=own.key_phrase or "") is KeyKind.KEY_PHRASE
    for number, phrase in [
        (alices.number, danas.key_phrase or ""),
        (danas.number, alices.key_phrase or ""),
    ]:
        with pytest.raises(ReceiptNotRecognised):
            check_receipt(number=number, key_phrase=phrase)


def test_unknown_number_costs_as_many_comparisons_as_a_wrong_phrase(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given Alice's receipt and a hasher that counts
    make_receipt(number=ALICE, now=NOW)
    counting = CountingHasher(operations._ARGON2ID)
    monkeypatch.setattr(operations, "_ARGON2ID", counting)

    # When a known and an unknown number are tried
    for number in (ALICE, "C-NONE-0000"):
        before = counting.comparisons
        with pytest.raises(ReceiptNotRecognised):
            check_receipt(number=number, key_phrase="apple river stone cloud table green window")

        # Then each costs one comparison a kind of key, whether there is such a key or not
        assert counting.comparisons == before + len(KeyKind)


def test_decoy_costs_as_much_as_a_stored_verifier(db: None) -> None:
    make_receipt(number=ALICE, now=NOW)

    stored = extract_parameters(ReceiptVerifier.objects.get().verifier)
    assert extract_parameters(operations._decoy_verifier()) == stored


def test_receipt_whose_verifier_was_removed_opens_nothing(db: None) -> None:
    receipt = make_receipt(number=ALICE, now=NOW)

    assert operations.forget_key(number=ALICE, kind=KeyKind.KEY_PHRASE)
    assert not operations.forget_key(number=ALICE, kind=KeyKind.KEY_PHRASE)

    with pytest.raises(ReceiptNotRecognised):
        check_receipt(number=ALICE, key_phrase=receipt.key_phrase or "")


def test_words_that_a_device_made_open_by_their_open_key_alone(db: None) -> None:
    # Given a case whose words never came here
    phrase = "apple river stone cloud table green window"
    receipt = make_receipt(number=ALICE, now=NOW, open_key=rules.open_key_of(phrase))

    # Then the receipt has none, and words and open key open the case alike
    assert receipt.key_phrase is None
    assert check_receipt(number=ALICE, open_key=rules.open_key_of(phrase)) is KeyKind.KEY_PHRASE
    assert check_receipt(number=ALICE, key_phrase=phrase.upper()) is KeyKind.KEY_PHRASE
    with pytest.raises(ReceiptNotRecognised):
        check_receipt(number=ALICE, open_key=rules.open_key_of("other words"))


@pytest.mark.parametrize("open_key", ["", "x", "a" * 42, "a" * 44, "a" * 42 + "=", "a" * 42 + "\n", "é" * 43])
def test_what_is_no_open_key_makes_no_receipt(db: None, open_key: str) -> None:
    with pytest.raises(OpenKeyMalformed):
        make_receipt(number=ALICE, now=NOW, open_key=open_key)
    assert not ReceiptVerifier.objects.exists()


def test_recovery_key_opens_too_and_is_told_apart(db: None) -> None:
    # Given both keys
    first = make_receipt(number=ALICE, now=NOW).key_phrase or ""
    second = operations.set_key(number=ALICE, kind=KeyKind.RECOVERY_KEY, now=NOW) or ""

    # Then each opens, and says which it is; a new one takes the place of the old
    assert check_receipt(number=ALICE, key_phrase=first) is KeyKind.KEY_PHRASE
    assert check_receipt(number=ALICE, key_phrase=second) is KeyKind.RECOVERY_KEY
    third = operations.set_key(number=ALICE, kind=KeyKind.RECOVERY_KEY, now=NOW) or ""
    assert check_receipt(number=ALICE, key_phrase=third) is KeyKind.RECOVERY_KEY
    with pytest.raises(ReceiptNotRecognised):
        check_receipt(number=ALICE, key_phrase=second)


@pytest.mark.parametrize("content", [None, "", "# only\n# comments\n", "apple\nriver\n"])
def test_without_a_whole_word_list_no_receipt_is_made(
    db: None, settings: Any, tmp_path: Path, content: str | None
) -> None:
    # Given an installation whose list is missing, empty or short
    settings.STAYDOWN_WORDS_PATH = tmp_path / "words.txt"
    if content is not None:
        settings.STAYDOWN_WORDS_PATH.write_text(content)

    # Then a weak receipt is not made
    with pytest.raises(WordListMissing):
        make_receipt(number=ALICE, now=NOW)
    assert not ReceiptVerifier.objects.exists()


def test_public_ids_are_opaque_and_never_the_same() -> None:
    ids = {operations.new_public_id("ent") for _ in range(100)}

    assert len(ids) == 100
    assert all(len(name) == 20 and name.startswith("ent_") for name in ids)


def test_the_try_after_the_limit_is_refused_and_says_how_long(db: None) -> None:
    # Given as many tries as the rule allows
    for _ in range(RULE.limit):
        count_attempt(purpose="receipt", who=ALICE, rule=RULE, now=NOW)

    # When one more comes two minutes later, then it is refused until the window ends
    with pytest.raises(TooManyAttempts) as refused:
        count_attempt(purpose="receipt", who=ALICE, rule=RULE, now=NOW + timedelta(minutes=2))
    assert refused.value.retry_after_seconds == 481


def test_throttle_opens_when_its_window_ends_even_if_somebody_went_on_trying(db: None) -> None:
    # Given somebody who tries every minute of the window
    for minute in range(10):
        try:
            count_attempt(purpose="receipt", who=ALICE, rule=RULE, now=NOW + timedelta(minutes=minute))
        except TooManyAttempts:
            assert minute >= RULE.limit

    # When the window has ended, then counting starts again
    for _ in range(RULE.limit):
        count_attempt(purpose="receipt", who=ALICE, rule=RULE, now=NOW + RULE.window)


def test_throttles_of_other_people_and_other_purposes_are_counted_apart(db: None) -> None:
    # Given a throttle that is closed for Charlie's address
    for _ in range(RULE.limit):
        count_attempt(purpose="receipt-from", who="203.0.113.7", rule=RULE, now=NOW)

    # Then another address, and the same text for another purpose, are not held up
    count_attempt(purpose="receipt-from", who="203.0.113.8", rule=RULE, now=NOW)
    count_attempt(purpose="sign-in", who="203.0.113.7", rule=RULE, now=NOW)


def test_success_clears_what_was_counted(db: None) -> None:
    for _ in range(RULE.limit):
        count_attempt(purpose="receipt", who=ALICE, rule=RULE, now=NOW)

    operations.clear_attempts(purpose="receipt", who=ALICE)

    count_attempt(purpose="receipt", who=ALICE, rule=RULE, now=NOW)


def test_no_address_and_no_number_is_stored_with_the_count(db: None, settings: Any) -> None:
    # Given a try from an address
    count_attempt(purpose="receipt-from", who="203.0.113.7", rule=RULE, now=NOW)

    # Then what is stored is a keyed digest, not one that anybody can make from the address
    key = Throttle.objects.get().key
    assert "203.0.113.7" not in key
    assert key != hashlib.sha256(b"receipt-from\n203.0.113.7").hexdigest()
    settings.SECRET_KEY = "another installation"
    count_attempt(purpose="receipt-from", who="203.0.113.7", rule=RULE, now=NOW)
    assert Throttle.objects.count() == 2


def test_a_refused_try_stays_counted(transactional_db: None) -> None:
    # Given a try that was counted before the journey around it failed
    for _ in range(RULE.limit + 1):
        with contextlib.suppress(TooManyAttempts):
            count_attempt(purpose="receipt", who=ALICE, rule=RULE, now=NOW)

    # Then the table knows of all of them
    assert Throttle.objects.get().attempts == RULE.limit + 1


def test_only_windows_that_no_rule_can_need_are_forgotten(db: None) -> None:
    # Given one window an hour and a second old and one of this very hour
    count_attempt(purpose="a", who="x", rule=RULE, now=NOW - timedelta(hours=1, seconds=1))
    count_attempt(purpose="b", who="x", rule=RULE, now=NOW - timedelta(hours=1))

    # Then only the first is forgotten
    assert operations.forget_old_attempts(now=NOW) == 1
    assert operations.forget_old_attempts(now=NOW) == 0
    assert Throttle.objects.count() == 1


def test_two_platforms_cannot_have_the_same_name(db: None) -> None:
    a_platform("Forum")

    with pytest.raises(PlatformNameTaken):
        operations.add_platform(name="Forum", url_prefix="https://elsewhere.example/", now=NOW)
    assert PlatformRecord.objects.count() == 1


def test_token_is_stored_as_its_digest_only(forum: Platform) -> None:
    # When a token is made
    token = operations.make_token(platform_id=forum.id, scopes=[Scope.CHECK], now=NOW)

    # Then it can be told from other secrets, cannot be guessed, and is not in the table
    assert token.secret.startswith("sdk_")
    assert len(token.secret) >= 4 + 43
    assert (token.platform, token.scopes) == (forum, (Scope.CHECK,))
    stored = serializers.serialize("json", ApiToken.objects.all())
    assert token.secret not in stored
    assert ApiToken.objects.get().digest == hashlib.sha256(token.secret.encode()).hexdigest()


def test_revoking_ends_every_token_of_one_platform_once(forum: Platform) -> None:
    # Given two tokens of the forum and one of another platform
    other = a_platform("Other", url_prefix="https://other.example/")
    for platform in (forum, forum, other):
        operations.make_token(platform_id=platform.id, scopes=[Scope.CHECK], now=NOW)

    # Then revoking counts the live ones, once
    assert operations.revoke_tokens(platform_id=forum.id, now=NOW) == 2
    assert operations.revoke_tokens(platform_id=forum.id, now=NOW) == 0
    assert ApiToken.objects.filter(revoked_at=None).count() == 1


def test_password_of_staff_is_kept_as_argon2_and_can_be_changed(db: None) -> None:
    # Given Bob with a password
    operations.add_staff_member(username="bob", password="a first pass phrase", role=Role.REVIEWER)
    bob = StaffMember.objects.get()
    assert (bob.role, bob.is_staff, bob.is_superuser) == ("reviewer", False, False)
    assert bob.password.startswith("argon2$argon2id$")

    # When it is changed, then only the new one is his
    operations.set_staff_password(username="bob", password="a second pass phrase")
    bob.refresh_from_db()
    assert bob.check_password("a second pass phrase")
    assert not bob.check_password("a first pass phrase")


def test_same_marked_call_cannot_be_remembered_twice(forum: Platform) -> None:
    call = MarkedCall(platform_id=forum.id, route="notices", key="k", body_sha256="0" * 64)
    operations.remember_call(call, made="R-1", now=NOW)

    with pytest.raises(IntegrityError), transaction.atomic():
        operations.remember_call(call, made="R-2", now=NOW)


def test_marked_calls_are_forgotten_after_a_day(forum: Platform) -> None:
    # Given calls of just over and just under a day ago
    for key, age in [("old", timedelta(hours=24, seconds=1)), ("new", timedelta(hours=24))]:
        call = MarkedCall(platform_id=forum.id, route="notices", key=key, body_sha256="0" * 64)
        operations.remember_call(call, made="R-1", now=NOW - age)

    # Then only the older one is forgotten
    assert operations.forget_old_calls(now=NOW) == 1
    assert IdempotentCall.objects.get().key == "new"
