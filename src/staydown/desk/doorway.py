"""Who may come through this door: a signed-in member of staff with a role that allows it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from staydown.access.terms import Role

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def now_utc() -> datetime:
    """The time at the door; from here on it is passed as an argument."""
    return datetime.now(UTC)


def role_of(request: HttpRequest) -> Role:
    """The signed-in person's role. Raises PermissionDenied if the account is not staff of the desk."""
    try:
        return Role(getattr(request.user, "role", ""))
    except ValueError:
        raise PermissionDenied from None


def reviewer_id(request: HttpRequest) -> int:
    """The signed-in person's id."""
    if request.user.pk is None:
        raise PermissionDenied
    return int(request.user.pk)


def staff_who(may: Callable[[Role], bool]) -> Callable[[View[P]], View[P]]:
    """Lets in whoever is signed in and has a role that `may` allows; others get 403, strangers sign in."""

    def guard(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if not may(role_of(request)):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return login_required(guarded)

    return guard
