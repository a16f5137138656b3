"""A request is stored whole or not at all, and its state only moves along the table."""

from __future__ import annotations

from datetime import timedelta

import pytest

from staydown.access.terms import Platform
from staydown.cases.operations import open_case
from staydown.notices import rules
from staydown.notices.errors import ElementsMissing, NoticeNotFound, TransitionRefused
from staydown.notices.models import NoticeRecord
from staydown.notices.operations import change_state, record_notice
from staydown.notices.queries import notice_by_number
from staydown.notices.terms import NoticeAction, NoticeState, RequestDraft, Signer
from tests.staydown.conftest import NOW, a_draft

LATER = NOW + timedelta(hours=1)


def record(platform: Platform, draft: RequestDraft, *, number: str = "R-1") -> None:
    open_case(number="C-1", now=NOW)
    record_notice(
        number=number,
        case_number="C-1",
        platform_id=platform.id,
        draft=draft,
        urls=["http://127.0.0.1:8001/posts/2", "http://127.0.0.1:8001/posts/1"],
        duty_id="tida-removal",
        deadline_at=rules.deadline(NOW, window_hours=48),
        now=NOW,
    )


def test_request_is_stored_as_it_was_made(forum: Platform) -> None:
    # When Alice's lawyer files with white space around what was typed
    draft = a_draft(
        signature=" A. Lawyer ", statement="\nNo.\n", contact=" a@b.example ", signer=Signer.AUTHORISED
    )
    record(forum, draft)

    # Then it waits with its clock running, and its addresses are in the order named
    notice = notice_by_number("R-1")
    assert (notice.state, notice.closed_at) == (NoticeState.OPEN, None)
    assert (notice.received_at, notice.deadline_at) == (NOW, NOW + timedelta(hours=48))
    assert notice.received_at.utcoffset() == notice.deadline_at.utcoffset() == timedelta(0)
    assert (notice.case_number, notice.platform_id, notice.duty_id) == ("C-1", forum.id, "tida-removal")
    assert (notice.signature, notice.signer) == ("A. Lawyer", Signer.AUTHORISED)
    assert (notice.statement, notice.contact) == ("No.", "a@b.example")
    assert notice.urls == ("http://127.0.0.1:8001/posts/2", "http://127.0.0.1:8001/posts/1")


def test_request_without_an_element_is_not_stored(forum: Platform) -> None:
    with pytest.raises(ElementsMissing):
        record(forum, a_draft(good_faith=False))
    assert not NoticeRecord.objects.exists()


@pytest.mark.parametrize("action", list(NoticeAction))
@pytest.mark.parametrize("state", list(NoticeState))
def test_stored_request_moves_as_the_table_says_and_notes_when_it_closed(
    forum: Platform, state: NoticeState, action: NoticeAction
) -> None:
    # Given a request in this state
    record(forum, a_draft())
    closed_at = NOW if state in rules.FINAL_STATES else None
    NoticeRecord.objects.update(state=state, closed_at=closed_at)

    if rules.may(state, action):
        # When the action is allowed, then the request stands where the table says, with a time if closed
        after = change_state(number="R-1", action=action, now=LATER)
        notice = notice_by_number("R-1")
        assert notice.state is after is rules.state_after(state, action)
        assert notice.closed_at == (LATER if after in rules.FINAL_STATES else None)
    else:
        # When it is not, then nothing changes
        with pytest.raises(TransitionRefused):
            change_state(number="R-1", action=action, now=LATER)
        notice = notice_by_number("R-1")
        assert (notice.state, notice.closed_at) == (state, closed_at)


def test_unknown_request_cannot_be_changed(db: None) -> None:
    with pytest.raises(NoticeNotFound):
        change_state(number="R-NONE-0000", action=NoticeAction.CLAIM, now=NOW)
