"""`staydown manage`: Django's own commands, and setting up platforms and staff."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from urllib.parse import urlsplit

import click

from staydown.start import set_up_django


@click.group(context_settings={"ignore_unknown_options": True})
def command() -> None:
    """Looks after an installation: its database, its platforms, its staff."""
    set_up_django()


@command.command("django", context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def run_django(arguments: tuple[str, ...]) -> None:
    """Runs one of Django's commands, for example `migrate`."""
    from django.core.management import execute_from_command_line

    execute_from_command_line(["staydown manage django", *arguments])


@command.command("migrate")
def migrate() -> None:
    """Brings the database up to date."""
    from django.core.management import call_command

    call_command("migrate", interactive=False, stdout=sys.stdout)


def _web_address(context: click.Context, parameter: click.Parameter, value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise click.BadParameter("give a web address such as https://forum.example/", context, parameter)
    return value


@command.command("add-platform")
@click.argument("name")
@click.option(
    "--url-prefix", required=True, callback=_web_address, help="What every post's address starts with."
)
@click.option("--webhook-url", required=True, callback=_web_address, help="Where the platform hears from us.")
def add_platform(name: str, url_prefix: str, webhook_url: str) -> None:
    """Connects a platform; prints its token and its webhook secret, once."""
    from staydown.access.errors import PlatformAddressTaken, PlatformNameTaken
    from staydown.journeys.set_up_platform import connect_platform

    try:
        connected = connect_platform(
            name=name, url_prefix=url_prefix, webhook_url=webhook_url, now=datetime.now(UTC)
        )
    except PlatformNameTaken as error:
        raise click.ClickException(f"a platform named {name!r} exists already") from error
    except PlatformAddressTaken as error:
        raise click.ClickException(f"a platform with the address {url_prefix} exists already") from error
    click.echo(f"platform        {connected.token.platform.id}")
    click.echo(f"token           {connected.token.secret}")
    click.echo(f"webhook secret  {connected.webhook_secret}")
    click.echo("Keep both secrets now: they are not shown again.")


@command.command("replace-token")
@click.argument("name")
def replace_token(name: str) -> None:
    """Gives a platform a new token and revokes its old ones; prints the new one, once."""
    from staydown.access.errors import PlatformNotFound
    from staydown.journeys import set_up_platform

    try:
        token = set_up_platform.replace_token(name=name, now=datetime.now(UTC))
    except PlatformNotFound as error:
        raise click.ClickException(f"no platform is named {name!r}") from error
    click.echo(f"token           {token.secret}")
    click.echo("The old tokens are refused from now on.")


@command.command("add-token")
@click.argument("name")
@click.option(
    "--scope",
    required=True,
    type=click.Choice(["fingerprint", "metrics"]),
    help="The one thing that it may do: have media fingerprinted, or read metrics and the health page.",
)
def add_token(name: str, scope: str) -> None:
    """Makes one more token of a platform, for one thing; prints it, once."""
    from staydown.access.errors import PlatformNotFound
    from staydown.access.terms import Scope
    from staydown.journeys.set_up_platform import give_token

    try:
        token = give_token(name=name, scope=Scope(scope), now=datetime.now(UTC))
    except PlatformNotFound as error:
        raise click.ClickException(f"no platform is named {name!r}") from error
    click.echo(f"token           {token.secret}")
    click.echo("It does nothing else. Keep it now: it is not shown again.")


@command.command("add-edge-token")
@click.argument("name")
def add_edge_token(name: str) -> None:
    """Lets a platform fetch the edge bank, to check without the network; prints a token for it, once."""
    from staydown.access.errors import PlatformNotFound
    from staydown.journeys.set_up_platform import give_edge_token

    try:
        access = give_edge_token(name=name, now=datetime.now(UTC))
    except PlatformNotFound as error:
        raise click.ClickException(f"no platform is named {name!r}") from error
    click.echo(f"token           {access.token.secret}")
    click.echo(f"public key      {access.public_key}")
    click.echo("The token fetches the edge bank and nothing else. Keep it now: it is not shown again.")


@command.command("add-staff")
@click.argument("username")
@click.option(
    "--role", type=click.Choice(["reviewer", "lead", "auditor", "administrator"]), default="reviewer"
)
def add_staff(username: str, role: str) -> None:
    """Adds a member of staff; prints their password, once."""
    from django.db import IntegrityError

    from staydown.access.terms import Role
    from staydown.journeys.set_up_staff import invite_staff_member

    try:
        password = invite_staff_member(username=username, role=Role(role))
    except IntegrityError as error:
        raise click.ClickException(f"{username!r} works here already") from error
    click.echo(f"{username}  {password}")
