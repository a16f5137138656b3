"""The export holds what the server holds of a case, and no fingerprint."""

from __future__ import annotations

import json

import pytest

from staydown.journeys.file_request import file_request
from staydown.journeys.follow_outside import follow_outside_request
from staydown.journeys.keep_plan import keep_plan
from staydown.journeys.register_pictures import open_case_with_pictures
from staydown.survivor_site.export import case_export
from tests.staydown.conftest import NOW, a_draft, a_platform, an_item
from tests.staydown.doors import secrets_of

pytestmark = pytest.mark.django_db


def test_everything_is_there_except_fingerprints() -> None:
    # Given
    items = [an_item(), an_item()]
    number = open_case_with_pictures(items, now=NOW).number
    a_platform()
    [notice] = file_request(a_draft(), case_number=number, now=NOW).notices
    keep_plan(case_number=number, answers="1.2.1.1.us-tx", ticked=["keep"], now=NOW)
    follow_outside_request(case_number=number, channel_id="x", sent_at=NOW, now=NOW)

    # When
    found = case_export(number, now=NOW)

    # Then
    text = json.dumps(found)
    assert found["case"]["number"] == number
    assert len(found["pictures"]) == 2
    [request] = found["requests"]
    assert request["addresses"] == list(notice.urls)
    assert (request["signature"], request["contact"]) == (notice.signature, notice.contact)
    assert found["plan"]["answers"] == "1.2.1.1.us-tx"
    assert found["requests_elsewhere"][0]["channel_id"] == "x"
    assert found["log"]
    assert not any(secret in text for secret in secrets_of(items))
