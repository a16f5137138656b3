"""What the database itself refuses to hold, whoever asks."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.db import IntegrityError, transaction

from staydown.access.terms import Platform
from staydown.action.models import CopyRecord, EndpointRecord
from staydown.action.operations import instruct_copies
from staydown.action.terms import CopyKind, CopyState, CopyToRemove
from tests.staydown.conftest import NOW, a_filed_request

WRONG = [(state, None if state is CopyState.GONE else NOW) for state in CopyState]


@pytest.fixture
def copy(forum: Platform) -> CopyRecord:
    instruct_copies(
        notice_number=a_filed_request().number,
        platform_id=forum.id,
        copies=[CopyToRemove("post-1", "http://127.0.0.1:8001/posts/1", CopyKind.NAMED)],
        copy_ids=["cpy_1"],
        message_ids=["msg_1"],
        now=NOW,
    )
    return CopyRecord.objects.get()


@pytest.mark.parametrize(("state", "gone_at"), WRONG)
def test_the_database_refuses_a_copy_whose_state_and_time_disagree(
    copy: CopyRecord, state: CopyState, gone_at: datetime | None
) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        CopyRecord.objects.update(state=state, gone_at=gone_at)


def test_the_database_refuses_one_address_of_a_request_twice(copy: CopyRecord) -> None:
    copy.pk, copy.public_id = None, "cpy_2"

    with pytest.raises(IntegrityError), transaction.atomic():
        copy.save(force_insert=True)


def test_the_database_refuses_a_second_endpoint_of_a_platform(forum: Platform) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        EndpointRecord.objects.create(platform_id=forum.id, url="https://x.example/", secret="whsec_x")
