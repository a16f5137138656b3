"""Recovery key and new words at the door: shown once, made by the device where it can, Charlie gets none."""

from __future__ import annotations

import re

from staydown.access.queries import keys_of
from staydown.access.rules import open_key_of
from staydown.access.terms import KeyKind
from tests.staydown.doors import Screen, Window
from tests.staydown.survivor_site.conftest import AliceCase, open_with

WORDS = "able baker charlie double enter five game"


def make(window: Window, kind: KeyKind, **values: str) -> Screen:
    page = window.open("/case/keys")
    form = next(form for form in page.forms if form.values.get("what") == kind)
    return Screen(window.client.post("/case/keys", {**form.values, **values}))


def words_on(page: Screen) -> str:
    return re.findall(r'id="key-phrase">([^<]*)<', page.html)[0]


def test_recovery_key_opens_the_case_and_leads_to_new_words(
    alice: Window, charlie: Window, her_case: AliceCase
) -> None:
    # Given words that were written down, and the first ones lost
    open_with(alice, her_case.receipt)
    recovery = words_on(make(alice, KeyKind.RECOVERY_KEY))

    # When another window opens the case by them
    opened = charlie.send("/case", number=her_case.number, key_phrase=recovery)

    # Then it leads to where new words are made, and those open the case
    assert opened.goes_to == "/case/keys"
    fresh = words_on(make(charlie, KeyKind.KEY_PHRASE))
    assert (
        Window(REMOTE_ADDR="192.0.2.9").send("/case", number=her_case.number, key_phrase=fresh).goes_to
        == "/case"
    )
    old = Window(REMOTE_ADDR="192.0.2.10").send(
        "/case", number=her_case.number, key_phrase=her_case.receipt.key_phrase
    )
    assert old.status == 403


def test_words_of_the_device_are_not_on_the_page(alice: Window, her_case: AliceCase) -> None:
    open_with(alice, her_case.receipt)

    page = make(alice, KeyKind.RECOVERY_KEY, open_key=open_key_of(WORDS))

    assert words_on(page) == ""
    assert "They were not sent to us." in page.text
    assert Window().send("/case", number=her_case.number, key_phrase=WORDS).goes_to == "/case/keys"


def test_key_of_the_device_that_is_none_gives_words_instead(alice: Window, her_case: AliceCase) -> None:
    open_with(alice, her_case.receipt)
    assert len(words_on(make(alice, KeyKind.RECOVERY_KEY, open_key="nonsense")).split()) == 7


def test_page_that_is_sent_twice_makes_one_key(alice: Window, her_case: AliceCase) -> None:
    open_with(alice, her_case.receipt)
    form = next(f for f in alice.open("/case/keys").forms if f.values.get("what") == KeyKind.RECOVERY_KEY)

    first = Screen(alice.client.post("/case/keys", form.values))
    second = Screen(alice.client.post("/case/keys", form.values))

    assert (first.status, second.status) == (200, 409)
    assert Window().send("/case", number=her_case.number, key_phrase=words_on(first)).goes_to == "/case/keys"


def test_recovery_key_is_removed(alice: Window, her_case: AliceCase) -> None:
    open_with(alice, her_case.receipt)
    make(alice, KeyKind.RECOVERY_KEY)
    assert "You made one:" in alice.open("/case/keys").text

    form = next(f for f in alice.open("/case/keys").forms if f.values.get("what") == "remove")
    alice.client.post("/case/keys", form.values)

    assert set(keys_of(her_case.number)) == {KeyKind.KEY_PHRASE}


def test_without_an_open_case_there_are_no_keys(charlie: Window, her_case: AliceCase) -> None:
    assert charlie.open("/case/keys").goes_to == "/case"
