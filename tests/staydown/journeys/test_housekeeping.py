"""What has had its time is forgotten, and nothing else."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.sessions.models import Session

from staydown.access.models import IdempotentCall, Throttle
from staydown.access.operations import count_attempt, remember_call
from staydown.access.rules import ADDRESS_RULE
from staydown.access.terms import MarkedCall, Platform
from staydown.bank.models import SeenMatchRecord
from staydown.bank.queries import match_counts
from staydown.bank.rules import MATCHES_KEPT
from staydown.cases.models import CaseRecord
from staydown.journeys.housekeeping import MATCHES_AT_ONCE, count_old_matches, forget_what_is_old
from staydown.notices.models import NoticeRecord
from tests.staydown.conftest import NOW, a_filed_request, an_entry
from tests.staydown.journeys.floods import uploads_near


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


def test_old_matches_are_counted_to_the_last_however_many_there_are(forum: Platform) -> None:
    # Given more old matches than are counted at a time, and a new one
    entry, count = an_entry(), MATCHES_AT_ONCE + 1
    uploads_near(entry, forum, count, at=NOW - MATCHES_KEPT - timedelta(minutes=1))
    uploads_near(entry, forum, 1, at=NOW)

    # When the sweep comes by, then only their number is left
    assert count_old_matches(now=NOW) == count
    assert count_old_matches(now=NOW) == 0
    assert SeenMatchRecord.objects.count() == 1
    assert match_counts([entry.id]) == {entry.id: count + 1}
