"""The archive of an export: what our small writer makes, Python's tarfile reads, byte for byte."""

from __future__ import annotations

import base64
import io
import json
import random
import tarfile

import pytest
from playwright.sync_api import Error, Page

from tests.web.harness import WEB, Harness

SIZES = (0, 1, 511, 512, 513, 1023, 1024, 70_000)


def archive_of(page: Page, files: list[tuple[str, bytes]], seconds: int) -> bytes:
    source = (WEB / "device" / "notes-tar.js").read_text(encoding="utf-8").replace("export ", "")
    sent = [{"name": name, "content": base64.b64encode(content).decode()} for name, content in files]
    made = page.evaluate(
        f"""(() => {{ {source}
        const bytes = (text) => Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
        const files = {json.dumps(sent)}.map(({{ name, content }}) => ({{ name, content: bytes(content) }}));
        let text = '';
        for (const byte of tarOf(files, {seconds})) text += String.fromCharCode(byte);
        return btoa(text); }})()"""
    )
    return base64.b64decode(made)


def test_python_reads_every_archive_that_we_write(page: Page) -> None:
    chance = random.Random(16)
    with Harness() as harness:
        page.goto(f"{harness.url}/parts")
        for _ in range(25):
            # Given a few files of the sizes around a block, and of any size between
            files = [
                (
                    "".join(chance.choices("abcXYZ019._-", k=chance.randint(1, 98))) + "x",
                    chance.randbytes(chance.choice([*SIZES, chance.randrange(5_000)])),
                )
                for _ in range(chance.randrange(6))
            ]
            seconds = chance.randrange(2**31)

            # When
            archive = archive_of(page, files, seconds)

            # Then
            assert len(archive) % 512 == 0
            with tarfile.open(fileobj=io.BytesIO(archive), mode="r:") as read:
                members = read.getmembers()
                assert [one.name for one in members] == [name for name, _ in files]
                for member, (_, content) in zip(members, files, strict=True):
                    kept = read.extractfile(member)
                    assert kept is not None
                    assert kept.read() == content
                    assert (member.mode, member.mtime, member.isreg()) == (0o600, seconds, True)


def test_name_that_could_leave_the_folder_or_be_cut_is_refused(page: Page) -> None:
    with Harness() as harness:
        page.goto(f"{harness.url}/parts")
        for name in ("a" * 100, "two words", "", "é"):
            with pytest.raises(Error, match="a name that tar might not keep"):
                archive_of(page, [(name, b"x")], 1)
