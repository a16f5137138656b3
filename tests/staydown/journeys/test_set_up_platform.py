"""A platform is connected whole: address, token, endpoint, and the upload check knows it at once."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest
from django.conf import settings

from staydown.access.errors import (
    PlatformAddressTaken,
    PlatformNameTaken,
    PlatformNotFound,
    TokenNotRecognised,
)
from staydown.access.models import ApiToken, PlatformRecord
from staydown.access.queries import holder_of_token
from staydown.access.terms import Scope
from staydown.action.models import EndpointRecord
from staydown.action.queries import has_endpoint
from staydown.journal import TokensFile
from staydown.journeys.set_up_platform import (
    ConnectedPlatform,
    connect_platform,
    give_edge_token,
    replace_token,
)
from tests.staydown.conftest import NOW


def connect(name: str = "Forum") -> ConnectedPlatform:
    return connect_platform(
        name=name,
        url_prefix=f"http://{name.lower()}.example/",
        webhook_url=f"http://{name.lower()}.example/hook",
        now=NOW,
    )


def test_connected_platform_can_do_all_that_a_platform_may_and_can_be_told(db: None) -> None:
    connected = connect()

    for scope in (Scope.CHECK, Scope.COPIES, Scope.NOTICES, Scope.ENTRIES):
        holder = holder_of_token(connected.token.secret, scope=scope, now=NOW)
        assert holder.platform == connected.token.platform
    assert has_endpoint(connected.token.platform.id)


def test_upload_check_knows_the_token_at_once(db: None) -> None:
    connected = connect()

    digest = hashlib.sha256(connected.token.secret.encode()).hexdigest()
    row = TokensFile(settings.STAYDOWN_TOKENS_PATH).find(digest, now=NOW)
    assert row is not None
    assert (row["platform"], "check" in row["scopes"]) == (connected.token.platform.id, True)


def test_webhook_secret_is_fresh_and_as_long_as_standard_webhooks_asks(db: None) -> None:
    secrets = [connect(name).webhook_secret for name in ("A", "B")]

    assert len(set(secrets)) == 2
    assert all(24 <= len(base64.b64decode(secret.removeprefix("whsec_"))) <= 64 for secret in secrets)
    assert set(EndpointRecord.objects.values_list("secret", flat=True)) == set(secrets)


def test_name_that_is_taken_leaves_the_first_platform_as_it_is(db: None) -> None:
    connect()
    before = json.loads(settings.STAYDOWN_TOKENS_PATH.read_text())

    with pytest.raises(PlatformNameTaken):
        connect()
    assert (PlatformRecord.objects.count(), ApiToken.objects.count()) == (1, 1)
    assert json.loads(settings.STAYDOWN_TOKENS_PATH.read_text()) == before


def test_replaced_token_works_and_every_older_one_is_refused_everywhere(db: None) -> None:
    # Given two connected platforms
    forum, other = connect("Forum"), connect("Other")

    # When the forum's token is replaced, twice
    second = replace_token(name="Forum", now=NOW)
    third = replace_token(name="Forum", now=NOW)

    # Then only the last one speaks for it, to the pages and to the upload check
    good = {third.secret, other.token.secret}
    tokens = TokensFile(settings.STAYDOWN_TOKENS_PATH)
    for secret in (forum.token.secret, second.secret, third.secret, other.token.secret):
        digest = hashlib.sha256(secret.encode()).hexdigest()
        assert (tokens.find(digest, now=NOW) is not None) == (secret in good)
        if secret in good:
            assert holder_of_token(secret, scope=Scope.CHECK, now=NOW)
        else:
            with pytest.raises(TokenNotRecognised):
                holder_of_token(secret, scope=Scope.CHECK, now=NOW)
    assert third.platform == forum.token.platform


def test_edge_token_may_fetch_the_edge_bank_and_nothing_else_and_leaves_the_others(db: None) -> None:
    # Given
    forum = connect("Forum")

    # When
    access = give_edge_token(name="Forum", now=NOW)

    # Then
    assert holder_of_token(access.token.secret, scope=Scope.EDGE, now=NOW).scopes == {Scope.EDGE}
    assert holder_of_token(forum.token.secret, scope=Scope.CHECK, now=NOW)
    digest = hashlib.sha256(access.token.secret.encode()).hexdigest()
    row = TokensFile(settings.STAYDOWN_TOKENS_PATH).find(digest, now=NOW)
    assert row is not None
    assert row["scopes"] == ["edge"]

    # And it ends with the others
    replace_token(name="Forum", now=NOW)
    with pytest.raises(TokenNotRecognised):
        holder_of_token(access.token.secret, scope=Scope.EDGE, now=NOW)


def test_token_of_an_unknown_platform_cannot_be_replaced(db: None) -> None:
    with pytest.raises(PlatformNotFound):
        replace_token(name="forum", now=NOW)


def test_two_platforms_cannot_have_the_same_address(db: None) -> None:
    connect("Forum")

    with pytest.raises(PlatformAddressTaken):
        connect_platform(
            name="Other", url_prefix="http://forum.example/", webhook_url="http://other.example/", now=NOW
        )
    assert PlatformRecord.objects.count() == 1
