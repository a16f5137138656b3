"""Every refusal of this door in one place: status, slug and the sentence a platform's engineer reads.

Refuses to repeat what was sent: no token, fingerprint, digest, name or address ever stands in a detail.
"""

from __future__ import annotations

from staydown.fingerprint import FileTooLarge, NotFingerprintable, TooManyPixels
from staydown.match_api.errors import Refused
from staydown.problem import Problem

_SEE = "See /api/v1/openapi.json for what can be asked."


def invalid_request(detail: str, *, slug: str = "invalid-request", status: int = 400) -> Refused:
    """The request is not of the form that the API description gives."""
    return Refused(Problem(status, slug, "The request is not valid", detail))


def not_processable(detail: str, *, slug: str = "invalid-request") -> Refused:
    """The form is right and a value in it is not."""
    return invalid_request(detail, slug=slug, status=422)


def no_such_path() -> Refused:
    """Nothing of this door has the address. Never a redirect: it would be built from the Host header."""
    return Refused(Problem(404, "not-found", "There is nothing here", _SEE))


def no_such_method(known: tuple[str, ...]) -> Refused:
    """The address is there, and takes other methods."""
    problem = Problem(405, "method-not-allowed", "Method not allowed", _SEE)
    return Refused(problem, headers={"Allow": ", ".join(known)})


def unauthenticated(detail: str, *, challenge: str = "Bearer") -> Refused:
    """No token, or one that is unknown, revoked or expired; which of these is not told."""
    problem = Problem(401, "unauthenticated", "A valid token is needed", detail)
    return Refused(problem, headers={"WWW-Authenticate": challenge})


def scope_missing(scope: str) -> Refused:
    """The token is good and may not do this."""
    detail = f'The token does not have the scope "{scope}".'
    return Refused(Problem(403, "scope-missing", "The token may not do this", detail, {"scope": scope}))


def too_large(what: str, *, max_bytes: int) -> Refused:
    """A body is longer than the limit; it was not read to its end."""
    detail = f"{what} may have at most {max_bytes} bytes."
    return Refused(Problem(413, "body-too-large", "Too large", detail, {"max_bytes": max_bytes}))


def too_many_lines(max_lines: int) -> Refused:
    """A batch has more lines than the limit; none was checked."""
    detail = f"A batch may have at most {max_lines} lines; send the rest as another batch."
    return Refused(Problem(413, "too-many-lines", "Too large", detail, {"max_lines": max_lines}))


def unsupported_type(*accepted: str) -> Refused:
    """The Content-Type is none of those that this endpoint reads."""
    detail = f"Send the body as {' or '.join(accepted)}."
    problem = Problem(415, "unsupported-media-type", "Content type not supported", detail)
    return Refused(problem, headers={"Accept": ", ".join(accepted)})


def too_slow(seconds: float) -> Refused:
    """The body did not arrive in time."""
    detail = f"The whole body must arrive within {seconds:g} seconds."
    return Refused(Problem(408, "body-too-slow", "The body did not arrive in time", detail))


def busy(detail: str, *, retry_after_seconds: int) -> Refused:
    """There is more to do than places to do it; the same request may come again."""
    problem = Problem(429, "busy", "Too many uploads at once", detail)
    return Refused(problem, headers={"Retry-After": str(retry_after_seconds)})


def unavailable(slug: str, detail: str, *, retry_after_seconds: int) -> Refused:
    """Something that this door needs is not there; the request was not the cause."""
    problem = Problem(503, slug, "The upload check is not ready", detail)
    return Refused(problem, headers={"Retry-After": str(retry_after_seconds)})


def not_fingerprintable(error: NotFingerprintable) -> Refused:
    """The picture cannot be read; the slug says why, and the sentence is the library's own."""
    status = 413 if isinstance(error, TooManyPixels | FileTooLarge) else 422
    return Refused(Problem(status, error.slug, "The picture cannot be checked", str(error)))


def wish_unknown(header: str, wishes: tuple[str, ...]) -> Refused:
    """What is to be answered if no check can be made is said in a word that there is not."""
    return invalid_request(f"{header} is {' or '.join(wishes)}.", slug="wish-unknown")


def fetch_refused(slug: str, detail: str) -> Refused:
    """Media is not fetched from there. Nothing was asked of that host."""
    return Refused(Problem(403, slug, "The media may not be fetched", detail))


def fetch_failed(detail: str) -> Refused:
    """The host that has the media did not give it; another try may help."""
    return Refused(Problem(422, "fetch-failed", "The media could not be fetched", detail))


def fetch_too_slow(seconds: float) -> Refused:
    """The media did not arrive in time."""
    detail = f"A file must arrive within {seconds:g} seconds, with all its redirects."
    return Refused(Problem(422, "fetch-too-slow", "The media could not be fetched", detail))


def key_reused() -> Refused:
    """The Idempotency-Key was sent before with something else in the body."""
    return not_processable(
        "This Idempotency-Key was used for another request; make a new key for each upload.",
        slug="idempotency-key-reused",
    )


def defect() -> Problem:
    """Something happened that nobody thought of. It is logged; the answer says nothing about it."""
    return Problem(500, "internal-error", "The check failed", "")
