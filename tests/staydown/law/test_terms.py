"""Words of the legal rows that compute something."""

from staydown.law import rules
from staydown.law.terms import MinorsRoute, Step


def test_organisations_come_in_the_order_of_the_steps_and_steps_without_one_are_left_out():
    # Given
    row = {
        "facts": ["A sentence."],
        "citation": "1 Example Code 2",
        "source_url": "https://law.example",
        "as_of": "2026",
        "confidence": "primary",
    }
    first, second = (
        rules.organisation_from({**row, "id": name, "name": name}) for name in ("first", "second")
    )
    steps = tuple(
        Step(id=str(number), text="Do it.", statement=first.statement, organisation=organisation)
        for number, organisation in enumerate([None, second, None, first])
    )

    # When
    found = MinorsRoute(steps=steps).organisations

    # Then
    assert [organisation.name for organisation in found] == ["second", "first"]
