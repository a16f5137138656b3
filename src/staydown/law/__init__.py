"""Duties, elements and services as rows with a source, a date and a confidence. Pure: no Django, no clock.

It is not legal advice and never says what a particular person should do about their case.
"""

from staydown.law.queries import (
    minors_route,
    notice_elements,
    organisations,
    removal_duties,
    removal_duty,
    statement,
)
from staydown.law.terms import (
    Confidence,
    Duty,
    Element,
    MinorsRoute,
    Organisation,
    ShownAs,
    Statement,
    Step,
)

__all__ = [
    "Confidence",
    "Duty",
    "Element",
    "MinorsRoute",
    "Organisation",
    "ShownAs",
    "Statement",
    "Step",
    "minors_route",
    "notice_elements",
    "organisations",
    "removal_duties",
    "removal_duty",
    "statement",
]
