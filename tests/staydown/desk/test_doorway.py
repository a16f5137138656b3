"""Who comes in at the desk: signed in, with a role that the page allows; everybody else does not."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from staydown.access.models import StaffMember
from staydown.access.rules import may_decide, may_read_queue
from staydown.access.terms import Role
from staydown.desk.doorway import now_utc, reviewer_id, role_of, staff_who


def a_call(rf: RequestFactory, user: Any) -> Any:
    request = rf.get("/desk/requests/R-1?page=2")
    request.user = user
    return request


def view(request: HttpRequest, number: str) -> HttpResponse:
    """Shows something."""
    return HttpResponse(f"shown {number}")


@pytest.mark.parametrize("role", list(Role))
def test_role_that_may_is_let_in_and_no_other(rf: RequestFactory, role: Role) -> None:
    call = a_call(rf, StaffMember(pk=1, role=role))

    assert staff_who(may_read_queue)(view)(call, "R-1").content == b"shown R-1"
    if role is Role.AUDITOR:
        with pytest.raises(PermissionDenied):
            staff_who(may_decide)(view)(call, "R-1")
    else:
        assert staff_who(may_decide)(view)(call, "R-1").status_code == 200


@pytest.mark.parametrize("role", ["", "owner", "Reviewer"])
def test_account_without_a_role_of_ours_is_refused(rf: RequestFactory, role: str) -> None:
    call = a_call(rf, StaffMember(pk=1, role=role, is_superuser=True, is_staff=True))

    with pytest.raises(PermissionDenied):
        staff_who(may_read_queue)(view)(call, "R-1")


def test_stranger_is_sent_to_sign_in_and_comes_back_to_the_page(rf: RequestFactory) -> None:
    answer = staff_who(may_read_queue)(view)(a_call(rf, AnonymousUser()), "R-1")

    assert answer.status_code == 302
    assert answer.headers["Location"] == "/desk/sign-in?next=/desk/requests/R-1%3Fpage%3D2"


def test_nobody_has_neither_role_nor_id(rf: RequestFactory) -> None:
    call = a_call(rf, AnonymousUser())

    for asked in (role_of, reviewer_id):
        with pytest.raises(PermissionDenied):
            asked(call)


def test_member_of_staff_has_a_role_and_an_id(rf: RequestFactory) -> None:
    call = a_call(rf, StaffMember(pk=7, role="lead"))

    assert (role_of(call), reviewer_id(call)) == (Role.LEAD, 7)


def test_the_time_at_the_door_is_aware_and_utc() -> None:
    assert now_utc().tzinfo is UTC


def test_guarded_view_keeps_its_name_and_words() -> None:
    assert staff_who(may_decide)(view).__doc__ == "Shows something."
