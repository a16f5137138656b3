"""Everything as a file, and everything deleted: asked once more, and then nothing opens."""

from __future__ import annotations

import json

from staydown.cases.queries import case_by_number
from staydown.cases.terms import CaseState
from tests.staydown.doors import Window, secrets_of
from tests.staydown.survivor_site.conftest import AliceCase, open_with


def test_export_is_a_file_whose_name_says_nothing(alice: Window, her_case: AliceCase) -> None:
    open_with(alice, her_case.receipt)

    answer = alice.open("/case/export")

    assert answer.response.headers["Content-Disposition"] == 'attachment; filename="notes.json"'
    assert json.loads(answer.html)["case"]["number"] == her_case.number
    assert not any(secret in answer.html for secret in secrets_of(her_case.items))


def test_deleting_needs_a_tick_and_then_closes_everything(
    alice: Window, charlie: Window, her_case: AliceCase
) -> None:
    # Given
    open_with(alice, her_case.receipt)

    # When the tick is missing, nothing happens
    missed = alice.send("/case/erase")
    assert missed.status == 422
    assert "Nothing was deleted yet." in missed.text
    assert case_by_number(her_case.number).state is CaseState.OPEN

    # When it is there
    done = alice.send("/case/erase", understood="yes")

    # Then the window has no case, and the words open none
    assert done.status == 200
    assert "It is deleted" in done.headings
    assert alice.open("/case/export").goes_to == "/case"
    assert open_with(charlie, her_case.receipt).status == 403
    assert case_by_number(her_case.number).state is CaseState.ERASED


def test_charlie_can_neither_take_nor_delete(charlie: Window, her_case: AliceCase) -> None:
    assert charlie.open("/case/export").goes_to == "/case"
    assert charlie.open("/case/erase").goes_to == "/case"
    assert case_by_number(her_case.number).state is CaseState.OPEN
