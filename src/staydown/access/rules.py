"""Pure rules of receipts, throttles and roles. No Django, no clock, no randomness of their own."""

from __future__ import annotations

import base64
import hashlib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from staydown.access.terms import Role

# Crockford's base32: no I, L, O, U, so that a number survives being read aloud or copied by hand.
NUMBER_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
NUMBER_LENGTH = 8

# Seven words from a list of at least 1,600 give more than 74 bits. With Argon2id and the throttle
# below nobody guesses that; six would do (63 bits), the seventh pays for a leaked database.
KEY_PHRASE_WORDS = 7
MIN_WORD_LIST = 1_600

# What opens a case is not the phrase but a key derived from it, so that a device can send the key and keep
# the phrase, which also locks the private notes. The words are random, so the salt only keeps this key apart
# from others; the rounds follow OWASP's advice for PBKDF2 with SHA-256. web/case-key.js derives the same.
OPEN_KEY_SALT = b"staydown open key 1"
OPEN_KEY_ROUNDS = 600_000
OPEN_KEY_BYTES = 32

# How long a platform may repeat a marked call; Stripe and others keep a day as well.
IDEMPOTENCY_KEPT = timedelta(hours=24)

_LOOKALIKES = str.maketrans({"O": "0", "I": "1", "L": "1"})


@dataclass(frozen=True, slots=True)
class ThrottleRule:
    """At most `limit` attempts in any one `window`."""

    limit: int
    window: timedelta


# A person who mistypes seven words needs a few tries; a guesser needs 2**74. Ten per receipt and hour
# is kind to the first and useless to the second, from however many addresses. The address rule stops one
# machine from walking through many receipts, and is wide enough for a helpline behind one address.
RECEIPT_RULE = ThrottleRule(limit=10, window=timedelta(hours=1))
ADDRESS_RULE = ThrottleRule(limit=60, window=timedelta(hours=1))
SIGN_IN_RULE = ThrottleRule(limit=10, window=timedelta(minutes=15))
# Registrations and requests from one address: a frightened person sends a handful, a flood sends thousands.
SUBMISSION_RULE = ThrottleRule(limit=120, window=timedelta(hours=1))


def number_from(letter: str, symbols: Sequence[int]) -> str:
    """A case or request number such as ``C-7K4M-2Q9X`` from eight random symbols, 0..31 each."""
    body = "".join(NUMBER_ALPHABET[symbol] for symbol in symbols)
    return f"{letter}-{body[:4]}-{body[4:]}"


def normalise_number(typed: str) -> str:
    """The number as we store it, however it was typed: lower case, without dashes, with O for 0."""
    kept = [sign for sign in unicodedata.normalize("NFKC", typed).upper() if sign.isalnum()]
    if len(kept) != NUMBER_LENGTH + 1:
        return typed.strip().upper()
    body = "".join(kept[1:]).translate(_LOOKALIKES)
    return f"{kept[0]}-{body[:4]}-{body[4:]}"


def normalise_key_phrase(typed: str) -> str:
    """The phrase as we compare it: NFKC, lower case, one space between words."""
    separated = unicodedata.normalize("NFKC", typed).casefold().replace("-", " ").replace(",", " ")
    return " ".join(separated.split())


def open_key_of(key_phrase: str) -> str:
    """What a key phrase opens a case by: 43 signs of base64url. Takes about a quarter of a second."""
    phrase = normalise_key_phrase(key_phrase).encode()
    derived = hashlib.pbkdf2_hmac("sha256", phrase, OPEN_KEY_SALT, OPEN_KEY_ROUNDS, OPEN_KEY_BYTES)
    return base64.urlsafe_b64encode(derived).decode().rstrip("=")


def is_open_key(text: str) -> bool:
    """Whether a text has the form of an open key."""
    return re.fullmatch(r"[A-Za-z0-9_-]{43}", text, re.ASCII) is not None


def window_has_ended(started_at: datetime, *, rule: ThrottleRule, now: datetime) -> bool:
    """Whether a throttle's window is over, so that counting starts again."""
    return now >= started_at + rule.window


def seconds_until_open(started_at: datetime, *, rule: ThrottleRule, now: datetime) -> int:
    """Whole seconds until the window ends, at least 1."""
    return max(1, int((started_at + rule.window - now).total_seconds()) + 1)


def may_decide(role: Role) -> bool:
    """Whether this role may claim and decide requests. Auditors read; they never act."""
    return role in (Role.REVIEWER, Role.LEAD, Role.ADMINISTRATOR)


def may_read_queue(role: Role) -> bool:
    """Whether this role may see the queue and its requests."""
    return role in tuple(Role)
