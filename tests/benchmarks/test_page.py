"""The page on what still matches says what the results say. Covers benchmarks.painting too."""

import json

import pytest

from benchmarks import edits, page, report, robustness


@pytest.fixture(scope="module")
def result() -> dict:
    return json.loads((report.RESULTS / "robustness.json").read_text())


def test_page_is_what_the_results_make(result: dict) -> None:
    # Given the last results, and which examples were found
    shown = json.loads((page.PICTURES / "found.json").read_text())

    # Then the page is their text, word for word
    assert page.PAGE.read_text() == page.text(result, shown)


def test_table_of_results_is_what_the_figures_make(result: dict) -> None:
    assert (report.RESULTS / "robustness.md").read_text() == "\n".join(robustness.lines(result)) + "\n"


def test_every_family_is_on_the_page_once_with_a_picture() -> None:
    shown = [family for families in page.GROUPS.values() for family in families]
    assert sorted(shown) == sorted(edits.FAMILIES)
    assert all((page.PICTURES / f"{page.slug(family)}.jpg").stat().st_size < 40_000 for family in shown)


def test_losses_are_told(result: dict) -> None:
    # Given the families of which fewer than half are found
    shares = result["recall"][page.DEFAULT]["families"]
    text = page.PAGE.read_text()
    lost = text[text.index("## What is lost") : text.index("## What is found wrongly")].replace("\n", " ")

    # Then each is named as lost
    assert all(family in lost for family in edits.FAMILIES if shares[family]["share"] < 0.5)


def test_figures_of_the_results_hold_the_goals_that_they_state(result: dict) -> None:
    # Given what was asked: no false hit in 10^8 comparisons, less given away than by one padded view
    strangers = result["strangers"]["crops64, geo9"]
    leaks = {name: row["correlation"] for name, row in result["leakage"]["sets"].items()}

    # Then the published results are of that kind
    assert strangers["comparisons"] >= 1e8
    assert strangers["within"]["31"] == 0
    assert max(leaks["crops32"], leaks["crops64"]) < leaks["plain and one padded view (never registered)"]
