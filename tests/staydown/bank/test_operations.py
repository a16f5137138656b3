"""Entries are added with their provenance, change state with a trace, and are emptied when withdrawn."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import serializers

from staydown.access.terms import Platform
from staydown.bank.models import ChangeRecord, CodeRecord, EntryRecord, SeenMatchRecord
from staydown.bank.operations import add_entry, forget_old_matches, record_matches, set_state
from staydown.bank.queries import entry_by_id, last_change, match_counts
from staydown.bank.rules import MATCHES_KEPT
from staydown.bank.terms import SeenMatch, Source
from staydown.fingerprint import Digests
from staydown.matching.terms import EntryState
from tests.staydown.conftest import NOW, a_code, a_filed_request, an_entry, an_item, some_digests

LATER = NOW + timedelta(hours=1)


def test_entry_of_a_registration_keeps_its_codes_and_says_where_it_came_from(db: None) -> None:
    # When a picture with its whole set of codes becomes an entry
    item = an_item()
    entry = an_entry(item=item)

    # Then all of it is there, and the change is numbered
    assert entry == entry_by_id(entry.id)
    assert (entry.source, entry.notice_number) == (Source.REGISTRATION, None)
    assert (entry.digests, entry.fingerprints) == (item.digests, item.fingerprints)
    assert (entry.state, entry.created_at, entry.state_changed_at) == (EntryState.UNCONFIRMED, NOW, NOW)
    assert last_change() == ChangeRecord.objects.get().seq


def test_entry_of_a_request_says_which(forum: Platform) -> None:
    number = a_filed_request().number

    entry = add_entry(
        entry_id="ent_1",
        digests=some_digests(),
        fingerprints=[a_code()],
        state=EntryState.CONFIRMED,
        notice_number=number,
        now=NOW,
    )

    assert (entry.source, entry.registration_id, entry.notice_number) == (Source.NOTICE, None, number)


def test_code_with_too_little_detail_is_left_out(db: None) -> None:
    # Unrelated pictures come close to each other below a quality of 50.
    poor, good = a_code(quality=49), a_code(quality=50)

    assert an_entry(item=an_item(codes=(poor, good))).fingerprints == (good,)


def test_state_changes_with_its_time_and_a_number_and_only_where_it_is_another(db: None) -> None:
    # Given two entries, one confirmed before
    first, second = an_entry(), an_entry(state=EntryState.CONFIRMED)
    before = last_change()

    # When both are confirmed later
    assert set_state(entry_ids=[first.id, second.id, "ent_x"], state=EntryState.CONFIRMED, now=LATER) == 1

    # Then only the first has moved
    assert (entry_by_id(first.id).state, entry_by_id(first.id).state_changed_at) == (
        EntryState.CONFIRMED,
        LATER,
    )
    assert entry_by_id(second.id) == second
    assert last_change() == before + 1


def test_nothing_of_the_picture_is_left_in_any_table_after_withdrawal(db: None) -> None:
    # Given an entry beside another person's
    item = an_item()
    entry, other = an_entry(item=item), an_entry()

    # When it is withdrawn
    assert set_state(entry_ids=[entry.id], state=EntryState.WITHDRAWN, now=LATER) == 1

    # Then neither a code nor a digest is left, and the other entry is whole
    left = entry_by_id(entry.id)
    assert (left.state, left.digests, left.fingerprints) == (EntryState.WITHDRAWN, Digests("", ""), ())
    stored = serializers.serialize("json", [*EntryRecord.objects.all(), *CodeRecord.objects.all()])
    assert item.digests.sha256 not in stored
    assert item.digests.md5 not in stored
    codes = {bytes(code) for code in CodeRecord.objects.values_list("code", flat=True)}
    assert codes.isdisjoint(code.code for code in item.fingerprints)
    assert entry_by_id(other.id) == other


@pytest.mark.parametrize("state", list(EntryState))
def test_withdrawn_entry_never_comes_back(db: None, state: EntryState) -> None:
    # Given a withdrawn entry
    entry = an_entry()
    set_state(entry_ids=[entry.id], state=EntryState.WITHDRAWN, now=NOW)
    before = last_change()

    # When something late moves it, then it stays withdrawn
    assert set_state(entry_ids=[entry.id], state=state, now=LATER) == 0
    assert entry_by_id(entry.id).state is EntryState.WITHDRAWN
    assert last_change() == before


def test_match_is_counted_once_however_often_it_is_reported(db: None) -> None:
    # Given two entries
    first, second = an_entry(), an_entry()
    matches = [
        SeenMatch(check_id="chk_1", entry_id=first.id, kind="near", distance_bits=12, at=NOW),
        SeenMatch(check_id="chk_1", entry_id=second.id, kind="exact", distance_bits=0, at=NOW),
        SeenMatch(check_id="chk_2", entry_id=first.id, kind="exact", distance_bits=0, at=NOW),
        SeenMatch(check_id="chk_3", entry_id="ent_unknown", kind="exact", distance_bits=0, at=NOW),
    ]

    # When the same report comes twice, and once more with what is known in it twice
    record_matches(matches)
    record_matches(iter(matches))
    record_matches([matches[0], matches[0]])

    # Then each check counts once for each entry, and an unknown entry is left out
    rows = SeenMatchRecord.objects.order_by("pk").values_list("check_id", "entry_id", "distance_bits")
    assert list(rows) == [("chk_1", first.id, 12), ("chk_1", second.id, 0), ("chk_2", first.id, 0)]


def test_old_matches_are_kept_as_a_number_only(db: None) -> None:
    # Given an entry that was met three times long ago and twice lately, and one that was met once long ago
    entry, other = an_entry(), an_entry()
    old, new = NOW - MATCHES_KEPT - timedelta(seconds=1), NOW - MATCHES_KEPT
    record_matches(
        SeenMatch(check_id=f"chk_{number}", entry_id=met.id, kind="near", distance_bits=9, at=at)
        for number, (met, at) in enumerate([*[(entry, old)] * 3, *[(entry, new)] * 2, (other, old)])
    )

    # When old ones are forgotten, two at a time
    forgotten = [forget_old_matches(now=NOW, most=2) for _ in range(3)]

    # Then the new ones are left, and the numbers are what they were
    assert forgotten == [2, 2, 0]
    assert SeenMatchRecord.objects.count() == 2
    assert match_counts([entry.id, other.id]) == {entry.id: 5, other.id: 1}
