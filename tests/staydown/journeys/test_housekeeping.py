"""What has had its time is forgotten, and nothing else."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.sessions.models import Session

from staydown.access.models import IdempotentCall, Throttle
from staydown.access.operations import count_attempt, remember_call
from staydown.access.rules import ADDRESS_RULE
from staydown.access.terms import MarkedCall, Platform
from staydown.cases.models import CaseRecord
from staydown.journeys.housekeeping import forget_what_is_old
from staydown.notices.models import NoticeRecord
from tests.staydown.conftest import NOW, a_filed_request, an_entry


def test_old_windows_marks_and_sessions_go_and_people_s_things_stay(forum: Platform) -> None:
    # Given an old and a new one of each, and a request and an entry of long ago
    for name, age in [("old", timedelta(days=2)), ("new", timedelta(0))]:
        count_attempt(purpose="receipt", who=name, rule=ADDRESS_RULE, now=NOW - age)
        call = MarkedCall(platform_id=forum.id, route="notices", key=name, body_sha256="0" * 64)
        remember_call(call, made="R-1", now=NOW - age)
        Session.objects.create(session_key=name, session_data="", expire_date=NOW - age)
    a_filed_request(now=NOW - timedelta(days=900))
    an_entry()

    # When the sweep comes by twice
    for _ in range(2):
        forget_what_is_old(now=NOW)

    # Then only the old ones are gone
    assert Throttle.objects.count() == 1
    assert IdempotentCall.objects.get().key == "new"
    assert Session.objects.get().session_key == "new"
    assert (NoticeRecord.objects.count(), CaseRecord.objects.count()) == (1, 2)
