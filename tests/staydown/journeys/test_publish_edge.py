"""The edge bank that partners fetch: whose entries are in it, what it does not tell, when it is made anew."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings

from staydown.access.operations import revoke_tokens
from staydown.access.terms import Platform
from staydown.bank.operations import set_state
from staydown.bank.queries import last_change
from staydown.client.edge_digests import EdgeDigests
from staydown.client.edge_manifest import MANIFEST_NAME, EdgeManifest, read_manifest
from staydown.journeys.publish_edge import AT_MOST_EVERY, KEEP_OLD, LIFETIME, RENEW_AFTER, publish_edge
from staydown.journeys.set_up_platform import give_edge_token
from staydown.ledger.operations import load_or_create_signer
from staydown.matching import Index
from staydown.matching.terms import EntryState
from tests.staydown.conftest import NOW, a_code, an_entry, an_item

LATER = NOW + AT_MOST_EVERY


@pytest.fixture
def partner(forum: Platform) -> Platform:
    """A platform that may fetch the edge bank."""
    give_edge_token(name=forum.name, now=NOW)
    return forum


def folder() -> Path:
    path: Path = settings.STAYDOWN_EDGE_DIR
    return path


def published() -> EdgeManifest:
    vkey = load_or_create_signer(settings.STAYDOWN_LEDGER_KEY_PATH).vkey(settings.STAYDOWN_LEDGER_ORIGIN)
    return read_manifest((folder() / MANIFEST_NAME).read_text(), public_key=vkey)


def is_published(code: bytes) -> bool:
    index = Index.open(folder() / published().codes.name)
    return bool(len(index.search(np.frombuffer(code, np.uint8).reshape(1, 32), 0).id))


def test_entries_that_may_act_are_published_and_no_others(partner: Platform) -> None:
    # Given one entry in each state
    entries = {state: an_entry(state=state) for state in EntryState}

    # When
    assert publish_edge(now=NOW) is True

    # Then
    digests = EdgeDigests(folder() / published().digests.name)
    for state, entry in entries.items():
        acts = state in (EntryState.CONFIRMED, EntryState.UNCONFIRMED)
        assert {is_published(one.code) for one in entry.fingerprints} == {acts}
        is_confirmed = digests.is_confirmed(bytes.fromhex(entry.digests.sha256))
        assert is_confirmed is ({EntryState.CONFIRMED: True, EntryState.UNCONFIRMED: False}.get(state))
    assert published().sequence == last_change()
    assert published().expires_at - published().made_at == LIFETIME


def test_order_and_ids_of_the_codes_tell_nothing_about_their_entries(partner: Platform) -> None:
    # Given
    entries = [an_entry(state=EntryState.CONFIRMED) for _ in range(3)]
    publish_edge(now=NOW)

    # When
    index = Index.open(folder() / published().codes.name)
    codes = sorted({one.code for entry in entries for one in entry.fingerprints})
    hits = index.search(np.frombuffer(b"".join(codes), np.uint8).reshape(-1, 32), 0)

    # Then each code is there once, numbered by its own value
    assert len(index) == len(codes) == published().codes.count
    assert dict(zip(hits.query.tolist(), hits.id.tolist(), strict=True)) == {n: n for n in range(len(codes))}


def test_codes_of_little_detail_stay_at_home(partner: Platform) -> None:
    # Given
    poor, rich = a_code(quality=49), a_code(quality=50)
    an_entry(state=EntryState.CONFIRMED, item=an_item(codes=(poor, rich)))

    # When
    publish_edge(now=NOW)

    # Then
    assert (is_published(poor.code), is_published(rich.code)) == (False, True)


def test_empty_bank_is_published_too(partner: Platform) -> None:
    publish_edge(now=NOW)

    assert (published().codes.count, published().digests.count) == (0, 0)
    assert len(Index.open(folder() / published().codes.name)) == 0


def test_nothing_is_published_for_nobody(forum: Platform) -> None:
    # Given a platform that only checks
    an_entry(state=EntryState.CONFIRMED)

    # Then
    assert publish_edge(now=NOW) is False
    assert not folder().exists()


def test_nothing_more_is_published_once_the_last_token_is_revoked(partner: Platform) -> None:
    publish_edge(now=NOW)
    revoke_tokens(platform_id=partner.id, now=NOW)
    an_entry(state=EntryState.CONFIRMED)

    assert publish_edge(now=LATER) is False


@pytest.mark.parametrize(
    ("changed", "after", "expected"),
    [
        (True, AT_MOST_EVERY - timedelta(seconds=1), False),
        (True, AT_MOST_EVERY, True),
        (False, AT_MOST_EVERY, False),
        (False, RENEW_AFTER, True),
    ],
    ids=["too soon", "changed", "unchanged", "grown old"],
)
def test_bank_is_published_again_when_it_changed_or_grows_old(
    partner: Platform, changed: bool, after: timedelta, expected: bool
) -> None:
    # Given
    entry = an_entry(state=EntryState.CONFIRMED)
    publish_edge(now=NOW)
    before = published()
    if changed:
        set_state(entry_ids=[entry.id], state=EntryState.WITHDRAWN, now=NOW)

    # When
    was_published = publish_edge(now=NOW + after)

    # Then
    assert was_published is expected
    assert (published() != before) is expected
    if expected:
        assert (published().codes != before.codes) is changed
        assert published().expires_at == NOW + after + LIFETIME


def test_withdrawn_entry_is_gone_and_old_files_are_kept_a_while(partner: Platform) -> None:
    # Given
    entry = an_entry(state=EntryState.CONFIRMED)
    publish_edge(now=NOW)
    first = published()
    set_state(entry_ids=[entry.id], state=EntryState.WITHDRAWN, now=NOW)

    # When
    publish_edge(now=LATER)

    # Then whoever is just fetching the old files still can
    assert not is_published(entry.fingerprints[0].code)
    assert (folder() / first.codes.name).exists()

    # And later they are gone
    much_later = datetime.fromtimestamp((folder() / first.codes.name).stat().st_mtime, tz=NOW.tzinfo)
    an_entry(state=EntryState.CONFIRMED)
    publish_edge(now=max(much_later, LATER) + KEEP_OLD + AT_MOST_EVERY)
    assert not (folder() / first.codes.name).exists()


def test_bank_whose_files_were_lost_is_made_anew(partner: Platform) -> None:
    # Given
    an_entry(state=EntryState.CONFIRMED)
    publish_edge(now=NOW)
    (folder() / published().codes.name).unlink()

    # Then
    assert publish_edge(now=NOW) is True
    assert len(Index.open(folder() / published().codes.name)) == published().codes.count


def test_published_files_are_for_this_account_only(partner: Platform) -> None:
    publish_edge(now=NOW)

    names = [published().codes.name, published().digests.name, MANIFEST_NAME]
    assert {(folder() / name).stat().st_mode & 0o077 for name in names} == {0}
