"""What the middleware answers in place of the application, in words for the person who uploads.

It repeats nothing of what was sent, and does not say whose picture an upload resembles.
"""

import json
import logging

from staydown.client.errors import (
    ClientError,
    FormRefused,
    NotAuthorised,
    RequestRefused,
    Unreachable,
    UploadTooLarge,
)
from staydown.client.terms import Action
from staydown.client.uploads import UNREADABLE_STATUSES, CheckedUpload, UploadRules
from staydown.problem import CONTENT_TYPE, Problem

logger = logging.getLogger("staydown.client")

# The server's own retries are over; a person who tries again needs a moment anyway.
RETRY_AFTER_SECONDS = 5


def problem_of(error: ClientError) -> Problem:
    """What the person who uploads is answered in place of the application."""
    match error:
        case FormRefused():
            return Problem(400, "upload-ambiguous", "The upload cannot be read", f"The request is {error}.")
        case UploadTooLarge():
            return Problem(
                413, "upload-too-large", "The upload is too large", f"It may have {error.max_bytes} bytes."
            )
        case RequestRefused(problem=problem) if problem.status in UNREADABLE_STATUSES:
            detail = "It could not be read as a picture or a video, so it could not be checked."
            return Problem(422, "upload-not-readable", "The upload cannot be checked", detail)
        case Unreachable():
            detail = "It could not be checked just now. Nothing was published; try again in a few minutes."
        case _:
            detail = (
                "It could not be checked. Nothing was published; the platform has to look at its settings."
            )
    return Problem(503, "upload-not-checked", "The upload was not checked", detail)


def problem_of_upload(upload: CheckedUpload, rules: UploadRules) -> Problem | None:
    """The answer in place of the application's; None if the application gets the request."""
    if upload.action is Action.BLOCK:
        detail = "It matches one that somebody asked to keep down. Nothing was published."
        return Problem(451, "upload-blocked", "The upload cannot be published", detail)
    if upload.action is Action.HOLD and rules.on_hold == "refuse":
        detail = "A person has to look at it first. Nothing was published."
        return Problem(403, "upload-held", "The upload cannot be published now", detail)
    return None


def answer_of(problem: Problem) -> tuple[list[tuple[str, str]], bytes]:
    """The headers and the body of a problem's answer."""
    body = json.dumps(problem.as_dict()).encode()
    headers = [
        ("content-type", CONTENT_TYPE),
        ("content-length", str(len(body))),
        ("cache-control", "no-store"),
    ]
    if problem.status == 503:
        headers.append(("retry-after", str(RETRY_AFTER_SECONDS)))
    return headers, body


def log_refusal(error: ClientError) -> None:
    """One line for the operator; a token that is not accepted stops every upload, so it is an error."""
    if isinstance(error, NotAuthorised):
        logger.error("uploads cannot be checked: %s", error)
    else:
        logger.warning("an upload was refused unchecked: %s", type(error).__name__)
