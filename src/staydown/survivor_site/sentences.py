"""Anticipated errors in plain sentences for the depicted person."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from staydown.access.errors import TooManyAttempts
from staydown.cases.errors import (
    CaseError,
    CaseIsWithdrawn,
    NothingToRegister,
    SentInTheFuture,
    SubmissionRefused,
    TooManyItems,
    TooManyOutsideRequests,
)
from staydown.notices.errors import (
    AddressNotUnderstood,
    ElementsMissing,
    NoticeError,
    NotOnThisPlatform,
    TextTooLong,
    TooManyAddresses,
)
from staydown.notices.terms import Element


def wait_sentence(error: TooManyAttempts) -> str:
    """How long to wait before the next try."""
    minutes = max(1, -(-error.retry_after_seconds // 60))
    return ngettext(
        "There were too many tries. Please wait %(minutes)d minute, then try again. Nothing is lost.",
        "There were too many tries. Please wait %(minutes)d minutes, then try again. Nothing is lost.",
        minutes,
    ) % {"minutes": minutes}


def submission_trouble(error: CaseError) -> str:
    """Why fingerprints were not taken, and what to do."""
    match error:
        case NothingToRegister():
            return _("No fingerprint arrived. Choose at least one picture and wait until it is ready.")
        case TooManyItems():
            return _("%(found)d pictures arrived; %(allowed)d can be sent at a time. Send them in parts.") % {
                "found": error.found,
                "allowed": error.allowed,
            }
        case CaseIsWithdrawn():
            return _("This case was withdrawn, so nothing can be added to it. You can open a new case.")
        case SentInTheFuture():
            return _("That time is in the future. Check the day and the time.")
        case TooManyOutsideRequests():
            return _("At most %(allowed)d requests can be followed here. Delete one that is done.") % {
                "allowed": error.allowed
            }
        case SubmissionRefused(item=0):
            # error.reason is English, for whoever mends the script; the person cannot do anything with it.
            return _("What arrived could not be read. Nothing was stored. Please try again.")
        case SubmissionRefused():
            return _(
                "Picture %(item)d could not be used. Nothing was stored. Take it out, then send again."
            ) % {"item": error.item}
        case _:
            return _("What arrived could not be used. Nothing was stored.")


def missing_sentence(element: Element) -> str:
    """What to add when one of the four elements is missing."""
    return {
        Element.SIGNATURE: _("Type your name, or a name you use, as your signature."),
        Element.LOCATION: _("Give the web address of the post, so that it can be found."),
        Element.GOOD_FAITH: _("Tick the box that says you did not agree to this being shared."),
        Element.CONTACT: _("Give one way to reach you, such as an e-mail address. It may be an alias."),
    }[element]


def request_trouble(error: NoticeError, *, served: str) -> dict[str, str]:
    """What is wrong with a request, by the name of the field that mends it. `served` names our platforms."""
    match error:
        case ElementsMissing():
            return {element.value: missing_sentence(element) for element in error.missing}
        case AddressNotUnderstood():
            return {
                Element.LOCATION.value: _("Line %(line)d is not a web address. Copy it from the address bar.")
                % {"line": error.position}
            }
        case NotOnThisPlatform():
            return {
                Element.LOCATION.value: _(
                    "The address on line %(line)d is on another site. From here, only posts on %(served)s "
                    "can be removed. Take that address out and send the others; report it on the site "
                    "where it is."
                )
                % {"line": error.position, "served": served}
            }
        case TooManyAddresses():
            return {
                Element.LOCATION.value: _("%(found)d addresses; at most %(allowed)d belong in one request.")
                % {"found": error.found, "allowed": error.allowed}
            }
        case TextTooLong():
            return {
                error.element.value: _("This is longer than %(allowed)d characters. Please shorten it.")
                % {"allowed": error.allowed}
            }
        case _:
            return {Element.LOCATION.value: _("This could not be used. Nothing was stored.")}
