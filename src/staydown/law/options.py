"""Pure rules of places, channels and helpers: what may be said about the law of a place, and who is for whom.

Takes plain rows, reads no file. Never says "not covered": a row that does not know says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from staydown.law.errors import LegalRowsDamaged
from staydown.law.rules import Row, organisation_from, row, shown_as, statement_from
from staydown.law.terms import (
    Channel,
    Citation,
    Confidence,
    Cover,
    Need,
    Options,
    Organisation,
    People,
    Place,
    PlaceGroup,
    ShownAs,
    Statement,
)

FEDERAL = "US-FED"
UNITED_STATES = "US"
# An overview of counts, not a place.
_NO_PLACE = "US-ALL-COUNT"
# What a page about the law of a place is for; definitions and background stand in docs/explanation/law.md.
KINDS = ("criminal", "civil", "platform_duty")
# How rows say that nobody wrote down what a form asks.
_NOT_RECORDED = ("fields not recorded", "unknown", "unknown (not stored)")


def places_from(
    jurisdictions: Sequence[Row], countries: Sequence[Row], territories: Sequence[str]
) -> tuple[Place, ...]:
    """Every place, the federal row first, then states, territories and countries by name."""
    found = []
    for jurisdiction in jurisdictions:
        place_id = jurisdiction["id"]
        if place_id == _NO_PLACE:
            continue
        group = PlaceGroup.TERRITORY if place_id in territories else PlaceGroup.STATE
        if place_id == FEDERAL:
            found.append(Place(place_id, jurisdiction["name"], PlaceGroup.FEDERAL, UNITED_STATES))
        elif place_id.startswith(UNITED_STATES + "-"):
            found.append(Place(place_id, jurisdiction["name"], group, UNITED_STATES))
        else:
            raise LegalRowsDamaged(place_id, "is a place that is not in the list of countries")
    found += [Place(one["id"], one["name"], PlaceGroup.COUNTRY, one["id"]) for one in countries]
    order = list(PlaceGroup)
    return tuple(sorted(found, key=lambda place: (order.index(place.group), place.name)))


def cover_of(value: str | None) -> Cover:
    """What a page says for a row's yes or unknown; anything but a plain yes could not be confirmed."""
    return Cover.YES if value == "yes" else Cover.COULD_NOT_CONFIRM


def citations_from(place_row: Row) -> tuple[Citation, ...]:
    """What a place's row cites, each by its own confidence."""
    found = []
    for one in place_row.get("citations", ()):
        confidence = Confidence(one["confidence"])
        found.append(
            Citation(
                text=one["cite"],
                kinds=tuple(one["kind"]),
                confidence=confidence,
                shown_as=shown_as(confidence),
            )
        )
    return tuple(found)


def laws_of(instruments: Sequence[Row], jurisdictions: Sequence[str]) -> tuple[Statement, ...]:
    """The laws of these jurisdictions that say what somebody may do or must do, in the file's order."""
    return tuple(
        statement_from(one)
        for one in instruments
        if one["jurisdiction"] in jurisdictions and set(one.get("kind", ())) & set(KINDS)
    )


def options_from(
    place: Place, *, rows: Mapping[str, Row], instruments: Sequence[Row], countries: Sequence[Row]
) -> Options:
    """What the rows say about the law of a place."""
    if place.group is PlaceGroup.COUNTRY:
        country = next(one for one in countries if one["id"] == place.id)
        laws = laws_of(instruments, country["jurisdictions"])
        if not laws:
            raise LegalRowsDamaged(place.id, "is a country without a single law")
        return Options(
            place=place,
            row=None,
            synthetic=Cover.COULD_NOT_CONFIRM,
            civil=Cover.COULD_NOT_CONFIRM,
            citations=(),
            verify_at="",
            question="",
            laws=laws,
        )
    found = row(rows, place.id, wanted_by="the list of places")
    statement = statement_from(found)
    confirmed = shown_as(statement.confidence) is ShownAs.FACT
    return Options(
        place=place,
        row=statement,
        synthetic=cover_of(found["covers_synthetic"]) if confirmed else Cover.COULD_NOT_CONFIRM,
        civil=cover_of(found.get("civil_route")) if confirmed else Cover.COULD_NOT_CONFIRM,
        citations=citations_from(found),
        verify_at=found.get("verify_at", ""),
        question=found.get("open_question", ""),
        laws=laws_of(instruments, (UNITED_STATES,)),
    )


def channel_from(channel: Row) -> Channel:
    """A platform's channel; what its form asks is told only where the row may be told."""
    statement = statement_from(channel)
    asks = tuple(ask for ask in channel["form_asks"] if ask not in _NOT_RECORDED)
    return Channel(
        id=statement.id,
        name=channel["name"],
        url=statement.source_url,
        asks=asks if statement.shown_as is ShownAs.FACT else (),
        statement=statement,
    )


def helpers_from(help_rows: Sequence[Row], *, rows: Mapping[str, Row]) -> tuple[Organisation, ...]:
    """Every organisation with whom it is for, in the order of the help file.

    Raises LegalRowsDamaged for an unknown organisation, need or kind of people.
    """
    found = []
    for one in help_rows:
        name = one["organisation"]
        organisation = organisation_from(row(rows, name, wanted_by="the list of help"))
        told = organisation.statement.shown_as is ShownAs.FACT
        try:
            people = tuple(People(value) for value in one["people"])
            needs = tuple(Need(value) for value in one["needs"])
        except ValueError as error:
            raise LegalRowsDamaged(name, f"has a word that is not one of ours: {error}") from None
        found.append(
            replace(
                organisation,
                countries=tuple(one["countries"]),
                people=people,
                needs=needs,
                hours=one.get("hours", "") if told else "",
                silent=one.get("silent", "") if told else "",
            )
        )
    return tuple(found)


def is_for(
    organisation: Organisation, *, country: str | None, people: People | None, need: Need | None
) -> bool:
    """Whether an organisation fits; None leaves that question open."""
    return (
        (country is None or not organisation.countries or country in organisation.countries)
        and (people is None or people in organisation.people)
        and (need is None or need in organisation.needs)
    )
