"""Numbers and key phrases survive how people type them; throttles open again; roles are a closed list."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staydown.access import rules
from staydown.access.terms import Role
from tests.staydown.conftest import NOW

RULE = rules.ThrottleRule(limit=3, window=timedelta(minutes=10))
SYMBOLS = st.lists(st.integers(0, 31), min_size=8, max_size=8)


def test_number_has_no_letter_that_looks_like_a_digit() -> None:
    assert len(set(rules.NUMBER_ALPHABET)) == 32
    assert not set("ILOU") & set(rules.NUMBER_ALPHABET)
    assert rules.number_from("C", [7, 20, 4, 20, 2, 23, 9, 31]) == "C-7M4M-2Q9Z"


@given(symbols=SYMBOLS)
def test_number_that_is_typed_as_it_stands_is_itself(symbols: list[int]) -> None:
    number = rules.number_from("C", symbols)

    assert rules.normalise_number(number) == number


@given(symbols=SYMBOLS)
def test_number_in_lower_case_with_letters_for_digits_and_without_dashes_is_found(symbols: list[int]) -> None:
    number = rules.number_from("R", symbols)
    typed = number.lower().replace("-", " ").replace("0", "o").replace("1", "l")

    assert rules.normalise_number(f" {typed}\n") == number


@pytest.mark.parametrize(
    "typed",
    ["c-7k4m-2q90", "C7K4M2Q9O", "c 7k4m 2q9o", "C–7K4M–2Q9０", "Ｃ-７Ｋ４Ｍ-２Ｑ９Ｏ", "c.7k4m.2q9o."],
)
def test_number_is_understood_however_it_is_typed(typed: str) -> None:
    assert rules.normalise_number(typed) == "C-7K4M-2Q90"


@pytest.mark.parametrize("typed", ["", "C-7K4M-2Q9", "C-7K4M-2Q9XX", "🙂", "C-7K4M-2Q9X-1"])
def test_something_else_than_a_number_is_left_to_match_nothing(typed: str) -> None:
    assert rules.normalise_number(typed) == typed.strip().upper()


@given(typed=st.text())
def test_any_text_can_be_normalised_and_normalising_again_changes_nothing(typed: str) -> None:
    number, phrase = rules.normalise_number(typed), rules.normalise_key_phrase(typed)

    assert rules.normalise_key_phrase(phrase) == phrase
    assert isinstance(number, str)


@pytest.mark.parametrize(
    "typed",
    [
        "apple river stone",
        "  Apple  RIVER\tstone\n",
        "apple-river-stone",
        "Apple, river, stone",
        "apple\u00a0river\u3000stone",
        "\uff41\uff50\uff50\uff4c\uff45 river \ufb06one",  # full width, and the ligature st
    ],
)
def test_key_phrase_is_understood_however_it_is_typed(typed: str) -> None:
    assert rules.normalise_key_phrase(typed) == "apple river stone"


def test_key_phrase_in_another_order_is_another_phrase() -> None:
    assert rules.normalise_key_phrase("river apple") != rules.normalise_key_phrase("apple river")


def test_throttle_window_ends_to_the_second() -> None:
    almost = NOW + RULE.window - timedelta(seconds=1)

    assert not rules.window_has_ended(NOW, rule=RULE, now=almost)
    assert rules.window_has_ended(NOW, rule=RULE, now=NOW + RULE.window)


@pytest.mark.parametrize(
    ("after", "seconds"),
    [(timedelta(0), 601), (timedelta(seconds=599.5), 1), (timedelta(minutes=10), 1), (timedelta(hours=1), 1)],
)
def test_wait_is_at_least_a_second_and_covers_the_rest_of_the_window(after: timedelta, seconds: int) -> None:
    assert rules.seconds_until_open(NOW, rule=RULE, now=NOW + after) == seconds


def test_somebody_who_waits_as_long_as_told_may_try_again() -> None:
    for millisecond in range(0, 600_000, 7_777):
        now = NOW + timedelta(milliseconds=millisecond)
        wait = rules.seconds_until_open(NOW, rule=RULE, now=now)

        assert rules.window_has_ended(NOW, rule=RULE, now=now + timedelta(seconds=wait))


@pytest.mark.parametrize(
    ("role", "decides", "reads"),
    [
        (Role.REVIEWER, True, True),
        (Role.LEAD, True, True),
        (Role.AUDITOR, False, True),
        (Role.ADMINISTRATOR, True, True),
    ],
)
def test_every_role_reads_the_queue_and_an_auditor_never_decides(
    role: Role, decides: bool, reads: bool
) -> None:
    assert (rules.may_decide(role), rules.may_read_queue(role)) == (decides, reads)


def test_the_table_above_knows_every_role() -> None:
    assert len(Role) == 4
