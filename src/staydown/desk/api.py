"""The API that a platform calls: file requests for its members, read copies, confirm removals.

Each call speaks with a bearer token; what belongs to another platform does not exist for it.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Annotated

from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import NinjaAPI, Schema, Status
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.security import HttpBearer
from pydantic import AfterValidator

from staydown.access.errors import IdempotencyKeyReused, ScopeMissing, TokenNotRecognised
from staydown.access.queries import holder_of_token
from staydown.access.terms import MarkedCall, Platform, Scope
from staydown.action.errors import CopyNotFound
from staydown.action.queries import copy_by_id
from staydown.action.terms import Copy
from staydown.bank.errors import EntryNotFound
from staydown.bank.queries import entry_by_id
from staydown.errors import StaydownError
from staydown.journeys.deliver_instruction import confirm_copy_gone
from staydown.journeys.file_request import file_request_for_platform
from staydown.notices.errors import (
    AddressNotUnderstood,
    ElementsMissing,
    NoticeError,
    NoticeNotFound,
    NotOnThisPlatform,
)
from staydown.notices.queries import notice_by_number
from staydown.notices.terms import Notice, RequestDraft, Signer
from staydown.problem import Problem

# As long as a UUID with room to spare; longer keys are a mistake.
MAX_KEY_LENGTH = 200

api = NinjaAPI(title="Staydown", version="1", docs_url=None, openapi_url=None, urls_namespace="platform-api")


class Bearer(HttpBearer):
    """Admits a token that has one scope; the platform it speaks for becomes `request.auth`."""

    def __init__(self, scope: Scope) -> None:
        super().__init__()
        self.scope = scope

    def authenticate(self, request: HttpRequest, token: str) -> Platform:
        """The platform. Raises TokenNotRecognised or ScopeMissing."""
        return holder_of_token(token, scope=self.scope, now=datetime.now(UTC)).platform


def _whole(text: str) -> str:
    """The text. JSON can carry half a surrogate pair, and NUL; neither is kept by every database."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("is not whole Unicode text") from None
    if "\0" in text:
        raise ValueError("has a NUL in it")
    return text


Text = Annotated[str, AfterValidator(_whole)]


class RequestIn(Schema):
    """The four elements of a removal request."""

    urls: list[Text] = []
    signature: Text = ""
    signer: Signer = Signer.DEPICTED_PERSON
    good_faith: bool = False
    statement: Text = ""
    contact: Text = ""


class CaseOut(Schema):
    """The receipt to hand to the person; the key phrase is told once, in the first answer."""

    number: str
    key_phrase: str | None


class NoticeOut(Schema):
    """A removal request."""

    number: str
    state: str
    urls: list[str]
    received_at: datetime
    deadline_at: datetime
    case: CaseOut | None = None


class CopyOut(Schema):
    """One place to clear."""

    copy_id: str
    content_id: str | None
    content_url: str
    kind: str
    state: str


class EntryOut(Schema):
    """An entry's provenance; never its fingerprints."""

    entry_id: str
    bank: str
    state: str
    source: str
    created_at: datetime
    state_changed_at: datetime


def _platform(request: HttpRequest) -> Platform:
    platform: Platform = request.auth  # type: ignore[attr-defined]
    return platform


def _notice_out(notice: Notice) -> NoticeOut:
    return NoticeOut(
        number=notice.number,
        state=notice.state,
        urls=list(notice.urls),
        received_at=notice.received_at,
        deadline_at=notice.deadline_at,
    )


def _copy_out(copy: Copy) -> CopyOut:
    return CopyOut(
        copy_id=copy.id,
        content_id=copy.content_id,
        content_url=copy.content_url,
        kind=copy.kind,
        state=copy.state,
    )


def _marked(request: HttpRequest, route: str) -> MarkedCall | None:
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not 0 < len(key) <= MAX_KEY_LENGTH:
        raise HttpError(400, f"An Idempotency-Key has 1 to {MAX_KEY_LENGTH} characters.")
    return MarkedCall(
        platform_id=_platform(request).id,
        route=route,
        key=key,
        body_sha256=hashlib.sha256(request.body).hexdigest(),
    )


@api.post("/notices", auth=Bearer(Scope.NOTICES), response={201: NoticeOut}, tags=["notices"])
def file_notice(request: HttpRequest, body: RequestIn) -> Status[NoticeOut]:
    """Files a removal request that the platform took from its own member. The clock runs from now."""
    draft = RequestDraft(
        urls=tuple(body.urls),
        signature=body.signature,
        signer=body.signer,
        statement=body.statement,
        good_faith=body.good_faith,
        contact=body.contact,
    )
    filed = file_request_for_platform(
        draft, platform=_platform(request), call=_marked(request, "notices"), now=datetime.now(UTC)
    )
    out = _notice_out(filed.notices[0])
    phrase = filed.receipt.key_phrase if filed.receipt else None
    out.case = CaseOut(number=filed.notices[0].case_number, key_phrase=phrase)
    return Status(201, out)


@api.get("/notices/{number}", auth=Bearer(Scope.NOTICES), response=NoticeOut, tags=["notices"])
def read_notice(request: HttpRequest, number: str) -> NoticeOut:
    """A removal request against this platform."""
    notice = notice_by_number(number)
    if notice.platform_id != _platform(request).id:
        raise NoticeNotFound
    return _notice_out(notice)


@api.get("/copies/{copy_id}", auth=Bearer(Scope.COPIES), response=CopyOut, tags=["copies"])
def read_copy(request: HttpRequest, copy_id: str) -> CopyOut:
    """What to remove."""
    return _copy_out(copy_by_id(copy_id, platform_id=_platform(request).id))


@api.post("/copies/{copy_id}/gone", auth=Bearer(Scope.COPIES), response=CopyOut, tags=["copies"])
def confirm_gone(request: HttpRequest, copy_id: str) -> CopyOut:
    """Confirms that a copy is gone. Saying it again changes nothing."""
    return _copy_out(
        confirm_copy_gone(copy_id=copy_id, platform_id=_platform(request).id, now=datetime.now(UTC))
    )


@api.get("/entries/{entry_id}", auth=Bearer(Scope.ENTRIES), response=EntryOut, tags=["entries"])
def read_entry(request: HttpRequest, entry_id: str) -> EntryOut:
    """An entry's provenance."""
    entry = entry_by_id(entry_id)
    return EntryOut(
        entry_id=entry.id,
        bank=entry.bank,
        state=entry.state,
        source=entry.source,
        created_at=entry.created_at,
        state_changed_at=entry.state_changed_at,
    )


def _answer(problem: Problem, **headers: str) -> HttpResponse:
    return JsonResponse(
        problem.as_dict(), status=problem.status, content_type="application/problem+json", headers=headers
    )


_UNAUTHORISED = Problem(
    401, "token-not-recognised", "Token not recognised", "The token is missing, unknown, revoked or expired."
)
_NOT_FOUND = {
    CopyNotFound: "No such copy.",
    NoticeNotFound: "No such request.",
    EntryNotFound: "No such entry.",
}


@api.exception_handler(AuthenticationError)
@api.exception_handler(TokenNotRecognised)
def _unauthorised(request: HttpRequest, error: Exception) -> HttpResponse:
    return _answer(_UNAUTHORISED, **{"WWW-Authenticate": "Bearer"})


@api.exception_handler(ValidationError)
def _malformed(request: HttpRequest, error: ValidationError) -> HttpResponse:
    wrong = [".".join(str(part) for part in row["loc"]) + ": " + row["msg"] for row in error.errors]
    return _answer(
        Problem(422, "malformed-body", "The body is not as described", "; ".join(wrong) or "not readable")
    )


@api.exception_handler(HttpError)
def _http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    return _answer(Problem(error.status_code, "not-understood", "Not understood", str(error)))


@api.exception_handler(StaydownError)
def _anticipated(request: HttpRequest, error: StaydownError) -> HttpResponse:
    return _answer(_problem_for(error))


def _problem_for(error: StaydownError) -> Problem:
    match error:
        case ScopeMissing():
            return Problem(403, "scope-missing", "The token may not do this", str(error))
        case IdempotencyKeyReused():
            return Problem(
                422,
                "idempotency-key-reused",
                "Idempotency-Key reused",
                "The same key came before with another body.",
            )
        case ElementsMissing():
            missing = [element.value for element in error.missing]
            return Problem(
                422,
                "elements-missing",
                "The request is not complete",
                "Missing: " + ", ".join(missing) + ". Nothing was stored; send it again with them.",
                {"missing": missing},
            )
        case NotOnThisPlatform():
            return Problem(
                422,
                "another-site",
                "An address is on another site",
                f"Address {error.position} does not start with this platform's own address.",
                {"position": error.position},
            )
        case AddressNotUnderstood():
            return Problem(
                422,
                "not-an-address",
                "Not a web address",
                f"Address {error.position} is not an http or https address.",
                {"position": error.position},
            )
        case CopyNotFound() | NoticeNotFound() | EntryNotFound():
            return Problem(404, "not-found", "Not found", _NOT_FOUND[type(error)])
        case NoticeError():
            return Problem(422, "request-refused", "The request cannot be used", str(error))
        case _:
            return Problem(409, "refused", "Refused", str(error))
