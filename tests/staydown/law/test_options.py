"""What may be said of a place's law, of channels and of helpers: the rules, and every shipped row."""

import re

import pytest

from staydown.law import options, queries
from staydown.law.errors import ChannelNotFound, LegalRowsDamaged, PlaceNotFound
from staydown.law.reading import law_file
from staydown.law.terms import Confidence, Cover, Need, People, Place, PlaceGroup, ShownAs

PLACES = [pytest.param(place.id, id=place.id) for place in queries.places()]
ROW = {
    "id": "US-XX",
    "name": "Somewhere",
    "facts": ["It is so."],
    "citation": "Code 1; Code 2",
    "citations": [
        {"cite": "Code 1", "kind": ["criminal"], "confidence": "primary"},
        {"cite": "Code 2", "kind": ["civil"], "confidence": "memory"},
    ],
    "source_url": "https://example.org",
    "as_of": "2026-01-01",
    "confidence": "primary",
    "covers_synthetic": "yes",
    "civil_route": "yes",
}
SOMEWHERE = Place("US-XX", "Somewhere", PlaceGroup.STATE, "US")


def of(row):
    return options.options_from(SOMEWHERE, rows={"US-XX": row}, instruments=[], countries=[])


def test_every_state_the_district_and_five_territories_are_there():
    # When
    groups = [place.group for place in queries.places()]

    # Then
    assert groups.count(PlaceGroup.STATE) == 50
    assert groups.count(PlaceGroup.TERRITORY) == 6
    assert groups.count(PlaceGroup.FEDERAL) == 1
    assert groups == sorted(groups, key=list(PlaceGroup).index)


@pytest.mark.parametrize("place_id", PLACES)
def test_place_tells_source_date_and_confidence_of_all_that_it_says(place_id):
    # When
    found = queries.options_for(place_id)

    # Then
    statements = [*found.laws, *([found.row] if found.row else [])]
    assert statements
    for statement in statements:
        assert statement.citation
        assert statement.source_url.startswith("http")
        assert re.match(r"20\d\d", statement.as_of)
        if statement.confidence in (Confidence.MEMORY, Confidence.UNKNOWN):
            assert statement.shown_as is ShownAs.COULD_NOT_CONFIRM
            assert statement.claim not in statement.text
    for citation in found.citations:
        told = citation.confidence in (Confidence.PRIMARY, Confidence.SECONDARY)
        assert (citation.shown_as is ShownAs.FACT) is told


def test_nine_jurisdictions_whose_cover_is_unknown_are_told_as_that():
    for place_id in ("AK", "CT", "DC", "KS", "MS", "MO", "NE", "NM", "OH"):
        assert queries.options_for(f"US-{place_id}").synthetic is Cover.COULD_NOT_CONFIRM
    assert queries.options_for("US-TX").synthetic is Cover.YES


@pytest.mark.parametrize("confidence", ["memory", "unknown"])
def test_row_from_memory_confirms_nothing_even_where_it_says_yes(confidence):
    # When
    found = of({**ROW, "confidence": confidence})

    # Then
    assert found.synthetic is Cover.COULD_NOT_CONFIRM
    assert found.civil is Cover.COULD_NOT_CONFIRM


def test_citation_keeps_its_own_confidence():
    # When
    first, second = of(ROW).citations

    # Then
    assert (first.shown_as, second.shown_as) == (ShownAs.FACT, ShownAs.COULD_NOT_CONFIRM)


@pytest.mark.parametrize("value", ["unknown", None, "see rows", "no"])
def test_there_is_no_no(value):
    assert options.cover_of(value) is Cover.COULD_NOT_CONFIRM


def test_definition_is_not_told_as_a_law_that_somebody_can_use():
    laws = [statement.id for statement in queries.options_for("US-FED").laws]
    assert "tida-crime-authentic-adult" in laws
    assert "tida-def-consent" not in laws


def test_pending_bill_says_itself_that_it_is_not_law():
    [bill] = [law for law in queries.options_for("US-FED").laws if law.id == "us-defiance-act"]
    assert "not law" in bill.text.lower() or "not enacted" in bill.text.lower() or "held" in bill.text.lower()


def test_country_that_nobody_listed_is_named():
    with pytest.raises(LegalRowsDamaged, match="FR"):
        options.places_from([{"id": "FR", "name": "France"}], [], [])


def test_every_instrument_belongs_to_a_listed_place():
    # Given
    listed = {"US"} | {
        one for country in law_file("places.yaml")["countries"] for one in country["jurisdictions"]
    }

    # Then
    assert {row["jurisdiction"] for row in law_file("facts.yaml")["instruments"]} <= listed


def test_country_without_a_law_is_refused():
    with pytest.raises(LegalRowsDamaged, match="FR"):
        options.options_from(
            Place("FR", "France", PlaceGroup.COUNTRY, "FR"),
            rows={},
            instruments=[],
            countries=[{"id": "FR", "name": "France", "jurisdictions": ["FR"]}],
        )


def test_unknown_place_and_channel_are_anticipated_errors():
    with pytest.raises(PlaceNotFound):
        queries.options_for("US-ZZ")
    with pytest.raises(ChannelNotFound):
        queries.channel("nowhere")


def test_complaint_is_no_platform():
    assert queries.COMPLAINT_CHANNEL not in [channel.id for channel in queries.channels()]
    assert queries.channel(queries.COMPLAINT_CHANNEL).url.startswith("https://")


def test_what_an_unread_form_asks_is_not_told():
    for channel in queries.channels():
        if channel.statement.shown_as is not ShownAs.FACT:
            assert channel.asks == ()
        assert not any("unknown" in ask or "not recorded" in ask for ask in channel.asks)


def test_every_organisation_is_listed_once_except_the_database():
    # Given all organisations; one is a database of notices, which helps nobody
    named = {row["id"] for row in law_file("facts.yaml")["organizations"]} - {"lumen"}

    # When
    listed = [organisation.id for organisation in queries.organisations()]

    # Then
    assert sorted(listed) == sorted(named)


def test_hours_stand_in_the_organisations_own_row():
    for organisation in queries.organisations():
        for number in re.findall(r"\d+", organisation.hours):
            assert number in organisation.statement.claim, organisation.id


def test_helpers_are_narrowed_by_country_people_and_need():
    # When
    for_adults_here = queries.organisations(country="US", people=People.ADULTS, need=Need.SUPPORT)
    for_minors = queries.organisations(people=People.MINORS, need=Need.REMOVAL)

    # Then
    assert [organisation.id for organisation in for_adults_here] == ["ccri"]
    assert "stopncii" not in [organisation.id for organisation in for_minors]
    assert "stopncii" in [organisation.id for organisation in queries.organisations(country="KR")]


@pytest.mark.parametrize(("member", "value"), [("needs", ["magic"]), ("people", ["everybody"])])
def test_unknown_word_in_the_help_file_is_named(member, value):
    # Given
    row = {"organisation": "x", "countries": [], "people": ["adults"], "needs": ["removal"], member: value}

    # Then
    with pytest.raises(LegalRowsDamaged, match=r"\bx\b"):
        options.helpers_from([row], rows={"x": {**ROW, "id": "x"}})
