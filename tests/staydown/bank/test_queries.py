"""What the bank tells: entries by where they came from, match counts, and changes for the upload check."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from staydown.access.terms import Platform
from staydown.bank.errors import EntryNotFound
from staydown.bank.operations import add_entry, record_matches, set_state
from staydown.bank.queries import (
    crowds,
    entries_of,
    entries_with_digest,
    entry_by_id,
    journal_records,
    last_change,
    match_counts,
)
from staydown.bank.terms import Entry, FloodLimits, SeenMatch
from staydown.fingerprint import Algorithm
from staydown.matching.terms import EntryState
from tests.staydown.conftest import NOW, a_code, a_filed_request, an_entry, an_item, some_digests
from tests.staydown.journeys.floods import uploads_near


def an_entry_of_a_request() -> Entry:
    return add_entry(
        entry_id="ent_notice",
        digests=some_digests(),
        fingerprints=[a_code()],
        state=EntryState.CONFIRMED,
        notice_number=a_filed_request().number,
        now=NOW,
    )


def test_unknown_entry_is_not_found(db: None) -> None:
    with pytest.raises(EntryNotFound):
        entry_by_id("ent_none")


def test_entries_are_found_by_their_registration_or_request(forum: Platform) -> None:
    # Given entries of two registrations and of a request
    first, _, third = an_entry(), an_entry(), an_entry_of_a_request()

    # Then each is found by its own source only
    assert entries_of(registration_ids=[str(first.registration_id)]) == (first,)
    assert entries_of(notice_numbers=[str(third.notice_number)]) == (third,)
    assert entries_of(
        registration_ids=[str(first.registration_id)], notice_numbers=[str(third.notice_number)]
    ) == (first, third)
    assert entries_of() == entries_of(registration_ids=["reg_x"], notice_numbers=["R-x"]) == ()


def test_entries_of_the_same_file_are_found_whoever_registered_it(db: None) -> None:
    digests = some_digests()
    alices, danas, _ = (
        an_entry(item=an_item(digests=digests)),
        an_entry(item=an_item(digests=digests)),
        an_entry(),
    )

    assert entries_with_digest(digests.sha256) == (alices, danas)


def test_entry_without_matches_is_left_out_of_the_counts(db: None) -> None:
    met, unmet = an_entry(), an_entry()
    record_matches(
        SeenMatch(check_id=f"chk_{n}", entry_id=met.id, kind="exact", distance_bits=0, at=NOW)
        for n in range(3)
    )

    assert match_counts([met.id, unmet.id]) == {met.id: 3}
    assert match_counts([]) == {}


def test_bank_in_which_nothing_changed_has_nothing_to_tell(db: None) -> None:
    assert (last_change(), journal_records(after=0, most=1000)) == (0, [])


def test_change_tells_the_whole_entry_as_the_upload_check_reads_it(db: None) -> None:
    # Given an entry with one code
    code = a_code(Algorithm.PDQ512, derivation="r90", quality=77)
    entry = an_entry(item=an_item(codes=(code,)))

    # Then its record has all that matching needs, and nothing of whose it is
    assert journal_records(after=0, most=1000) == [
        {
            "seq": last_change(),
            "op": "put",
            "entry": {
                "id": entry.id,
                "bank": "default",
                "state": "unconfirmed",
                "sha256": entry.digests.sha256,
                "md5": entry.digests.md5,
                "codes": [["pdq512", "r90", 77, code.hex]],
            },
        }
    ]


def test_entry_that_changed_twice_is_told_once_as_it_is_now(db: None) -> None:
    # Given two entries, of which the first is confirmed after the second came
    first, second = an_entry(), an_entry()
    set_state(entry_ids=[first.id], state=EntryState.CONFIRMED, now=NOW)

    # Then the second comes first, and numbers rise
    records = journal_records(after=0, most=1000)
    told = [(record["entry"]["id"], record["entry"]["state"]) for record in records]
    assert told == [(second.id, "unconfirmed"), (first.id, "confirmed")]
    assert [record["seq"] for record in records] == sorted(record["seq"] for record in records)
    assert records[-1]["seq"] == last_change()


def test_only_what_changed_since_is_told(db: None) -> None:
    an_entry()
    before = last_change()
    later = an_entry()

    assert [record["entry"]["id"] for record in journal_records(after=before, most=1000)] == [later.id]
    assert journal_records(after=last_change(), most=1000) == []


def test_withdrawn_entry_is_told_as_dropped_without_anything_of_it(db: None) -> None:
    entry = an_entry()
    set_state(entry_ids=[entry.id], state=EntryState.WITHDRAWN, now=NOW)

    assert journal_records(after=0, most=1000) == [{"seq": last_change(), "op": "drop", "entry_id": entry.id}]


def test_baseline_of_a_busy_entry_is_read_once_an_hour(forum: Platform) -> None:
    # Given an entry that is beyond the floor, so that its baseline is needed each time
    entry, limits = an_entry(), FloodLimits(floor=5)
    uploads_near(entry, forum, 10, at=NOW)

    def statements(now: datetime) -> int:
        with CaptureQueriesContext(connection) as asked:
            assert [crowd.near for crowd in crowds(limits, now=now)] == [10]
        return len(asked)

    # Then it is read the first time, and again in the next hour only
    first, again, later = (statements(NOW + timedelta(minutes=minutes)) for minutes in (0, 1, 29))
    assert (first - again, later - again) == (1, 0)
    assert statements(NOW + timedelta(minutes=30)) - again == 1
