"""Private notes are stored only locked, within limits, and by the revision that a window knows.

Covers: staydown.evidence.models, staydown.evidence.queries.
"""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from staydown.cases.operations import open_case
from staydown.evidence import operations, rules
from staydown.evidence.errors import (
    NotesChanged,
    NotesExist,
    NotesFileNotFound,
    NotesNotFound,
    NotLocked,
    RecipientMalformed,
    TooLarge,
    TooManyFiles,
)
from staydown.evidence.models import NotesKeyRecord, NotesRecord
from staydown.evidence.queries import notes_file, notes_of
from tests.staydown.conftest import NOW

pytestmark = pytest.mark.django_db
ALICE, DANA = "C-A11C-E000", "C-DANA-0000"
RECIPIENT = "age1" + "q" * 58
LOCKED = rules.HEADER + b"-> X25519 ..."


@pytest.fixture(autouse=True)
def cases(db: None) -> None:
    open_case(number=ALICE, now=NOW)
    open_case(number=DANA, now=NOW)


def start(number: str = ALICE) -> None:
    operations.start_notes(
        case_number=number, recipient=RECIPIENT, kind="key_phrase", wrapped=LOCKED, document=LOCKED, now=NOW
    )


def add(file_id: str = "att_1", content: bytes = LOCKED, number: str = ALICE) -> None:
    operations.add_notes_file(case_number=number, file_id=file_id, content=content, now=NOW)


def test_notes_come_back_as_they_were_stored() -> None:
    start()
    add()
    found = notes_of(ALICE)
    assert found is not None
    assert (found.recipient, found.document, found.revision) == (RECIPIENT, LOCKED, 1)
    assert found.wrapped == {"key_phrase": LOCKED}
    assert [(file.id, file.size_bytes) for file in found.files] == [("att_1", len(LOCKED))]
    assert notes_file(ALICE, "att_1") == LOCKED
    assert notes_of(DANA) is None


def test_notes_are_started_once() -> None:
    start()
    with pytest.raises(NotesExist):
        start()


@pytest.mark.parametrize("content", [b"", b"My notes", b"age-encryption.org/v2\n", b" " + LOCKED])
def test_nothing_readable_is_stored(content: bytes) -> None:
    start()
    with pytest.raises(NotLocked):
        operations.save_document(case_number=ALICE, document=content, revision=1, now=NOW)
    with pytest.raises(NotLocked):
        add(content=content)
    with pytest.raises(NotLocked):
        operations.wrap_notes(case_number=ALICE, kind="recovery_key", wrapped=content)
    assert notes_of(ALICE).document == LOCKED  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "text", ["", "age1", "age1" + "Q" * 58, "AGE-SECRET-KEY-1" + "Q" * 58, RECIPIENT + "q"]
)
def test_recipient_has_the_form_of_one(text: str) -> None:
    with pytest.raises(RecipientMalformed):
        operations.start_notes(
            case_number=ALICE, recipient=text, kind="key_phrase", wrapped=LOCKED, document=LOCKED, now=NOW
        )


def test_window_that_knows_an_old_revision_overwrites_nothing() -> None:
    # Given two windows, of which one saved
    start()
    newer = LOCKED + b"newer"
    assert operations.save_document(case_number=ALICE, document=newer, revision=1, now=NOW) == 2

    # When the other saves
    with pytest.raises(NotesChanged) as refused:
        operations.save_document(case_number=ALICE, document=LOCKED + b"older", revision=1, now=NOW)

    # Then it hears which revision is stored
    assert refused.value.revision == 2
    assert notes_of(ALICE).document == newer  # type: ignore[union-attr]


def test_another_key_is_added_and_replaced() -> None:
    start()
    for wrapped in (LOCKED + b"1", LOCKED + b"2"):
        operations.wrap_notes(case_number=ALICE, kind="recovery_key", wrapped=wrapped)
    assert notes_of(ALICE).wrapped == {  # type: ignore[union-attr]
        "key_phrase": LOCKED,
        "recovery_key": LOCKED + b"2",
    }


def test_file_is_larger_than_is_kept() -> None:
    start()
    with pytest.raises(TooLarge) as refused:
        add(content=LOCKED + bytes(rules.MAX_FILE_BYTES))
    assert refused.value.allowed == rules.MAX_FILE_BYTES


def test_all_files_of_a_case_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    start()
    monkeypatch.setattr(rules, "MAX_FILES", 2)
    monkeypatch.setattr(rules, "MAX_BYTES_IN_ALL", 2 * len(LOCKED) + 1)
    add("att_1")
    with pytest.raises(TooLarge):
        add("att_2", content=LOCKED + b"two more")
    add("att_2")
    with pytest.raises(TooManyFiles):
        add("att_3")


def test_another_case_reaches_nothing() -> None:
    # Given
    start()
    start(DANA)
    add()

    # Then
    with pytest.raises(NotesFileNotFound):
        notes_file(DANA, "att_1")
    with pytest.raises(NotesFileNotFound):
        operations.remove_notes_file(case_number=DANA, file_id="att_1")
    operations.remove_notes_file(case_number=ALICE, file_id="att_1")
    with pytest.raises(NotesFileNotFound):
        notes_file(ALICE, "att_1")


def test_deleting_leaves_nothing_and_only_of_this_case() -> None:
    # Given
    start()
    start(DANA)
    add()

    # When
    assert operations.delete_notes(case_number=ALICE)
    assert not operations.delete_notes(case_number=ALICE)

    # Then
    assert notes_of(ALICE) is None
    assert NotesRecord.objects.count() == 1
    assert NotesKeyRecord.objects.count() == 1
    with pytest.raises(NotesNotFound):
        add()


def test_the_database_refuses_one_kind_of_key_twice() -> None:
    start()
    notes = NotesRecord.objects.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        NotesKeyRecord.objects.create(notes=notes, kind="key_phrase", wrapped=LOCKED)
