"""Private notes: a page that locks them on the device, and the few calls that take and give what is locked.

Nothing readable comes in: what is not an age file is refused. Only this page may make calls of its own
(staydown.config.csp.NOTES_CSP), and only to this site.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from functools import update_wrapper
from typing import Any, Concatenate, ParamSpec

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST, require_safe

from staydown.access.errors import ReceiptNotRecognised, TooManyAttempts
from staydown.access.terms import KeyKind
from staydown.cases.errors import CaseIsWithdrawn
from staydown.evidence import rules
from staydown.evidence.errors import (
    EvidenceError,
    NotesChanged,
    NotesExist,
    NotesFileNotFound,
    NotesNotFound,
    TooLarge,
    TooManyFiles,
)
from staydown.evidence.queries import notes_file, notes_of
from staydown.journeys import keep_notes
from staydown.journeys.open_case import open_case_with_receipt
from staydown.law import statement
from staydown.survivor_site import session
from staydown.survivor_site.doorway import caller_address, now_utc
from staydown.survivor_site.sentences import wait_sentence

P = ParamSpec("P")
# Base64 of the largest document, and some room for the rest of the text around it.
MAX_CALL_BYTES = rules.MAX_DOCUMENT_BYTES * 4 // 3 + 10_000


class NotUnderstood(Exception):
    """A call without the members that it needs."""


@require_safe
@session.needs_open_case
def page(request: HttpRequest, number: str) -> HttpResponse:
    """The page itself; all of its work is done on the device."""
    context = {"lumen": statement("lumen"), "log_each": statement("log-each-item")}
    response = render(request, "survivor_site/notes.html", context)
    response.headers["Content-Security-Policy"] = settings.STAYDOWN_NOTES_CSP
    return response


def _refusal(error: Exception) -> JsonResponse:
    """What went wrong as a sentence, and the revision that is stored if another window saved in between."""
    match error:
        case NotesChanged():
            trouble = _("Another window saved in between.")
            return JsonResponse({"trouble": trouble, "revision": error.revision}, status=409)
        case NotesExist():
            return JsonResponse({"trouble": _("There are notes in this case already.")}, status=409)
        case TooLarge():
            trouble = _("This is too large: at most %(megabytes)d megabytes.")
            return JsonResponse({"trouble": trouble % {"megabytes": error.allowed >> 20}}, status=413)
        case TooManyFiles():
            trouble = _("At most %(allowed)d files can be kept.") % {"allowed": error.allowed}
            return JsonResponse({"trouble": trouble}, status=413)
        case NotesNotFound() | NotesFileNotFound():
            return JsonResponse({"trouble": _("This is not there any more.")}, status=404)
        case CaseIsWithdrawn():
            return JsonResponse({"trouble": _("This case was deleted.")}, status=409)
        case TooManyAttempts():
            return JsonResponse({"trouble": wait_sentence(error)}, status=429)
        case ReceiptNotRecognised():
            return JsonResponse({"trouble": _("These are not the words of this case.")}, status=403)
        case _:
            return JsonResponse(
                {"trouble": _("What arrived could not be used. Nothing was stored.")}, status=422
            )


def for_the_open_case(
    work: Callable[Concatenate[HttpRequest, str, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Gives a call the number of the case that is open in this window; 403 without one."""

    def call(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        number = session.open_case_number(request, now=now_utc())
        if number is None:
            return JsonResponse(
                {"trouble": _("Your case was closed in this window. Open it again.")}, status=403
            )
        try:
            return work(request, number, *args, **kwargs)
        except (
            EvidenceError,
            CaseIsWithdrawn,
            NotUnderstood,
            ReceiptNotRecognised,
            TooManyAttempts,
        ) as error:
            return _refusal(error)

    update_wrapper(call, work)
    return call


def _body(request: HttpRequest, *, most: int) -> bytes:
    """The body as it came, read up to its limit: Django's own limit is for forms. Raises TooLarge."""
    content = request.read(most + 1)
    if len(content) > most:
        raise TooLarge(allowed=most)
    return content


def _call(request: HttpRequest) -> dict[str, Any]:
    try:
        sent = json.loads(_body(request, most=MAX_CALL_BYTES))
    except (ValueError, RecursionError):
        raise NotUnderstood from None
    if not isinstance(sent, dict):
        raise NotUnderstood
    return sent


def _text(sent: dict[str, Any], name: str) -> str:
    value = sent.get(name)
    if not isinstance(value, str):
        raise NotUnderstood
    return value


def _bytes(sent: dict[str, Any], name: str) -> bytes:
    try:
        return base64.b64decode(_text(sent, name), validate=True)
    except (binascii.Error, ValueError):
        raise NotUnderstood from None


def _kind(sent: dict[str, Any]) -> KeyKind:
    try:
        return KeyKind(_text(sent, "kind"))
    except ValueError:
        raise NotUnderstood from None


def _plain(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


@require_GET
@for_the_open_case
def stored(request: HttpRequest, number: str) -> HttpResponse:
    """All that is locked, without the files' contents; {"notes": null} if there are none."""
    found = notes_of(number)
    if found is None:
        return JsonResponse({"notes": None})
    return JsonResponse(
        {
            "notes": {
                "recipient": found.recipient,
                "wrapped": {kind: _plain(content) for kind, content in found.wrapped.items()},
                "document": _plain(found.document),
                "revision": found.revision,
                "files": {file.id: file.size_bytes for file in found.files},
            }
        }
    )


@require_POST
@for_the_open_case
def which_words(request: HttpRequest, number: str) -> HttpResponse:
    """Which of the case's keys an open key is; so that notes are never locked by a slip of the finger."""
    opened = open_case_with_receipt(
        number=number,
        open_key=_text(_call(request), "open_key"),
        address=caller_address(request),
        now=now_utc(),
    )
    return JsonResponse({"kind": opened.by.value})


@require_POST
@for_the_open_case
def start(request: HttpRequest, number: str) -> HttpResponse:
    """Stores new notes."""
    sent = _call(request)
    keep_notes.start_notes(
        case_number=number,
        recipient=_text(sent, "recipient"),
        kind=_kind(sent),
        wrapped=_bytes(sent, "wrapped"),
        document=_bytes(sent, "document"),
        now=now_utc(),
    )
    return JsonResponse({"revision": 1})


@require_POST
@for_the_open_case
def wrap(request: HttpRequest, number: str) -> HttpResponse:
    """Lets one more key open the notes."""
    sent = _call(request)
    keep_notes.wrap_notes(case_number=number, kind=_kind(sent), wrapped=_bytes(sent, "wrapped"))
    return JsonResponse({})


@require_POST
@for_the_open_case
def save(request: HttpRequest, number: str) -> HttpResponse:
    """Stores the document in the place of the one with the revision that the window knows."""
    sent = _call(request)
    revision = sent.get("revision")
    if not isinstance(revision, int):
        raise NotUnderstood
    saved = keep_notes.save_notes(
        case_number=number, document=_bytes(sent, "document"), revision=revision, now=now_utc()
    )
    return JsonResponse({"revision": saved})


@require_POST
@for_the_open_case
def add_file(request: HttpRequest, number: str) -> HttpResponse:
    """Keeps a locked attachment, sent as the body itself."""
    content = _body(request, most=rules.MAX_FILE_BYTES)
    return JsonResponse({"id": keep_notes.add_notes_file(case_number=number, content=content, now=now_utc())})


@require_GET
@for_the_open_case
def file(request: HttpRequest, number: str, file_id: str) -> HttpResponse:
    """One locked attachment."""
    return HttpResponse(notes_file(number, file_id), content_type="application/octet-stream")


@require_POST
@for_the_open_case
def remove_file(request: HttpRequest, number: str, file_id: str) -> HttpResponse:
    """Deletes an attachment."""
    keep_notes.remove_notes_file(case_number=number, file_id=file_id)
    return JsonResponse({})


@require_POST
@for_the_open_case
def delete(request: HttpRequest, number: str) -> HttpResponse:
    """Deletes the notes and all that belongs to them."""
    keep_notes.delete_notes(case_number=number, now=now_utc())
    return JsonResponse({})
