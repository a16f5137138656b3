"""`staydown manage`: secrets are printed once and kept as digests; what cannot be done is said plainly."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from django.conf import settings
from django.contrib.auth import authenticate

from staydown.access.errors import TokenNotRecognised
from staydown.access.models import ApiToken, PlatformRecord, StaffMember
from staydown.access.queries import holder_of_token
from staydown.access.terms import Role, Scope
from staydown.action.models import EndpointRecord
from staydown.cli import main
from tests.staydown.conftest import NOW

FORUM = (
    "add-platform",
    "Forum",
    "--url-prefix=https://forum.example/",
    "--webhook-url=https://forum.example/hook",
)


@pytest.fixture(autouse=True)
def cheap_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def manage(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["manage", *arguments])


def printed(result: Result) -> dict[str, str]:
    """Names and values, two spaces or more apart."""
    pairs = (line.split("  ", 1) for line in result.stdout.splitlines() if "  " in line)
    return {name.strip(): value.strip() for name, value in pairs}


def test_platform_is_connected_and_its_secrets_are_printed_once(db: None, house: Path) -> None:
    # When
    result = manage(*FORUM)

    # Then what is printed works
    assert result.exit_code == 0
    told = printed(result)
    holder = holder_of_token(told["token"], scope=Scope.CHECK, now=NOW)
    assert (holder.platform.id, holder.platform.name) == (told["platform"], "Forum")
    assert holder.scopes == {Scope.CHECK, Scope.COPIES, Scope.NOTICES, Scope.ENTRIES}
    assert EndpointRecord.objects.get().secret == told["webhook secret"]
    assert "they are not shown again" in result.stdout

    # And the upload check knows the token, by its digest only
    published = (house / "tokens.json").read_text()
    assert len(json.loads(published)["tokens"]) == 1
    assert told["token"] not in published
    assert told["token"] not in str(list(ApiToken.objects.values()))


def test_platform_of_the_same_name_is_refused_in_a_sentence(db: None) -> None:
    manage(*FORUM)

    again = manage(*FORUM)

    assert again.exit_code == 1
    assert "a platform named 'Forum' exists already" in again.stderr
    assert PlatformRecord.objects.count() == 1


def test_new_token_replaces_every_older_one(db: None, house: Path) -> None:
    # Given
    old = printed(manage(*FORUM))["token"]

    # When
    result = manage("replace-token", "Forum")

    # Then
    new = printed(result)["token"]
    assert holder_of_token(new, scope=Scope.COPIES, now=NOW).platform.name == "Forum"
    with pytest.raises(TokenNotRecognised):
        holder_of_token(old, scope=Scope.COPIES, now=NOW)
    assert len(json.loads((house / "tokens.json").read_text())["tokens"]) == 1
    assert "The old tokens are refused from now on." in result.stdout


def test_edge_token_is_printed_with_the_key_that_edge_banks_are_signed_by(db: None, house: Path) -> None:
    # Given
    manage(*FORUM)

    # When
    result = manage("add-edge-token", "Forum")

    # Then the token may do this alone, and the key is the ledger's
    told = printed(result)
    assert holder_of_token(told["token"], scope=Scope.EDGE, now=NOW).scopes == {Scope.EDGE}
    assert told["public key"].startswith(f"{settings.STAYDOWN_LEDGER_ORIGIN}+")
    assert "it is not shown again" in result.stdout


@pytest.mark.parametrize("scope", [Scope.FINGERPRINT, Scope.METRICS])
def test_token_for_one_thing_is_printed_once_and_leaves_the_others(
    db: None, house: Path, scope: Scope
) -> None:
    # Given
    first = printed(manage(*FORUM))["token"]

    # When
    told = printed(manage("add-token", "Forum", "--scope", scope.value))

    # Then
    assert holder_of_token(told["token"], scope=scope, now=NOW).scopes == {scope}
    assert holder_of_token(first, scope=Scope.CHECK, now=NOW)
    assert len(json.loads((house / "tokens.json").read_text())["tokens"]) == 2


@pytest.mark.parametrize("scope", ["check", "", "everything"])
def test_token_for_something_else_is_refused(db: None, scope: str) -> None:
    assert manage("add-token", "Forum", "--scope", scope).exit_code == 2


@pytest.mark.parametrize(
    "command", [["replace-token"], ["add-edge-token"], ["add-token", "--scope", "metrics"]]
)
def test_token_of_an_unknown_platform_is_refused_in_a_sentence(db: None, command: list[str]) -> None:
    result = manage(*command, "Nobody")

    assert result.exit_code == 1
    assert "no platform is named 'Nobody'" in result.stderr


@pytest.mark.parametrize("role", [None, *Role])
def test_member_of_staff_gets_a_password_that_is_printed_once(db: None, role: Role | None) -> None:
    result = manage("add-staff", "bob", *([f"--role={role}"] if role else []))

    assert result.exit_code == 0
    password = printed(result)["bob"]
    member = StaffMember.objects.get()
    assert member.role == (role or Role.REVIEWER)
    assert not member.is_staff
    assert not member.is_superuser
    assert password not in member.password
    assert authenticate(username="bob", password=password) == member


def test_member_who_works_here_already_is_refused_in_a_sentence(db: None) -> None:
    manage("add-staff", "bob")

    again = manage("add-staff", "bob", "--role=administrator")

    assert again.exit_code == 1
    assert "'bob' works here already" in again.stderr
    assert StaffMember.objects.get().role == Role.REVIEWER


def test_unknown_role_is_refused(db: None) -> None:
    assert manage("add-staff", "bob", "--role=owner").exit_code == 2
    assert not StaffMember.objects.exists()


def test_database_is_brought_up_to_date(db: None) -> None:
    result = manage("migrate")

    assert result.exit_code == 0
    assert "No migrations to apply." in result.output


def test_commands_of_django_are_passed_on_with_their_options(
    db: None, capsys: pytest.CaptureFixture[str]
) -> None:
    result = manage("django", "migrate", "--plan")

    assert result.exit_code == 0
    assert "No planned migration operations." in result.output
