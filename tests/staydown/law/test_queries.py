"""What the shipped rows answer."""

import pytest

from staydown.errors import StaydownError
from staydown.law import Confidence, ShownAs, queries
from staydown.law.errors import DutyNotFound, StatementNotFound


def test_federal_duty_is_48_hours_from_47_usc_223a():
    # When
    duty = queries.removal_duty()

    # Then
    assert (duty.id, duty.jurisdiction, duty.window_hours) == ("tida-removal", "US", 48)
    assert duty.statement.citation == "47 U.S.C. 223a(a)(3)"
    assert duty.statement.confidence is Confidence.PRIMARY


@pytest.mark.parametrize(("duty_id", "hours"), [("texas-removal", 72), ("florida-removal", 48)])
def test_state_duty_has_its_own_window(duty_id, hours):
    assert queries.removal_duty(duty_id).window_hours == hours


def test_every_window_stands_in_the_words_of_the_fact_it_rests_on():
    for duty in queries.removal_duties():
        words = duty.statement.claim + " " + duty.statement.citation
        assert f"{duty.window_hours} hours" in words


def test_unknown_duty_is_an_anticipated_error():
    with pytest.raises(DutyNotFound) as caught:
        queries.removal_duty("mars-removal")
    assert isinstance(caught.value, StaydownError)


def test_request_needs_four_elements_and_nothing_more():
    # When
    elements = queries.notice_elements()

    # Then
    assert [element.name for element in elements] == ["signature", "location", "good_faith", "contact"]
    assert all(element.statement.shown_as is ShownAs.FACT for element in elements)
    assert [element.statement.citation.rpartition("(")[2].rstrip(")") for element in elements] == [
        "i",
        "ii",
        "iii",
        "iv",
    ]


def test_route_for_minors_starts_with_stopping_and_never_asks_for_the_picture():
    # When
    route = queries.minors_route()

    # Then
    assert [step.id for step in route.steps][:2] == ["stop", "note"]
    assert "Do not" in route.steps[0].text
    assert {"ncmec-take-it-down", "ncmec-cybertipline"} <= {where.id for where in route.organisations}
    assert all(where.url.startswith("https://") for where in route.organisations)


def test_number_from_memory_is_not_shown():
    # Given the CyberTipline's telephone number, which nobody has checked
    line = next(where for where in queries.minors_route().organisations if where.id == "ncmec-cybertipline")

    # Then
    assert line.statement.shown_as is ShownAs.COULD_NOT_CONFIRM
    assert not any(sign.isdigit() for sign in line.statement.text)


def test_state_whose_cover_is_unknown_is_never_called_not_covered():
    # When
    found = queries.statement("US-AK")

    # Then
    assert found.shown_as is ShownAs.COULD_NOT_CONFIRM


def test_unknown_statement_is_an_anticipated_error():
    with pytest.raises(StatementNotFound):
        queries.statement("no-such-row")


def test_organisations_have_names_and_addresses():
    for organisation in queries.organisations():
        assert organisation.name
        assert organisation.url.startswith("https://")
