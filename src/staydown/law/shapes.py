"""The shape of every row in data/law, checked when a file is read.

A row that lacks its citation, source, date or confidence, or has a word that is not one of ours, is an error
that names the file, the row and the member. Whether a row is true nothing here can say.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec

from staydown.law.errors import LegalRowsDamaged
from staydown.law.terms import Confidence, Need, People

Text = Annotated[str, msgspec.Meta(pattern=r"\S")]
Texts = Annotated[list[Text], msgspec.Meta(min_length=1)]
WebAddress = Annotated[str, msgspec.Meta(pattern=r"^https?://\S+$")]
# A year, a month or a day: as exact as the source was dated.
CheckedOn = Annotated[str, msgspec.Meta(pattern=r"^20\d\d(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?$")]
YesOrUnknown = Literal["yes", "unknown"]


class Sourced(msgspec.Struct, kw_only=True):
    """What every row has that says something about the world."""

    id: Text
    citation: Text
    source_url: WebAddress
    as_of: CheckedOn
    confidence: Confidence


class Fact(Sourced, kw_only=True):
    """A row of facts.yaml."""

    facts: Texts
    source_url_kind: Literal["page", "repository", "site_only"]
    as_of_basis: Literal["compiled", "evidence"]


class InstrumentRow(Fact, kw_only=True):
    """A law, a bill or a rule."""

    title: Text
    jurisdiction: Text
    kind: list[Text] = []


class ElementRow(Fact, kw_only=True):
    """Something that a removal request needs, or does not."""

    regime: Text
    order: int
    required: bool


class CitationRow(msgspec.Struct, kw_only=True):
    """One law that a jurisdiction's row cites, with a confidence of its own."""

    cite: Text
    kind: Texts
    confidence: Confidence


class JurisdictionRow(Fact, kw_only=True):
    """What the law of a place says. There is no "no": what we do not know is unknown."""

    name: Text
    has_ncii_law: YesOrUnknown
    covers_synthetic: Literal["yes", "unknown", "see rows"]
    civil_route: YesOrUnknown = "unknown"
    citations: list[CitationRow] = []
    verify_at: WebAddress | None = None


class OrganisationRow(Fact, kw_only=True):
    """Somebody who helps."""

    name: Text
    serves: Texts


class ChannelRow(Fact, kw_only=True):
    """Where a platform takes reports."""

    name: Text
    form_asks: Texts


class DutyRow(Sourced, kw_only=True):
    """A clock that platforms work under."""

    title: Text
    jurisdiction: Text
    window_hours: Annotated[int, msgspec.Meta(ge=1)]
    applies_to: Text
    fact: Text


class MinorsStepRow(msgspec.Struct, kw_only=True):
    """One step when anybody was under 18."""

    id: Text
    text: Text
    fact: Text
    organisation: Text | None = None


class CountryRow(msgspec.Struct, kw_only=True):
    """A country to choose, and whose laws are shown for it."""

    id: Text
    name: Text
    jurisdictions: Texts


class HelpRow(msgspec.Struct, kw_only=True):
    """Whom an organisation is for."""

    organisation: Text
    countries: list[Text]
    people: Annotated[list[People], msgspec.Meta(min_length=1)]
    needs: Annotated[list[Need], msgspec.Meta(min_length=1)]
    hours: Text = "-"
    silent: Text = "-"


SHAPES: dict[str, dict[str, Any]] = {
    "facts.yaml": {
        "meta": dict[str, Any],
        "instruments": InstrumentRow,
        "notice_elements": ElementRow,
        "jurisdictions": JurisdictionRow,
        "organizations": OrganisationRow,
        "platform_channels": ChannelRow,
        "evidence_requirements": Fact,
    },
    "duties.yaml": {"duties": DutyRow},
    "minors.yaml": {"steps": MinorsStepRow},
    "places.yaml": {"countries": CountryRow, "territories": Text},
    "help.yaml": {"organisations": HelpRow},
}
"""Each file's sections, and what each of their rows has to be."""


def check(file_name: str, document: Mapping[str, Any]) -> None:
    """Raises LegalRowsDamaged, naming file and row, if a section or a row is not as it has to be."""
    shapes = SHAPES[file_name]
    if set(document) != set(shapes):
        wrong = ", ".join(sorted(set(document) ^ set(shapes), key=str))
        raise LegalRowsDamaged(file_name, f"lacks a section, or has one that nobody reads: {wrong}")
    for section, shape in shapes.items():
        found = document[section]
        if section == "meta":
            continue
        if not isinstance(found, list) or not found:
            raise LegalRowsDamaged(f"{file_name}, {section}", "is not a list of rows")
        for number, row in enumerate(found, start=1):
            try:
                msgspec.convert(row, shape)
            except msgspec.ValidationError as error:
                raise LegalRowsDamaged(
                    _named(file_name, section, number, row), f"does not fit: {error}"
                ) from None


def _named(file_name: str, section: str, number: int, row: object) -> str:
    named = (row.get("id") or row.get("organisation")) if isinstance(row, dict) else None
    return f"{file_name}, {section}, row {number}" + (f" ({named})" if named else "")
