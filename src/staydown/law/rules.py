"""Pure rules of the legal rows: how a row becomes a statement, and when it may be shown as a fact.

Takes plain rows, reads no file. A row from memory or without a finding is never shown as a fact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from staydown.law.errors import LegalRowsDamaged
from staydown.law.terms import Confidence, Duty, Element, MinorsRoute, Organisation, ShownAs, Statement, Step

Row = Mapping[str, Any]

COULD_NOT_CONFIRM = "We could not confirm this. Please check it at the source."

# The four elements of 47 U.S.C. 223a(a)(1)(B) in the Act's order; everything else on a form is optional.
ELEMENT_ROWS = {
    "tida-i-signature": "signature",
    "tida-ii-locate": "location",
    "tida-iii-goodfaith": "good_faith",
    "tida-iv-contact": "contact",
}


def shown_as(confidence: Confidence, *, covers_synthetic: str = "yes") -> ShownAs:
    """Whether a page may state the row as a fact. Read or reported: yes. From memory or nothing found: no.

    A jurisdiction whose answer on synthetic images we do not know could not be confirmed either, however
    well its other facts were read: silence must not look like "not covered".
    """
    if confidence in (Confidence.MEMORY, Confidence.UNKNOWN) or covers_synthetic == "unknown":
        return ShownAs.COULD_NOT_CONFIRM
    return ShownAs.FACT


def statement_from(row: Row) -> Statement:
    """The statement that a row makes. Raises LegalRowsDamaged if it lacks a member."""
    row_id = str(row.get("id", "a row without an id"))
    for member in ("citation", "source_url", "as_of", "confidence", "facts"):
        if not row.get(member):
            raise LegalRowsDamaged(row_id, f"lacks {member}")
    try:
        confidence = Confidence(row["confidence"])
    except ValueError:
        raise LegalRowsDamaged(row_id, "has a confidence that is not one of ours") from None
    claim = " ".join(row["facts"])
    shown = shown_as(confidence, covers_synthetic=row.get("covers_synthetic", "yes"))
    return Statement(
        id=row_id,
        title=str(row.get("title") or row.get("name") or ""),
        text=claim if shown is ShownAs.FACT else COULD_NOT_CONFIRM,
        claim=claim,
        caveat=str(row.get("caveat") or row.get("open_question") or row.get("text_basis") or ""),
        citation=row["citation"],
        as_of=str(row["as_of"]),
        confidence=confidence,
        source_url=row["source_url"],
        shown_as=shown,
    )


def rows_by_id(sections: Mapping[str, object]) -> dict[str, Row]:
    """Every row of every section by its id. Raises LegalRowsDamaged if two rows share one."""
    found: dict[str, Row] = {}
    for section in sections.values():
        for row in section if isinstance(section, list) else ():
            if row["id"] in found:
                raise LegalRowsDamaged(row["id"], "is there twice")
            found[row["id"]] = row
    return found


def row(rows: Mapping[str, Row], row_id: str, *, wanted_by: str) -> Row:
    """The row with this id. Raises LegalRowsDamaged, naming who wanted it."""
    try:
        return rows[row_id]
    except KeyError:
        raise LegalRowsDamaged(wanted_by, f"needs the row {row_id}, which is not there") from None


def elements_from(rows: Mapping[str, Row]) -> tuple[Element, ...]:
    """The four elements of a valid removal request, in the Act's order."""
    return tuple(
        Element(name=name, statement=statement_from(row(rows, row_id, wanted_by="a removal request")))
        for row_id, name in ELEMENT_ROWS.items()
    )


def duties_from(duties: Sequence[Row], *, rows: Mapping[str, Row]) -> dict[str, Duty]:
    """Every duty by its id, with the statement that its fact makes.

    Raises LegalRowsDamaged if a duty says anything else about its source than its fact does: a duty repeats
    the citation only so that whoever reads the file sees it.
    """
    found: dict[str, Duty] = {}
    for duty in duties:
        fact = row(rows, duty["fact"], wanted_by=duty["id"])
        for member in ("citation", "source_url", "as_of", "confidence"):
            if duty[member] != fact[member]:
                raise LegalRowsDamaged(duty["id"], f"has another {member} than its fact")
        found[duty["id"]] = Duty(
            id=duty["id"],
            title=duty["title"],
            jurisdiction=duty["jurisdiction"],
            window_hours=duty["window_hours"],
            applies_to=duty["applies_to"],
            statement=statement_from(fact),
        )
    return found


def organisation_from(organisation: Row) -> Organisation:
    """An organisation with its name and address."""
    statement = statement_from(organisation)
    return Organisation(
        id=statement.id, name=organisation["name"], url=statement.source_url, statement=statement
    )


def minors_route_from(steps: Sequence[Row], *, rows: Mapping[str, Row]) -> MinorsRoute:
    """The steps for a picture of somebody under 18, each with what it rests on."""
    return MinorsRoute(
        steps=tuple(
            Step(
                id=step["id"],
                text=step["text"],
                statement=statement_from(row(rows, step["fact"], wanted_by=step["id"])),
                organisation=organisation_from(row(rows, step["organisation"], wanted_by=step["id"]))
                if step.get("organisation")
                else None,
            )
            for step in steps
        )
    )
