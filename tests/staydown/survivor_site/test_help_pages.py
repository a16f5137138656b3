"""Who helps: everybody, narrowed, and never a claim that nobody has checked."""

from __future__ import annotations

import pytest

from staydown.law import ShownAs, organisations
from tests.staydown.doors import Window


def test_everybody_is_there_with_a_source(alice: Window) -> None:
    page = alice.open("/help")
    for organisation in organisations():
        assert organisation.name in page.text
        assert organisation.url in page.links
        if organisation.statement.shown_as is not ShownAs.FACT:
            assert organisation.statement.claim not in page.text


def test_list_is_narrowed_by_country_people_and_need(alice: Window) -> None:
    page = alice.open("/help?country=us&people=adults&need=support")
    assert "Cyber Civil Rights Initiative" in page.text
    assert "StopNCII" not in page.text
    assert "1-844-878-2274" in page.text


@pytest.mark.parametrize("query", ["country=zz", "people=x", "need=%00", "country=&people=&need="])
def test_choice_that_is_not_understood_is_left_open(alice: Window, query: str) -> None:
    assert "StopNCII" in alice.open(f"/help?{query}").text


def test_nobody_fits_is_said_plainly(alice: Window) -> None:
    assert "We know of nobody for just this." in alice.open("/help?country=in&need=police").text


@pytest.mark.parametrize("path", ["/help/friends", "/help/schools"])
def test_page_for_those_who_stand_beside_leads_to_the_minors_way(alice: Window, path: str) -> None:
    page = alice.open(path)
    assert page.status == 200
    assert "/help/under-18" in page.links
