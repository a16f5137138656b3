"""What other packages ask the legal rows. Answers come with citation, date and confidence.

None is legal advice, and nothing here is about one case: which law applies to whom is for a person to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from staydown.law import rules
from staydown.law.errors import DutyNotFound, StatementNotFound
from staydown.law.reading import law_file
from staydown.law.terms import Duty, Element, MinorsRoute, Organisation, Statement

FEDERAL_REMOVAL = "tida-removal"


@cache
def _rows() -> Mapping[str, rules.Row]:
    return rules.rows_by_id(law_file("facts.yaml"))


@cache
def _duties() -> Mapping[str, Duty]:
    return rules.duties_from(law_file("duties.yaml")["duties"], rows=_rows())


def removal_duty(duty_id: str = FEDERAL_REMOVAL) -> Duty:
    """The duty with this id; without one, the 48 hours of 47 U.S.C. 223a(a)(3). Raises DutyNotFound."""
    try:
        return _duties()[duty_id]
    except KeyError:
        raise DutyNotFound(duty_id) from None


def removal_duties() -> tuple[Duty, ...]:
    """Every duty that we know of, the federal one first."""
    return tuple(_duties().values())


def notice_elements() -> tuple[Element, ...]:
    """The four elements of a valid removal request (47 U.S.C. 223a(a)(1)(B)), in the Act's order."""
    return rules.elements_from(_rows())


def minors_route() -> MinorsRoute:
    """What to do when anybody in the picture was or may have been under 18."""
    return rules.minors_route_from(law_file("minors.yaml")["steps"], rows=_rows())


def statement(statement_id: str) -> Statement:
    """The statement of one row. Raises StatementNotFound."""
    row = _rows().get(statement_id)
    if row is None:
        raise StatementNotFound(statement_id)
    return rules.statement_from(row)


def organisations() -> tuple[Organisation, ...]:
    """Every organisation in the rows, in the file's order."""
    return tuple(rules.organisation_from(row) for row in law_file("facts.yaml")["organizations"])
