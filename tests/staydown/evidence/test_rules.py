"""What counts as locked, and what as a recipient."""

from __future__ import annotations

import pytest

from staydown.evidence.errors import NotLocked, RecipientMalformed, TooLarge
from staydown.evidence.rules import HEADER, check_locked, check_recipient


def test_age_file_within_its_limit_passes() -> None:
    check_locked(HEADER, most=len(HEADER))


def test_limit_is_told() -> None:
    with pytest.raises(TooLarge) as refused:
        check_locked(HEADER + b"x", most=len(HEADER))
    assert refused.value.allowed == len(HEADER)


@pytest.mark.parametrize("content", [b"", HEADER[:-1], b"-----BEGIN AGE ENCRYPTED FILE-----", b"{}"])
def test_anything_else_is_not_locked(content: bytes) -> None:
    with pytest.raises(NotLocked):
        check_locked(content, most=100)


def test_recipient_of_an_identity_passes_and_an_identity_does_not() -> None:
    check_recipient("age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p")
    with pytest.raises(RecipientMalformed):
        check_recipient("AGE-SECRET-KEY-1QQQSYQCYQ5RQWZQFPG9SCRGWPUGPZYSNZS23V9CCRYDPK8QARC0SWJGG0S")
