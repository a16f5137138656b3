"""`staydown demo`: the whole story on one machine: Staydown, a picture forum, people to be, a picture to try.

Everything lies in one folder and listens on the loopback address only. Needs a checkout (examples/forum).
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
import httpx

from staydown.cli.demo_setup import (
    EXAMPLES,
    DemoSecrets,
    demo_environment,
    load_or_make_secrets,
    seed_forum,
)
from staydown.cli.demo_story import StoryFailed, play
from staydown.cli.serve import stop_in_good_order

READY_WITHIN_SECONDS = 60.0
STOP_WITHIN_SECONDS = 15.0


class DemoFailed(click.ClickException):
    """The demonstration could not be started; says which part."""


@dataclass(frozen=True)
class Demo:
    """A demonstration that is being served."""

    folder: Path
    url: str
    forum_url: str
    secrets: DemoSecrets


@click.command()
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--forum-port", default=8001, show_default=True, type=click.IntRange(1, 65535))
@click.option(
    "--data",
    "folder",
    default="var/demo",
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Where the demonstration keeps everything; delete it to start afresh.",
)
@click.option(
    "--check", is_flag=True, help="Play the whole story, print a line a step, exit 0 only if all hold."
)
def command(port: int, forum_port: int, folder: Path, check: bool) -> None:
    """Serve the demonstration: Staydown and a picture forum that it protects."""
    if not (EXAMPLES / "forum").is_dir():
        raise DemoFailed("the demonstration needs a checkout of Staydown (examples/forum is missing)")
    signal.signal(signal.SIGTERM, stop_in_good_order)
    with ExitStack() as stack:
        url, forum_url = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{forum_port}"
        if check and _answers(url + "/readyz"):
            secrets = load_or_make_secrets(folder, url=url, forum_url=forum_url)
            demo = Demo(folder=folder, url=url, forum_url=forum_url, secrets=secrets)
        else:
            if check:
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="staydown-demo-")))
            demo = stack.enter_context(serve_demo(folder, port=port, forum_port=forum_port))
        if check:
            _check(demo)
        else:
            _tell(demo)
            _wait()


def _check(demo: Demo) -> None:
    try:
        play(url=demo.url, forum_url=demo.forum_url, secrets=demo.secrets, say=click.echo)
    except StoryFailed as error:
        click.echo(f"✗ {error}", err=True)
        raise SystemExit(1) from error
    click.echo("The whole story holds.")


@contextmanager
def serve_demo(folder: Path, *, port: int, forum_port: int) -> Iterator[Demo]:
    """Serves the demonstration while the block runs. Raises DemoFailed."""
    url, forum_url = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{forum_port}"
    for address in (url, forum_url):
        if _answers(address):
            raise DemoFailed(f"something is already served at {address}; stop it or choose another port")
    folder = folder.resolve()
    click.echo("== Setting up the demonstration")
    secrets = load_or_make_secrets(folder, url=url, forum_url=forum_url)
    staydown_env = demo_environment(folder, url=url)
    forum_env = {
        **os.environ,
        "STAYDOWN_URL": url,
        "STAYDOWN_TOKEN": secrets.token,
        "STAYDOWN_WEBHOOK_SECRET": secrets.webhook_secret,
        "PUBLIC_URL": forum_url,
    }
    staydown = [sys.executable, "-m", "staydown", "serve", "--port", str(port)]
    forum = [sys.executable, "-m", "forum", "--port", str(forum_port), "--data", str(folder / "forum")]
    with ExitStack() as stack:
        click.echo(f"== Starting Staydown at {url}")
        stack.enter_context(_running("Staydown", staydown, env=staydown_env, ready=url + "/readyz"))
        click.echo(f"== Starting the forum at {forum_url}")
        stack.enter_context(_running("the forum", forum, env=forum_env, ready=forum_url, cwd=EXAMPLES))
        seed_forum(folder, url=url, forum_url=forum_url, secrets=secrets, say=click.echo)
        yield Demo(folder=folder, url=url, forum_url=forum_url, secrets=secrets)


@contextmanager
def _running(
    name: str, command_line: list[str], *, env: dict[str, str], ready: str, cwd: Path | None = None
) -> Iterator[None]:
    process = subprocess.Popen(command_line, env=env, cwd=cwd)
    try:
        end = time.monotonic() + READY_WITHIN_SECONDS
        while not _answers(ready):
            if process.poll() is not None:
                raise DemoFailed(f"{name} stopped while starting (exit code {process.returncode})")
            if time.monotonic() > end:
                raise DemoFailed(f"{name} did not answer at {ready} within {READY_WITHIN_SECONDS:.0f} s")
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=STOP_WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2.0, trust_env=False).status_code < 500
    except httpx.HTTPError:
        return False


def _tell(demo: Demo) -> None:
    click.echo("")
    click.echo(f"  Open         {demo.url}   (what to try, in which order)")
    click.echo(f"  The forum    {demo.forum_url}")
    click.echo(f"  Reviewer     {demo.secrets.reviewer}  password {demo.secrets.reviewer_password}")
    click.echo(f"  Forum member {demo.secrets.member}  password {demo.secrets.member_password}")
    click.echo("")
    click.echo("  Stop with Ctrl-C. Everything is kept in " + str(demo.folder))


def _wait() -> None:
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        click.echo("\n== Stopping")
