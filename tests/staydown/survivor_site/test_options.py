"""The page about the law: every row with its source, none from memory as a fact, unknown never as no."""

from __future__ import annotations

import pytest

from staydown.law import Confidence, options_for, places
from tests.staydown.doors import Window


@pytest.mark.parametrize("place_id", [place.id for place in places()])
def test_page_of_a_place_tells_citation_date_and_confidence(alice: Window, place_id: str) -> None:
    # When
    page = alice.open(f"/options?place={place_id.lower()}")

    # Then
    assert page.status == 200
    found = options_for(place_id)
    for statement in (*found.laws, *([found.row] if found.row else [])):
        if statement.confidence in (Confidence.MEMORY, Confidence.UNKNOWN):
            assert statement.claim not in page.text
        else:
            assert statement.as_of in page.text
    for citation in found.citations:
        if citation.confidence in (Confidence.MEMORY, Confidence.UNKNOWN):
            assert f"We could not confirm this one: {citation.text}" in page.text
        else:
            assert citation.text in page.text
    assert "not legal advice" in page.text
    assert "not covered" not in page.text.lower()


def test_page_without_a_place_is_a_list_to_choose_from(alice: Window) -> None:
    page = alice.open("/options")
    assert 'value="us-tx"' in page.html
    assert "Who can tell you more" not in page.text


def test_unknown_cover_says_that_it_is_no_no(alice: Window) -> None:
    assert "That does not mean no." in alice.open("/options?place=us-ak").text
    assert "Reached by the law" in alice.open("/options?place=us-tx").text


def test_texas_tells_its_own_time_limit(alice: Window) -> None:
    assert "72 hours" in alice.open("/options?place=us-tx").text
    assert "72 hours" not in alice.open("/options?place=us-ny").text


@pytest.mark.parametrize("place_id", ["us-zz", "x", "<b>", "%00"])
def test_unknown_place_is_not_found(alice: Window, place_id: str) -> None:
    assert alice.open(f"/options?place={place_id}").status == 404
