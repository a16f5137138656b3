"""Private notes leave two kinds of line in the log and nothing else, and an erased case takes none."""

from __future__ import annotations

import json

import pytest

from staydown.access.terms import KeyKind
from staydown.cases.errors import CaseIsWithdrawn
from staydown.evidence.queries import notes_of
from staydown.evidence.rules import HEADER
from staydown.journeys import keep_notes
from staydown.journeys.erase_case import erase_case
from staydown.journeys.register_pictures import open_case_with_pictures
from staydown.ledger.queries import events_of
from tests.staydown.conftest import NOW, an_item

pytestmark = pytest.mark.django_db
RECIPIENT = "age1" + "q" * 58


@pytest.fixture
def number() -> str:
    return open_case_with_pictures([an_item()], now=NOW).number


def start(number: str) -> None:
    keep_notes.start_notes(
        case_number=number,
        recipient=RECIPIENT,
        kind=KeyKind.KEY_PHRASE,
        wrapped=HEADER,
        document=HEADER,
        now=NOW,
    )


def test_log_learns_that_there_were_notes_and_nothing_of_them(number: str) -> None:
    start(number)
    assert keep_notes.save_notes(case_number=number, document=HEADER + b"x", revision=1, now=NOW) == 2
    keep_notes.wrap_notes(case_number=number, kind=KeyKind.RECOVERY_KEY, wrapped=HEADER)
    file_id = keep_notes.add_notes_file(case_number=number, content=HEADER, now=NOW)
    keep_notes.remove_notes_file(case_number=number, file_id=file_id)
    assert keep_notes.delete_notes(case_number=number, now=NOW)
    assert not keep_notes.delete_notes(case_number=number, now=NOW)

    told = [row.event for row in events_of(number)][2:]
    assert [event.kind for event in told] == ["notes.started", "notes.deleted"]
    assert json.dumps([event.details for event in told]) == "[{}, {}]"


def test_erasing_the_case_deletes_the_notes_and_none_can_be_started(number: str) -> None:
    start(number)
    erase_case(case_number=number, now=NOW)
    assert notes_of(number) is None
    with pytest.raises(CaseIsWithdrawn):
        start(number)
