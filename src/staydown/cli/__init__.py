"""The door for the command line: `staydown`. Each command loads what it needs when it is called."""

from __future__ import annotations

import importlib
from collections.abc import Sequence

import click

_COMMANDS = {
    "fingerprint": "staydown.cli.fingerprint",
    "check": "staydown.cli.check",
    "compare": "staydown.cli.compare",
    "receipt": "staydown.cli.receipt",
    "ledger": "staydown.cli.ledger",
    "serve": "staydown.cli.serve",
    "demo": "staydown.cli.demo",
    "manage": "staydown.cli.manage",
}


class LazyGroup(click.Group):
    """A group that imports a command's module only when that command is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the commands."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, or None for an unknown name. Says what to install if a part is missing."""
        if cmd_name not in _COMMANDS:
            return None
        try:
            module = importlib.import_module(_COMMANDS[cmd_name])
        except ModuleNotFoundError as error:
            if error.name and error.name.startswith("staydown"):
                raise
            raise click.ClickException(
                f"`staydown {cmd_name}` needs the package {error.name}. "
                "Install the server's part: pip install 'staydown[server]'"
            ) from error
        command: click.Command = module.command
        return command


@click.command(cls=LazyGroup)
@click.version_option(package_name="staydown")
def main(args: Sequence[str] | None = None) -> None:
    """Takes intimate images that were shared without consent down, and keeps them down."""
