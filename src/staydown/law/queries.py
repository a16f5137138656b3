"""What other packages ask the legal rows. Answers come with citation, date and confidence.

None is legal advice, and nothing here is about one case: which law applies to whom is for a person to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from staydown.law import options, rules
from staydown.law.errors import ChannelNotFound, DutyNotFound, PlaceNotFound, StatementNotFound
from staydown.law.reading import law_file
from staydown.law.terms import (
    Channel,
    Duty,
    Element,
    MinorsRoute,
    Need,
    Options,
    Organisation,
    People,
    Place,
    Statement,
)

FEDERAL_REMOVAL = "tida-removal"
# Where a complaint about a platform goes: a row among the channels that is no platform.
COMPLAINT_CHANNEL = "ftc"


@cache
def _rows() -> Mapping[str, rules.Row]:
    return rules.rows_by_id(law_file("facts.yaml"))


@cache
def _duties() -> Mapping[str, Duty]:
    return rules.duties_from(law_file("duties.yaml")["duties"], rows=_rows())


def removal_duty(duty_id: str = FEDERAL_REMOVAL) -> Duty:
    """The duty with this id; without one, the 48 hours of 47 U.S.C. 223a(a)(3). Raises DutyNotFound."""
    try:
        return _duties()[duty_id]
    except KeyError:
        raise DutyNotFound(duty_id) from None


def removal_duties() -> tuple[Duty, ...]:
    """Every duty that we know of, the federal one first."""
    return tuple(_duties().values())


def notice_elements() -> tuple[Element, ...]:
    """The four elements of a valid removal request (47 U.S.C. 223a(a)(1)(B)), in the Act's order."""
    return rules.elements_from(_rows())


def minors_route() -> MinorsRoute:
    """What to do when anybody in the picture was or may have been under 18."""
    return rules.minors_route_from(law_file("minors.yaml")["steps"], rows=_rows())


def statement(statement_id: str) -> Statement:
    """The statement of one row. Raises StatementNotFound."""
    row = _rows().get(statement_id)
    if row is None:
        raise StatementNotFound(statement_id)
    return rules.statement_from(row)


@cache
def places() -> tuple[Place, ...]:
    """Every place whose law the rows speak about, in the order of a list to choose from."""
    file = law_file("places.yaml")
    return options.places_from(
        law_file("facts.yaml")["jurisdictions"], file["countries"], file["territories"]
    )


def place(place_id: str) -> Place:
    """The place with this id. Raises PlaceNotFound."""
    found = next((one for one in places() if one.id == place_id), None)
    if found is None:
        raise PlaceNotFound(place_id)
    return found


@cache
def options_for(place_id: str) -> Options:
    """What the rows say about the law of a place. Raises PlaceNotFound."""
    return options.options_from(
        place(place_id),
        rows=_rows(),
        instruments=law_file("facts.yaml")["instruments"],
        countries=law_file("places.yaml")["countries"],
    )


@cache
def _channels() -> tuple[Channel, ...]:
    return tuple(options.channel_from(row) for row in law_file("facts.yaml")["platform_channels"])


def channels() -> tuple[Channel, ...]:
    """Where platforms take removal requests, in the file's order."""
    return tuple(channel for channel in _channels() if channel.id != COMPLAINT_CHANNEL)


def channel(channel_id: str) -> Channel:
    """The channel with this id, the complaint's too. Raises ChannelNotFound."""
    found = next((one for one in _channels() if one.id == channel_id), None)
    if found is None:
        raise ChannelNotFound(channel_id)
    return found


@cache
def _helpers() -> tuple[Organisation, ...]:
    return options.helpers_from(law_file("help.yaml")["organisations"], rows=_rows())


def organisations(
    *, country: str | None = None, people: People | None = None, need: Need | None = None
) -> tuple[Organisation, ...]:
    """Who helps, narrowed by the country's id, by whom they are for, and by what is needed."""
    return tuple(one for one in _helpers() if options.is_for(one, country=country, people=people, need=need))
