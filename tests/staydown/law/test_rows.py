"""The shape of every row in data/law: no row without a citation, a source, a date and a confidence."""

import re

import pytest

from staydown.law.reading import law_file
from staydown.law.rules import rows_by_id, statement_from

SECTIONS = (
    "instruments",
    "notice_elements",
    "jurisdictions",
    "organizations",
    "platform_channels",
    "evidence_requirements",
)
CONFIDENCES = {"primary", "secondary", "memory", "unknown"}
ALLOWED = {
    "source_url_kind": {"page", "repository", "site_only"},
    "as_of_basis": {"compiled", "evidence"},
    "has_ncii_law": {"yes", "unknown"},
    "covers_synthetic": {"yes", "unknown", "see rows"},
}
FACTS = law_file("facts.yaml")
ROWS = [pytest.param(row, id=row["id"]) for section in SECTIONS for row in FACTS[section]]


def troubles(row):
    """What is wrong with a row, in words."""
    found = [
        f"{member} is not text"
        for member in ("id", "citation", "source_url", "as_of", "confidence")
        if not isinstance(row.get(member), str) or not row[member].strip()
    ]
    if found:
        return found
    if row["confidence"] not in CONFIDENCES:
        found.append("confidence is not one of the four")
    if not row["source_url"].startswith(("https://", "http://")):
        found.append("source_url is not a web address")
    if not re.fullmatch(r"20\d\d(-(0[1-9]|1[0-2])(-([0-2]\d|3[01]))?)?", row["as_of"]):
        found.append("as_of is not YYYY[-MM[-DD]]")
    facts = row.get("facts")
    if not (isinstance(facts, list) and facts and all(isinstance(fact, str) and fact for fact in facts)):
        found.append("facts is not a list of sentences")
    found += [
        f"{member} is {row[member]!r}"
        for member, values in ALLOWED.items()
        if row.get(member, next(iter(values))) not in values
    ]
    return found


def test_facts_hold_the_sections_we_read_and_no_other():
    assert set(FACTS) == {"meta", *SECTIONS}


@pytest.mark.parametrize("row", ROWS)
def test_row_has_citation_source_date_and_confidence(row):
    assert troubles(row) == []


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("citation", ""),
        ("source_url", "law.example"),
        ("as_of", "yesterday"),
        ("as_of", "2026-13"),
        ("confidence", "certain"),
        ("facts", []),
        ("has_ncii_law", "no"),
    ],
)
def test_bad_row_is_noticed(member, value):
    assert troubles(dict(FACTS["jurisdictions"][0]) | {member: value})


def test_ids_are_unique_and_every_row_makes_a_statement():
    for row in rows_by_id(FACTS).values():
        statement_from(row)


def test_every_part_of_the_united_states_has_a_row():
    # 50 states, the District of Columbia, five territories, the federal row and the counts.
    assert sum(row["id"].startswith("US-") for row in FACTS["jurisdictions"]) == 58


@pytest.mark.parametrize("file_name", ["duties.yaml", "minors.yaml"])
def test_rows_that_rest_on_facts_name_facts_that_exist(file_name):
    rows = rows_by_id(FACTS)
    for section in law_file(file_name).values():
        for row in section:
            assert row["fact"] in rows
            assert row.get("organisation") is None or row["organisation"] in rows
