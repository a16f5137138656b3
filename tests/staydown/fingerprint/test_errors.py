"""Every refusal has a word for programs and a sentence for people."""

import re

import pytest

from staydown.errors import StaydownError
from staydown.fingerprint import errors


@pytest.mark.parametrize("refusal", errors.NotFingerprintable.__subclasses__())
def test_refusal_has_a_slug_and_a_sentence(refusal: type[errors.NotFingerprintable]) -> None:
    assert issubclass(refusal, StaydownError)
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", refusal.slug)
    assert str(refusal()).endswith((".", ")."))
    assert str(refusal("It was so.")) == "It was so."
    assert errors.REFUSALS[refusal.slug] is refusal


def test_every_slug_is_used_once() -> None:
    assert len(errors.REFUSALS) == len(errors.NotFingerprintable.__subclasses__())
