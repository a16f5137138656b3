"""Words of the legal rows: statements, elements, duties, and the way for people under 18.

Nothing here is legal advice. A statement carries its citation, the day it was checked and how sure we are.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Confidence(StrEnum):
    """How sure we are of a row."""

    PRIMARY = "primary"
    SECONDARY = "secondary"
    MEMORY = "memory"
    UNKNOWN = "unknown"


class ShownAs(StrEnum):
    """How a page shows a statement."""

    FACT = "fact"
    COULD_NOT_CONFIRM = "could_not_confirm"


@dataclass(frozen=True, slots=True)
class Statement:
    """One row about the law or about a service.

    `text` is safe to show: for a row that we could not confirm it says so, and what the row claims stays in
    `claim`, which is for people who maintain the rows. `caveat` says what was not read or is open, and may be
    empty. `as_of` is YYYY[-MM[-DD]].
    """

    id: str
    title: str
    text: str
    claim: str
    caveat: str
    citation: str
    as_of: str
    confidence: Confidence
    source_url: str
    shown_as: ShownAs


@dataclass(frozen=True, slots=True)
class Element:
    """One of the four elements of a valid removal request.

    `name` is signature, location, good_faith or contact.
    """

    name: str
    statement: Statement


@dataclass(frozen=True, slots=True)
class Duty:
    """A clock that a covered platform works under; it runs from the receipt of a valid request."""

    id: str
    title: str
    jurisdiction: str
    window_hours: int
    applies_to: str
    statement: Statement


class PlaceGroup(StrEnum):
    """What a place is, in the order of the list that a person chooses from."""

    FEDERAL = "federal"
    STATE = "state"
    TERRITORY = "territory"
    COUNTRY = "country"


class Cover(StrEnum):
    """Whether a law reaches something. There is no "no": silence of our rows must not look like one."""

    YES = "yes"
    COULD_NOT_CONFIRM = "could_not_confirm"


class Need(StrEnum):
    """What somebody turns to an organisation for."""

    REMOVAL = "removal"
    SUPPORT = "support"
    CRISIS = "crisis"
    POLICE = "police"
    COMPLAINT = "complaint"
    SAFETY = "safety"


class People(StrEnum):
    """Whom an organisation is there for."""

    ADULTS = "adults"
    MINORS = "minors"
    HELPERS = "helpers"


@dataclass(frozen=True, slots=True)
class Organisation:
    """Somebody who helps. Name and address are always shown, the rest as `statement` allows.

    `countries` are place ids, empty for everywhere. `hours` and `silent` (how to reach them without speaking)
    are empty where we do not know.
    """

    id: str
    name: str
    url: str
    statement: Statement
    countries: tuple[str, ...] = ()
    people: tuple[People, ...] = ()
    needs: tuple[Need, ...] = ()
    hours: str = ""
    silent: str = ""


@dataclass(frozen=True, slots=True)
class Citation:
    """One law that a place's row cites, with a confidence of its own. `kinds`: criminal, civil, platform."""

    text: str
    kinds: tuple[str, ...]
    confidence: Confidence
    shown_as: ShownAs


@dataclass(frozen=True, slots=True)
class Place:
    """A place whose law the rows speak about. `country` is the country's id, its own for a country."""

    id: str
    name: str
    group: PlaceGroup
    country: str


@dataclass(frozen=True, slots=True)
class Options:
    """What the rows say about the law of one place.

    `row` is None for a country that has rows about single laws only (`laws`). `laws` of a place in the United
    States are the federal ones.
    """

    place: Place
    row: Statement | None
    synthetic: Cover
    civil: Cover
    citations: tuple[Citation, ...]
    verify_at: str
    question: str
    laws: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Channel:
    """Where a platform takes removal requests. `asks` is empty where we do not know what its form asks."""

    id: str
    name: str
    url: str
    asks: tuple[str, ...]
    statement: Statement


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do, with what it rests on and where to go, if anywhere."""

    id: str
    text: str
    statement: Statement
    organisation: Organisation | None


@dataclass(frozen=True, slots=True)
class MinorsRoute:
    """What to do when anybody in the picture was or may have been under 18."""

    steps: tuple[Step, ...]

    @property
    def organisations(self) -> tuple[Organisation, ...]:
        """The organisations that the steps lead to, in the steps' order."""
        return tuple(step.organisation for step in self.steps if step.organisation)
