"""Somebody files a removal request: four elements, a number, a receipt, and the clock starts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from staydown.access.operations import make_receipt, new_number, remember_call
from staydown.access.queries import made_by_earlier_call, platforms
from staydown.access.terms import MarkedCall, Platform, Receipt
from staydown.cases.errors import CaseIsWithdrawn
from staydown.cases.operations import open_case
from staydown.cases.queries import case_by_number
from staydown.cases.terms import CaseState
from staydown.journeys.events import EventKind, write
from staydown.journeys.turn import in_turn
from staydown.law import removal_duty
from staydown.notices import rules
from staydown.notices.operations import record_notice
from staydown.notices.queries import notice_by_number
from staydown.notices.terms import Notice, RequestDraft


@dataclass(frozen=True, slots=True)
class FiledRequest:
    """What filing leads to. `receipt` is None when the request joined a case that has one."""

    notices: tuple[Notice, ...]
    receipt: Receipt | None


@in_turn
def file_request(
    draft: RequestDraft, *, now: datetime, case_number: str | None = None, open_key: str | None = None
) -> FiledRequest:
    """Files a request: one a platform that the addresses belong to. The clock runs from `now`.

    Raises ElementsMissing, TextTooLong, TooManyAddresses, AddressNotUnderstood or NotOnThisPlatform, and
    CaseIsWithdrawn if the case to join was withdrawn. Nothing is stored then. `open_key` is of a key phrase
    that the person's device made, for a case that is opened here; raises OpenKeyMalformed.
    """
    return _file(draft, served=platforms(), case_number=case_number, open_key=open_key, now=now)


@in_turn
def file_request_for_platform(
    draft: RequestDraft, *, platform: Platform, call: MarkedCall | None, now: datetime
) -> FiledRequest:
    """Files a request that a platform took from its own member. A marked call that comes twice files once.

    Raises as file_request does, and IdempotencyKeyReused.
    """
    made = made_by_earlier_call(call) if call else None
    if made is not None:
        return FiledRequest(notices=(notice_by_number(made),), receipt=None)
    filed = _file(draft, served=(platform,), case_number=None, open_key=None, now=now)
    if call is not None:
        remember_call(call, made=filed.notices[0].number, now=now)
    return filed


def _file(
    draft: RequestDraft,
    *,
    served: tuple[Platform, ...],
    case_number: str | None,
    open_key: str | None,
    now: datetime,
) -> FiledRequest:
    rules.check_complete(draft)
    by_prefix = {platform.url_prefix: platform for platform in served}
    owners = rules.check_addresses([url for url in draft.urls if url.strip()], url_prefixes=by_prefix)
    receipt = None
    if case_number is None:
        case_number = new_number("C")
        open_case(number=case_number, now=now)
        receipt = make_receipt(number=case_number, now=now, open_key=open_key)
        write(EventKind.CASE_OPENED, subject=case_number, now=now)
    elif case_by_number(case_number).state is not CaseState.OPEN:
        raise CaseIsWithdrawn
    duty = removal_duty()
    numbers = []
    for prefix in dict.fromkeys(owners.values()):
        number = new_number("R")
        deadline_at = rules.deadline(now, window_hours=duty.window_hours)
        urls = [url for url, owner in owners.items() if owner == prefix]
        record_notice(
            number=number,
            case_number=case_number,
            platform_id=by_prefix[prefix].id,
            draft=draft,
            urls=urls,
            duty_id=duty.id,
            deadline_at=deadline_at,
            now=now,
        )
        write(
            EventKind.REQUEST_RECEIVED,
            subject=case_number,
            now=now,
            request=number,
            platform=by_prefix[prefix].id,
            deadline_at=deadline_at.isoformat(),
            addresses=len(urls),
        )
        numbers.append(number)
    return FiledRequest(notices=tuple(notice_by_number(number) for number in numbers), receipt=receipt)
