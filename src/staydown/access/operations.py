"""What can be done in the access stage: make receipts and tokens, and count attempts."""

from __future__ import annotations

import functools
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from django.conf import settings
from django.db import transaction

from staydown.access import rules
from staydown.access.errors import (
    OpenKeyMalformed,
    PlatformAddressTaken,
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
from staydown.access.queries import platform_term
from staydown.access.terms import KeyKind, MarkedCall, NewToken, Platform, Receipt, Role, Scope

# argon2-cffi's defaults follow RFC 9106's second recommended option (64 MiB, 3 passes, 4 lanes).
_ARGON2ID = PasswordHasher()


@functools.cache
def _words(path: Path) -> tuple[str, ...]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError as error:
        raise WordListMissing from error
    words = tuple(line for line in lines if line and not line.startswith("#"))
    if len(words) < rules.MIN_WORD_LIST:
        raise WordListMissing
    return words


def new_number(letter: str) -> str:
    """A fresh random number, e.g. ``C-7K4M-2Q9X`` (40 bits; uniqueness is the table's business)."""
    return rules.number_from(letter, [secrets.randbelow(32) for _ in range(rules.NUMBER_LENGTH)])


def new_public_id(prefix: str) -> str:
    """A fresh opaque id such as ``ent_k3f5...``: 80 random bits in lower-case base32."""
    return f"{prefix}_" + "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz234567") for _ in range(16))


def make_receipt(*, number: str, now: datetime, open_key: str | None = None) -> Receipt:
    """Makes the key phrase of a new case, or takes the open key that the device derived from its own.

    Stores only an Argon2id verifier. Raises OpenKeyMalformed, and WordListMissing if data/words is not
    installed.
    """
    phrase = set_key(number=number, kind=KeyKind.KEY_PHRASE, now=now, open_key=open_key)
    return Receipt(number=number, key_phrase=phrase, made_at=now)


def set_key(*, number: str, kind: KeyKind, now: datetime, open_key: str | None = None) -> str | None:
    """Gives a case a key of this kind in the place of the one before. Returns the words made here.

    Raises OpenKeyMalformed, and WordListMissing.
    """
    phrase = None
    if open_key is None:
        words = _words(settings.STAYDOWN_WORDS_PATH)
        phrase = " ".join(secrets.choice(words) for _ in range(rules.KEY_PHRASE_WORDS))
        open_key = rules.open_key_of(phrase)
    elif not rules.is_open_key(open_key):
        raise OpenKeyMalformed
    ReceiptVerifier.objects.update_or_create(
        number=number, kind=kind, defaults={"verifier": _ARGON2ID.hash(open_key), "created_at": now}
    )
    return phrase


@functools.cache
def _decoy_verifier() -> str:
    return _ARGON2ID.hash(secrets.token_urlsafe(16))


def check_receipt(*, number: str, key_phrase: str = "", open_key: str = "") -> KeyKind:
    """Which of the case's keys these words, or this open key, are.

    Raises ReceiptNotRecognised if neither. An unknown number, and a case without a recovery key, cost the
    same time as a wrong phrase.
    """
    offered = open_key if rules.is_open_key(open_key) else rules.open_key_of(key_phrase)
    verifiers = dict(
        ReceiptVerifier.objects.filter(number=rules.normalise_number(number)).values_list("kind", "verifier")
    )
    found = None
    for kind in KeyKind:
        try:
            _ARGON2ID.verify(verifiers.get(kind) or _decoy_verifier(), offered)
        except (VerifyMismatchError, InvalidHashError):
            continue
        found = kind if kind in verifiers else found
    if found is None:
        raise ReceiptNotRecognised
    return found


def forget_key(*, number: str, kind: KeyKind) -> bool:
    """Removes a key: its words open nothing any more. False if there was none."""
    deleted, _ = ReceiptVerifier.objects.filter(number=number, kind=kind).delete()
    return deleted > 0


def _throttle_key(*, purpose: str, who: str) -> str:
    message = f"{purpose}\n{who}".encode()
    return hmac.new(settings.SECRET_KEY.encode(), message, hashlib.sha256).hexdigest()


def count_attempt(*, purpose: str, who: str, rule: rules.ThrottleRule, now: datetime) -> None:
    """Counts one attempt; commits by itself so that a failed attempt stays counted.

    Raises TooManyAttempts once the rule's limit is passed in this window.
    """
    key = _throttle_key(purpose=purpose, who=who)
    with transaction.atomic():
        row, _ = Throttle.objects.select_for_update().get_or_create(
            key=key, defaults={"window_started_at": now, "attempts": 0}
        )
        if rules.window_has_ended(row.window_started_at, rule=rule, now=now):
            row.window_started_at, row.attempts = now, 0
        row.attempts += 1
        row.save(update_fields=["window_started_at", "attempts"])
    if row.attempts > rule.limit:
        raise TooManyAttempts(rules.seconds_until_open(row.window_started_at, rule=rule, now=now))


def clear_attempts(*, purpose: str, who: str) -> None:
    """Forgets what was counted, after somebody got it right."""
    Throttle.objects.filter(key=_throttle_key(purpose=purpose, who=who)).delete()


def forget_old_attempts(*, now: datetime) -> int:
    """Deletes throttle rows whose window, whatever its rule, is over. Returns how many."""
    longest = max(
        rule.window
        for rule in (rules.RECEIPT_RULE, rules.ADDRESS_RULE, rules.SIGN_IN_RULE, rules.SUBMISSION_RULE)
    )
    deleted, _ = Throttle.objects.filter(window_started_at__lt=now - longest).delete()
    return deleted


def add_platform(*, name: str, url_prefix: str, now: datetime) -> Platform:
    """Adds a platform. Raises PlatformNameTaken or PlatformAddressTaken if name or address is used."""
    if PlatformRecord.objects.filter(name=name).exists():
        raise PlatformNameTaken
    if PlatformRecord.objects.filter(url_prefix=url_prefix).exists():
        raise PlatformAddressTaken
    record = PlatformRecord.objects.create(
        public_id=new_public_id("pf"), name=name, url_prefix=url_prefix, created_at=now
    )
    return platform_term(record)


def make_token(*, platform_id: str, scopes: Sequence[Scope], now: datetime) -> NewToken:
    """Makes a token for a platform; the caller shows `secret` once."""
    record = PlatformRecord.objects.get(public_id=platform_id)
    secret = "sdk_" + secrets.token_urlsafe(32)
    ApiToken.objects.create(
        digest=hashlib.sha256(secret.encode()).hexdigest(),
        platform=record,
        scopes=[scope.value for scope in scopes],
        created_at=now,
    )
    return NewToken(secret=secret, platform=platform_term(record), scopes=tuple(scopes))


def revoke_tokens(*, platform_id: str, now: datetime) -> int:
    """Revokes every token of a platform. Returns how many were live."""
    return ApiToken.objects.filter(platform__public_id=platform_id, revoked_at=None).update(revoked_at=now)


def add_staff_member(*, username: str, password: str, role: Role) -> None:
    """Adds a member of staff; the password is kept as an Argon2id verifier."""
    StaffMember.objects.create_user(username=username, password=password, role=role.value)


def set_staff_password(*, username: str, password: str) -> None:
    """Sets a member's password."""
    member = StaffMember.objects.get(username=username)
    member.set_password(password)
    member.save(update_fields=["password"])


def remember_call(call: MarkedCall, *, made: str, now: datetime) -> None:
    """Remembers what a marked call made, in the transaction that made it."""
    IdempotentCall.objects.create(
        platform_id=call.platform_id,
        route=call.route,
        key=call.key,
        body_sha256=call.body_sha256,
        made=made,
        at=now,
    )


def forget_old_calls(*, now: datetime) -> int:
    """Deletes marks older than a day: no client retries for longer. Returns how many."""
    deleted, _ = IdempotentCall.objects.filter(at__lt=now - rules.IDEMPOTENCY_KEPT).delete()
    return deleted
