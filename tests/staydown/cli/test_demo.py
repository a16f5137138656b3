"""The demonstration as its command, and the story with controls that must be caught.

Covers: staydown.cli.demo, staydown.cli.demo_story.
"""

from __future__ import annotations

import dataclasses
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from staydown.cli.demo import Demo, serve_demo
from staydown.cli.demo_story import StoryFailed, play


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    folder = tmp_path_factory.mktemp("demo")
    with serve_demo(folder, port=_free_port(), forum_port=_free_port()) as served:
        yield served


def _play(demo: Demo, **changes: str) -> list[str]:
    said: list[str] = []
    secrets = dataclasses.replace(demo.secrets, **changes)
    play(url=demo.url, forum_url=demo.forum_url, secrets=secrets, say=said.append)
    return said


def test_whole_story_holds_twice_on_the_same_demonstration(demo: Demo) -> None:
    for _ in range(2):
        said = _play(demo)

        assert len(said) == 12
        assert all(line.startswith("✓") for line in said)


def test_story_notices_a_reviewer_who_cannot_sign_in(demo: Demo) -> None:
    with pytest.raises(StoryFailed, match="the request is in the queue"):
        _play(demo, reviewer_password="not the password")


def test_story_notices_a_gate_that_does_not_answer_451(demo: Demo) -> None:
    with pytest.raises(StoryFailed, match=r"the gate blocks it as it is \(it said 401\)"):
        _play(demo, token="sdk_not_a_token")


def test_command_says_what_is_in_the_way(demo: Demo, tmp_path: Path) -> None:
    # Given a port that is in use
    port = demo.url.rsplit(":", 1)[1]
    command = [sys.executable, "-m", "staydown", "demo", "--port", port, "--forum-port", str(_free_port())]

    # When the demonstration is started on it
    refused = subprocess.run(
        [*command, "--data", str(tmp_path)], capture_output=True, text=True, check=False, timeout=60
    )

    # Then it says so and stops
    assert refused.returncode == 1
    assert f"something is already served at {demo.url}" in refused.stderr
