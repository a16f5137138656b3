"""Pure rules of removal requests: the four elements, the clock, the table of transitions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit, urlunsplit

from staydown.notices.errors import (
    AddressNotUnderstood,
    ElementsMissing,
    NotOnThisPlatform,
    TextTooLong,
    TooManyAddresses,
    TransitionRefused,
)
from staydown.notices.terms import Element, NoticeAction, NoticeState, RequestDraft

# More than a person pastes by hand, few enough for a reviewer to decide together.
MAX_ADDRESSES = 20
MAX_ADDRESS_LENGTH = 2_000
_STANDARD_PORTS = {"http": 80, "https": 443}
MAX_LENGTH = {Element.SIGNATURE: 200, Element.GOOD_FAITH: 5_000, Element.CONTACT: 300}

# The one table of transitions. What is not in it is refused.
TRANSITIONS: dict[tuple[NoticeState, NoticeAction], NoticeState] = {
    (NoticeState.OPEN, NoticeAction.CLAIM): NoticeState.CLAIMED,
    (NoticeState.CLAIMED, NoticeAction.CLAIM): NoticeState.CLAIMED,
    (NoticeState.CLAIMED, NoticeAction.RELEASE): NoticeState.OPEN,
    (NoticeState.CLAIMED, NoticeAction.REMOVE): NoticeState.REMOVED,
    (NoticeState.CLAIMED, NoticeAction.DECLINE): NoticeState.NOT_REMOVED,
    (NoticeState.OPEN, NoticeAction.WITHDRAW): NoticeState.WITHDRAWN,
    (NoticeState.CLAIMED, NoticeAction.WITHDRAW): NoticeState.WITHDRAWN,
}
FINAL_STATES = frozenset({NoticeState.REMOVED, NoticeState.NOT_REMOVED, NoticeState.WITHDRAWN})


def state_after(state: NoticeState, action: NoticeAction) -> NoticeState:
    """The state that an action leads to. Raises TransitionRefused if the table has none."""
    try:
        return TRANSITIONS[state, action]
    except KeyError:
        raise TransitionRefused(state=state, action=action) from None


def may(state: NoticeState, action: NoticeAction) -> bool:
    """Whether the table allows the action in this state."""
    return (state, action) in TRANSITIONS


def deadline(received_at: datetime, *, window_hours: int) -> datetime:
    """When the duty's window ends. Both times are aware and UTC."""
    return received_at + timedelta(hours=window_hours)


def missing_elements(draft: RequestDraft) -> tuple[Element, ...]:
    """Which of the four elements the draft lacks, in the Act's order."""
    present = {
        Element.SIGNATURE: bool(draft.signature.strip()),
        Element.LOCATION: any(url.strip() for url in draft.urls),
        Element.GOOD_FAITH: draft.good_faith,
        Element.CONTACT: bool(draft.contact.strip()),
    }
    return tuple(element for element in Element if not present[element])


def check_complete(draft: RequestDraft) -> None:
    """Raises ElementsMissing, TextTooLong or TooManyAddresses; returns if the draft is a request."""
    missing = missing_elements(draft)
    if missing:
        raise ElementsMissing(missing)
    for element, text in (
        (Element.SIGNATURE, draft.signature),
        (Element.GOOD_FAITH, draft.statement),
        (Element.CONTACT, draft.contact),
    ):
        if len(text) > MAX_LENGTH[element]:
            raise TextTooLong(element, allowed=MAX_LENGTH[element])
    if len(draft.urls) > MAX_ADDRESSES:
        raise TooManyAddresses(found=len(draft.urls), allowed=MAX_ADDRESSES)


def normalise_address(typed: str, *, position: int) -> str:
    """A web address as we compare it: scheme and host in lower case, no fragment, user part or standard port.

    Raises AddressNotUnderstood if it is not an http or https address, or has what a browser resolves before
    anybody can copy it (`..`, a backslash): it would name another place than it seems to.
    """
    text = typed.strip()
    if "://" not in text:
        text = f"https://{text}"
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise AddressNotUnderstood(position) from None
    looks_like_a_host = host is not None and ("." in host or ":" in host or host == "localhost")
    if (
        parts.scheme.lower() not in ("http", "https")
        or not looks_like_a_host
        or len(text) > MAX_ADDRESS_LENGTH
        or any(sign.isspace() or not sign.isprintable() for sign in text)
        or "\\" in parts.netloc + parts.path
        or any(part.lower().replace("%2e", ".") in (".", "..") for part in parts.path.split("/"))
    ):
        raise AddressNotUnderstood(position)
    netloc = f"[{host}]" if ":" in str(host) else str(host)
    if port is not None and port != _STANDARD_PORTS[parts.scheme.lower()]:
        netloc += f":{port}"
    return urlunsplit((parts.scheme.lower(), netloc, parts.path or "/", parts.query, ""))


def belongs_to(address: str, *, url_prefix: str) -> bool:
    """Whether a normalised address lies under a platform's prefix, whichever of http and https was typed."""
    prefix = urlsplit(url_prefix)
    parts = urlsplit(address)
    root = prefix.path.rstrip("/") + "/"
    return parts.netloc == prefix.netloc.lower() and (parts.path + "/").startswith(root)


def check_addresses(typed: Sequence[str], *, url_prefixes: Iterable[str]) -> dict[str, str]:
    """Maps each normalised address to the url prefix that owns it, in the order typed, once each.

    Of prefixes that lie in each other the longer one owns.
    Raises AddressNotUnderstood or NotOnThisPlatform with the position of the first bad one.
    """
    prefixes = sorted(url_prefixes, key=lambda prefix: len(urlsplit(prefix).path), reverse=True)
    owners: dict[str, str] = {}
    for position, text in enumerate(typed, start=1):
        address = normalise_address(text, position=position)
        owner = next((prefix for prefix in prefixes if belongs_to(address, url_prefix=prefix)), None)
        if owner is None:
            raise NotOnThisPlatform(position)
        # The platform's own scheme wins: http://… typed for an https site means the same post.
        scheme = urlsplit(owner).scheme
        stored = urlunsplit((scheme, *urlsplit(address)[1:]))
        if len(stored) > MAX_ADDRESS_LENGTH:
            raise AddressNotUnderstood(position)
        owners[stored] = owner
    return owners
