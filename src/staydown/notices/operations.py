"""What can be done in the notices stage. Each runs inside a journey's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from staydown.notices import rules
from staydown.notices.errors import NoticeNotFound
from staydown.notices.models import LocationRecord, NoticeRecord
from staydown.notices.terms import NoticeAction, NoticeState, RequestDraft


def record_notice(
    *,
    number: str,
    case_number: str,
    platform_id: str,
    draft: RequestDraft,
    urls: Sequence[str],
    duty_id: str,
    deadline_at: datetime,
    now: datetime,
) -> None:
    """Stores a complete request; its clock runs from `now`. Raises as rules.check_complete does."""
    rules.check_complete(draft)
    notice = NoticeRecord.objects.create(
        number=number,
        case_id=case_number,
        platform_id=platform_id,
        state=NoticeState.OPEN,
        received_at=now,
        deadline_at=deadline_at,
        duty_id=duty_id,
        signature=draft.signature.strip(),
        signer=draft.signer,
        statement=draft.statement.strip(),
        contact=draft.contact.strip(),
    )
    LocationRecord.objects.bulk_create(LocationRecord(notice=notice, url=url) for url in urls)


def change_state(*, number: str, action: NoticeAction, now: datetime) -> NoticeState:
    """Moves a request along the table of transitions and says where it is now.

    Raises NoticeNotFound, or TransitionRefused if the table does not allow the action.
    """
    record = NoticeRecord.objects.select_for_update().filter(number=number).first()
    if record is None:
        raise NoticeNotFound
    state = rules.state_after(NoticeState(record.state), action)
    record.state = state
    record.closed_at = now if state in rules.FINAL_STATES else None
    record.save(update_fields=["state", "closed_at"])
    return state


def forget_texts(*, case_number: str) -> int:
    """Deletes what people wrote in a case's closed requests: addresses, signature, contact, statement.

    Number, platform, times and outcome stay. Returns how many requests it was.
    """
    records = NoticeRecord.objects.filter(case__number=case_number).exclude(closed_at=None)
    LocationRecord.objects.filter(notice__in=records).delete()
    return records.update(signature="", contact="", statement="")
