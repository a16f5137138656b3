"""Who a token speaks for, what the upload check is told of tokens, and what a marked call made before."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from staydown.access import operations, queries
from staydown.access.errors import (
    IdempotencyKeyReused,
    PlatformNotFound,
    ScopeMissing,
    TokenNotRecognised,
)
from staydown.access.models import ApiToken
from staydown.access.terms import MarkedCall, NewToken, Platform, Scope
from tests.staydown.conftest import NOW, a_platform


def a_token(platform: Platform, *scopes: Scope, expires_at: datetime | None = None) -> NewToken:
    token = operations.make_token(platform_id=platform.id, scopes=scopes or (Scope.CHECK,), now=NOW)
    ApiToken.objects.filter(digest=digest_of(token)).update(expires_at=expires_at)
    return token


def digest_of(token: NewToken) -> str:
    return hashlib.sha256(token.secret.encode()).hexdigest()


def test_platforms_are_listed_by_name(db: None) -> None:
    assert queries.platforms() == ()
    b, a = a_platform("B", url_prefix="https://b.example/"), a_platform("A", url_prefix="https://a.example/")

    assert queries.platforms() == (a, b)


@pytest.mark.parametrize("held", list(Scope))
@pytest.mark.parametrize("wanted", list(Scope))
def test_token_does_what_its_scope_says_and_nothing_else(forum: Platform, held: Scope, wanted: Scope) -> None:
    token = a_token(forum, held)

    if held is wanted:
        holder = queries.holder_of_token(token.secret, scope=wanted, now=NOW)
        assert (holder.platform, holder.scopes) == (forum, {held})
    else:
        with pytest.raises(ScopeMissing) as refused:
            queries.holder_of_token(token.secret, scope=wanted, now=NOW)
        assert refused.value.scope == wanted


def test_unknown_revoked_and_expired_tokens_are_not_recognised(forum: Platform) -> None:
    # Given an expired token, a revoked one, and one that is the digest of a good one
    expired = a_token(forum, expires_at=NOW)
    revoked = a_token(forum)
    operations.revoke_tokens(platform_id=forum.id, now=NOW)
    good = a_token(forum)

    # Then none of them opens anything, and the good one does until the instant it expires
    for secret in [expired.secret, revoked.secret, digest_of(good), "", "sdk_", good.secret + "x"]:
        with pytest.raises(TokenNotRecognised):
            queries.holder_of_token(secret, scope=Scope.CHECK, now=NOW)
    assert queries.holder_of_token(good.secret, scope=Scope.CHECK, now=NOW).platform == forum


def test_token_is_good_until_the_instant_it_expires(forum: Platform) -> None:
    token = a_token(forum, expires_at=NOW + timedelta(seconds=1))

    assert queries.holder_of_token(token.secret, scope=Scope.CHECK, now=NOW).platform == forum
    with pytest.raises(TokenNotRecognised):
        queries.holder_of_token(token.secret, scope=Scope.CHECK, now=NOW + timedelta(seconds=1))


def test_upload_check_is_told_of_live_tokens_only(forum: Platform) -> None:
    # Given a revoked, an expired, a lasting token and one with an end
    a_token(forum)
    operations.revoke_tokens(platform_id=forum.id, now=NOW)
    a_token(forum, expires_at=NOW)
    lasting = a_token(forum, Scope.CHECK, Scope.COPIES)
    ending = a_token(forum, expires_at=NOW + timedelta(days=1))

    # Then only the last two are told, as digests
    assert queries.live_tokens(now=NOW) == [
        {
            "digest": digest_of(lasting),
            "platform": forum.id,
            "scopes": ["check", "copies"],
            "expires_at": None,
        },
        {
            "digest": digest_of(ending),
            "platform": forum.id,
            "scopes": ["check"],
            "expires_at": "2026-03-08T20:30:00+00:00",
        },
    ]


def test_marked_call_finds_what_the_same_call_made(forum: Platform) -> None:
    # Given a call that made a request
    call = MarkedCall(platform_id=forum.id, route="notices", key="k1", body_sha256="a" * 64)
    assert queries.made_by_earlier_call(call) is None
    operations.remember_call(call, made="R-1", now=NOW)

    # Then the same call finds it; another key, route or platform does not; another body is refused
    other = a_platform("Other", url_prefix="https://other.example/")
    assert queries.made_by_earlier_call(call) == "R-1"
    for different in [
        replace(call, key="k2"),
        replace(call, route="copies"),
        replace(call, platform_id=other.id),
    ]:
        assert queries.made_by_earlier_call(different) is None
    with pytest.raises(IdempotencyKeyReused):
        queries.made_by_earlier_call(replace(call, body_sha256="b" * 64))


def test_platform_is_found_by_its_exact_name_only(forum: Platform) -> None:
    assert queries.platform_by_name("Forum") == forum

    for name in ("forum", "Forum ", ""):
        with pytest.raises(PlatformNotFound):
            queries.platform_by_name(name)
