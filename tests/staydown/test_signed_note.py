"""Signed notes: what is signed opens with its key and with no other; every second spelling is refused.

The specification's own examples are opened in tests/staydown/ledger/test_checkpoint.py.
"""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from staydown import signed_note
from staydown.signed_note import NoteMalformed, NoteNotSigned, VerifierKeyMalformed

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
NAME = "staydown.example/ledger"
VKEY = signed_note.vkey_of(NAME, KEY.public_key().public_bytes_raw())
TEXT = "a kind of text/1\nand what it says\n"
NOTE = signed_note.sign_note(TEXT, name=NAME, private_key=KEY)


def test_note_opens_with_its_key() -> None:
    assert signed_note.open_note(NOTE, vkey=VKEY) == TEXT


def test_same_text_gives_the_same_note() -> None:
    assert signed_note.sign_note(TEXT, name=NAME, private_key=KEY) == NOTE


@pytest.mark.parametrize("place", range(len(NOTE)))
def test_note_changed_anywhere_is_refused(place: int) -> None:
    changed = NOTE[:place] + chr(ord(NOTE[place]) ^ 1) + NOTE[place + 1 :]

    with pytest.raises((NoteMalformed, NoteNotSigned)):
        signed_note.open_note(changed, vkey=VKEY)


def test_note_of_another_key_under_the_same_name_is_refused() -> None:
    forged = signed_note.sign_note(TEXT, name=NAME, private_key=Ed25519PrivateKey.generate())

    with pytest.raises(NoteNotSigned):
        signed_note.open_note(forged, vkey=VKEY)


def test_note_of_the_same_key_under_another_name_is_refused() -> None:
    other = signed_note.sign_note(TEXT, name="elsewhere.example", private_key=KEY)

    with pytest.raises(NoteNotSigned):
        signed_note.open_note(other, vkey=VKEY)


@pytest.mark.parametrize(
    "note", ["", TEXT, TEXT + "\n", NOTE[:-1], NOTE + "\n", "\0" + NOTE, "x" * 200_001, "\ud800"]
)
def test_text_that_is_no_note_is_refused(note: str) -> None:
    with pytest.raises(NoteMalformed):
        signed_note.open_note(note, vkey=VKEY)


@pytest.mark.parametrize(
    "vkey", ["", "name", VKEY[:-4], VKEY + "=", VKEY.replace("+", " "), "a b+00000000+AQ=="]
)
def test_text_that_is_no_verifier_key_is_refused(vkey: str) -> None:
    with pytest.raises(VerifierKeyMalformed):
        signed_note.open_note(NOTE, vkey=vkey)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb"])
def test_name_that_no_key_can_have_is_refused(name: str) -> None:
    with pytest.raises(VerifierKeyMalformed):
        signed_note.sign_note(TEXT, name=name, private_key=KEY)
