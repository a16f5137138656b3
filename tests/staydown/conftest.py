"""A house of its own for each test, and the cast: Alice is depicted, Bob reviews, Charlie has no right.

Codes and digests are made from a counter: valid and related to no other. No picture is behind any of them.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher

from staydown.access import operations as access
from staydown.access import rules
from staydown.access.models import StaffMember
from staydown.access.terms import Platform, Role
from staydown.action.operations import set_endpoint
from staydown.bank.operations import add_entry
from staydown.bank.terms import Entry
from staydown.cases.operations import add_registrations, open_case
from staydown.cases.terms import SubmittedItem
from staydown.catalog.operations import list_content
from staydown.catalog.queries import content_at
from staydown.catalog.terms import CheckedUpload, Content
from staydown.fingerprint import DEFAULT_SET, DERIVATION_SETS, Algorithm, Digests, Fingerprint
from staydown.journeys.file_request import file_request
from staydown.journeys.work_on_request import claim_request
from staydown.matching.terms import EntryState
from staydown.notices.terms import Notice, RequestDraft, Signer

# The evening before clocks in the United States go forward.
NOW = datetime(2026, 3, 7, 20, 30, tzinfo=UTC)
# 24 bytes, as Standard Webhooks asks for at least.
WEBHOOK_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

_serial = itertools.count(1)


@pytest.fixture(autouse=True)
def house(settings: Any, tmp_path: Path) -> Path:
    """Every file that the database side writes lies in a folder of this test."""
    folder = tmp_path / "house"
    settings.STAYDOWN_LEDGER_KEY_PATH = folder / "ledger.key"
    settings.STAYDOWN_BANK_JOURNAL_PATH = folder / "bank.journal"
    settings.STAYDOWN_TOKENS_PATH = folder / "tokens.json"
    settings.STAYDOWN_CHECKS_DIR = folder / "checks"
    settings.STAYDOWN_EDGE_DIR = folder / "edge"
    return folder


@pytest.fixture(autouse=True)
def cheap_argon2(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Argon2id with its smallest parameters; tests about it put the real one back."""
    monkeypatch.setattr(access, "_ARGON2ID", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    # Nor the quarter of a second that makes guessing words slow; test_case_key.py holds the real one.
    monkeypatch.setattr(rules, "OPEN_KEY_ROUNDS", 1)
    access._decoy_verifier.cache_clear()
    yield
    access._decoy_verifier.cache_clear()


def a_code(
    algorithm: Algorithm = Algorithm.PDQ, *, derivation: str = "full", quality: int = 80
) -> Fingerprint:
    """A code that is related to no other."""
    code = hashlib.sha256(f"code {next(_serial)}".encode()).digest()
    return Fingerprint(algorithm, code, quality, derivation)


def changed_by(code: Fingerprint, *, bits: int, derivation: str | None = None) -> Fingerprint:
    """The code with its first so many bits turned over."""
    turned = int.from_bytes(code.code) ^ (((1 << bits) - 1) << (256 - bits))
    return replace(code, code=turned.to_bytes(32), derivation=derivation or code.derivation)


def some_digests() -> Digests:
    """The digests of a file that no other call speaks of."""
    content = f"file {next(_serial)}".encode()
    return Digests(sha256=hashlib.sha256(content).hexdigest(), md5=hashlib.md5(content).hexdigest())


def an_item(*, digests: Digests | None = None, codes: tuple[Fingerprint, ...] | None = None) -> SubmittedItem:
    """A picture as Alice's device describes it: both algorithms, every derivation of the usual set."""
    if codes is None:
        names = DERIVATION_SETS[DEFAULT_SET].derivations
        codes = tuple(a_code(kind, derivation=name) for kind in Algorithm for name in names[kind])
    return SubmittedItem(media="image", digests=digests or some_digests(), fingerprints=codes)


def a_draft(*urls: str, **changes: Any) -> RequestDraft:
    """A complete request of Alice's."""
    draft = RequestDraft(
        urls=urls or ("http://127.0.0.1:8001/posts/1",),
        signature="Alice",
        signer=Signer.DEPICTED_PERSON,
        statement="I never agreed to this.",
        good_faith=True,
        contact="alice@example.org",
    )
    return replace(draft, **changes)


def a_platform(
    name: str = "Forum", *, url_prefix: str = "http://127.0.0.1:8001/", endpoint: bool = True
) -> Platform:
    """A platform that can be told."""
    platform = access.add_platform(name=name, url_prefix=url_prefix, now=NOW)
    if endpoint:
        set_endpoint(platform_id=platform.id, url=f"{url_prefix}staydown", secret=WEBHOOK_SECRET)
    return platform


def a_staff_member(username: str = "bob", *, role: Role = Role.REVIEWER) -> int:
    """Somebody at the desk, without a password; returns the id."""
    return StaffMember.objects.create(username=username, role=role, password="!").pk


def an_upload(platform: Platform, number: int = 1, **changes: Any) -> CheckedUpload:
    """An upload check's record of post `number`."""
    check = CheckedUpload(
        check_id=f"chk_{next(_serial)}",
        at=NOW,
        platform_id=platform.id,
        content_id=f"post-{number}",
        content_url=f"{platform.url_prefix}posts/{number}",
        digests=some_digests(),
        fingerprints=tuple(a_code(algorithm) for algorithm in Algorithm),
        action="allow",
        matches=(),
    )
    return replace(check, **changes)


def some_content(platform: Platform, number: int = 1, **changes: Any) -> Content:
    """Post `number` of a platform, in the catalog."""
    check = an_upload(platform, number, **changes)
    assert list_content(check)
    found = content_at(platform_id=platform.id, url=str(check.content_url))
    assert found is not None
    return found


def an_entry(*, state: EntryState = EntryState.UNCONFIRMED, item: SubmittedItem | None = None) -> Entry:
    """An entry from a registration in a case of its own, below the journeys: no ledger, no journal."""
    item, number = item or an_item(), access.new_number("C")
    open_case(number=number, now=NOW)
    [registration] = add_registrations(
        case_number=number, items=[item], ids=[access.new_public_id("reg")], now=NOW
    )
    return add_entry(
        entry_id=access.new_public_id("ent"),
        digests=item.digests,
        fingerprints=item.fingerprints,
        state=state,
        registration_id=registration.id,
        now=NOW,
    )


def a_filed_request(*urls: str, case_number: str | None = None, now: datetime = NOW) -> Notice:
    """Alice's request, waiting."""
    return file_request(a_draft(*urls), case_number=case_number, now=now).notices[0]


def a_claimed_request(*urls: str, reviewer_id: int, case_number: str | None = None) -> Notice:
    """Alice's request, claimed at the time it came."""
    notice = a_filed_request(*urls, case_number=case_number)
    claim_request(notice_number=notice.number, reviewer_id=reviewer_id, now=NOW)
    return notice


@pytest.fixture
def forum(db: None) -> Platform:
    """The platform at http://127.0.0.1:8001/."""
    return a_platform()


@pytest.fixture
def bob(db: None) -> int:
    """Bob's id."""
    return a_staff_member()
