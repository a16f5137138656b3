"""Rules of the legal rows, on rows made up for the test."""

import pytest

from staydown.law import rules
from staydown.law.errors import LegalRowsDamaged
from staydown.law.terms import Confidence, ShownAs


def a_row(**changes):
    row = {
        "id": "some-duty",
        "title": "Some duty",
        "facts": ["First sentence.", "Second sentence."],
        "citation": "1 Example Code 2",
        "source_url": "https://law.example/2",
        "as_of": "2026-11-22",
        "confidence": "primary",
    }
    return row | changes


@pytest.mark.parametrize(
    ("confidence", "shown"),
    [
        (Confidence.PRIMARY, ShownAs.FACT),
        (Confidence.SECONDARY, ShownAs.FACT),
        (Confidence.MEMORY, ShownAs.COULD_NOT_CONFIRM),
        (Confidence.UNKNOWN, ShownAs.COULD_NOT_CONFIRM),
    ],
)
def test_only_what_was_read_or_reported_is_shown_as_a_fact(confidence, shown):
    assert rules.shown_as(confidence) is shown


def test_every_confidence_has_a_way_to_be_shown():
    assert {rules.shown_as(confidence) for confidence in Confidence} == set(ShownAs)


def test_unknown_cover_of_synthetic_images_is_not_a_fact_however_well_the_rest_was_read():
    # Given
    row = a_row(confidence="primary", covers_synthetic="unknown")

    # When
    found = rules.statement_from(row)

    # Then
    assert found.shown_as is ShownAs.COULD_NOT_CONFIRM


def test_statement_carries_its_whole_provenance():
    # When
    found = rules.statement_from(a_row(caveat="The number is from memory."))

    # Then
    assert found.text == "First sentence. Second sentence."
    assert (found.citation, found.source_url, found.as_of) == (
        "1 Example Code 2",
        "https://law.example/2",
        "2026-11-22",
    )
    assert found.confidence is Confidence.PRIMARY
    assert found.caveat == "The number is from memory."


@pytest.mark.parametrize("confidence", ["memory", "unknown"])
def test_unconfirmed_claim_never_stands_in_the_text_to_show(confidence):
    # When
    found = rules.statement_from(a_row(confidence=confidence))

    # Then
    assert "could not confirm" in found.text
    assert "First sentence" not in found.text
    assert found.claim == "First sentence. Second sentence."


@pytest.mark.parametrize("member", ["citation", "source_url", "as_of", "confidence", "facts"])
def test_row_that_lacks_its_source_is_refused(member):
    # Given
    row = a_row()
    del row[member]

    # Then
    with pytest.raises(LegalRowsDamaged, match=f"some-duty lacks {member}"):
        rules.statement_from(row)


def test_row_with_an_invented_confidence_is_refused():
    with pytest.raises(LegalRowsDamaged, match="confidence"):
        rules.statement_from(a_row(confidence="certain"))


def test_two_rows_with_one_id_are_refused():
    with pytest.raises(LegalRowsDamaged, match="twice"):
        rules.rows_by_id({"duties": [a_row()], "services": [a_row()], "meta": {"id": "some-duty"}})


def a_duty(**changes):
    duty = {key: value for key, value in a_row().items() if key not in ("facts", "id")} | {
        "id": "example-removal",
        "jurisdiction": "XX",
        "window_hours": 48,
        "applies_to": "examples",
        "fact": "some-duty",
    }
    return duty | changes


def test_duty_takes_its_statement_from_the_row_it_names():
    # When
    found = rules.duties_from([a_duty()], rows={"some-duty": a_row()})

    # Then
    assert found["example-removal"].window_hours == 48
    assert found["example-removal"].statement.id == "some-duty"


@pytest.mark.parametrize("member", ["citation", "source_url", "as_of", "confidence"])
def test_duty_that_contradicts_its_fact_is_refused(member):
    with pytest.raises(LegalRowsDamaged, match=f"another {member}"):
        rules.duties_from([a_duty(**{member: "something else"})], rows={"some-duty": a_row()})


def test_duty_without_its_fact_is_refused():
    with pytest.raises(LegalRowsDamaged, match="needs the row some-duty"):
        rules.duties_from([a_duty()], rows={})


def test_elements_come_in_the_order_of_the_act():
    # Given
    rows = {row_id: a_row(id=row_id) for row_id in reversed(rules.ELEMENT_ROWS)}

    # When
    found = rules.elements_from(rows)

    # Then
    assert [element.name for element in found] == ["signature", "location", "good_faith", "contact"]


def test_organisation_keeps_its_address_when_nothing_else_could_be_confirmed():
    # When
    found = rules.organisation_from(a_row(name="Some line", confidence="memory"))

    # Then
    assert (found.name, found.url) == ("Some line", "https://law.example/2")
    assert found.statement.shown_as is ShownAs.COULD_NOT_CONFIRM


def test_step_without_an_organisation_leads_nowhere_else():
    # When
    route = rules.minors_route_from(
        [{"id": "stop", "text": "Stop.", "fact": "some-duty"}], rows={"some-duty": a_row()}
    )

    # Then
    assert route.steps[0].organisation is None
    assert route.organisations == ()
