"""Story: Alice's receipt proves what was received and done, and when, to anybody and without us.

1. She saves receipt.json from her case.
2. Her lawyer checks it offline with the published key and a copy of the published log: it holds, and says
   what was received and decided, with times.
3. Whoever changes a byte of the receipt, or of the log, is found out.
4. An installation that changes a byte of its own ledger is found out by itself.
"""

from __future__ import annotations

import re
import shutil
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner
from playwright.sync_api import BrowserContext

from staydown.cli.demo_story import copy_published_log, verifier_key
from staydown.cli.receipt import command as receipt_command
from staydown.cli.visitor import Visitor
from tests.stories.people import (
    decided,
    forum_member,
    open_case,
    posted,
    registered,
    requested,
    reviewer,
    status,
)
from tests.stories.serving import ServedDemo, run_staydown, wait_until

pytestmark = pytest.mark.browser
# How many changed bytes of the receipt and of each published file are tried.
TRIES = 250
TRIES_PER_FILE = 6
LINE = re.compile(r"^  \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC  (.+)$", re.MULTILINE)


def check(file: Path, *options: str | Path) -> tuple[int, str]:
    """`staydown receipt verify`, in this process: a few hundred starts would take minutes."""
    result = CliRunner().invoke(receipt_command, ["verify", str(file), *map(str, options)])
    return result.exit_code, result.output


def changed(content: bytes, at: int) -> bytes:
    """The content with one bit of one byte turned."""
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def places(length: int, tries: int) -> list[int]:
    """Places all over a file, at a stride."""
    return list(range(0, length, max(1, length // tries)))


def test_receipt_is_proved_offline_and_every_changed_byte_is_noticed(
    demo: ServedDemo, phone: BrowserContext, picture: Path, tmp_path: Path
) -> None:
    # Given Alice's request, decided, and its post gone
    content = picture.read_bytes()
    bob = reviewer(demo.url, name="bob", password=demo.secrets.reviewer_password)
    with forum_member(demo.forum_url) as mara, Visitor(demo.url) as alice, bob:
        post = posted(mara, content)
        receipt = registered(alice, content)
        number = requested(alice, post)
        decided(bob, number)
        wait_until(lambda: "gone, the platform says" in alice.open("/case").text, what="the copy is gone")
        assert status(post) == 410

    # When she saves her proof, and somebody copies the published log
    page = phone.new_page()
    open_case(page, demo.url, receipt)
    with page.expect_download() as download:
        page.get_by_role("link", name="Save receipt.json").click()
    assert download.value.suggested_filename == "receipt.json"
    file = tmp_path / "receipt.json"
    download.value.save_as(file)
    vkey = verifier_key(demo.url)
    log = copy_published_log(demo.url, tmp_path / "log")

    # Then the command proves it and tells what happened, and when
    proved = run_staydown("receipt", "verify", file, "--key", vkey, "--log", log)
    assert proved.returncode == 0, proved.stderr
    assert proved.stdout.startswith(f"PROVED. Receipt for {receipt.number}")
    told = LINE.findall(proved.stdout)
    for kind in ("Case opened", "Request received", "Request decided", "Copy gone"):
        assert any(line.startswith(kind) for line in told), kind
    assert any(number in line and "removed" in line for line in told)
    assert "the receipt belongs to them" in proved.stdout

    # Then nothing in it is about the picture, the post or the person
    text = file.read_text()
    assert post not in text
    assert "alias@example.org" not in text

    # When any one byte of the receipt is changed
    original = file.read_bytes()
    tampered = tmp_path / "tampered.json"
    accepted = []
    for at in places(len(original), TRIES):
        tampered.write_bytes(changed(original, at))
        code, _ = check(tampered, "--key", vkey)
        if code != 1:
            accepted.append((at, original[max(0, at - 30) : at + 30]))

    # Then it fails
    assert accepted == []

    # When any one byte of any file of the log is changed
    for part in sorted(path for path in log.rglob("*") if path.is_file() and path.name != "vkey"):
        published = part.read_bytes()
        for at in places(len(published), TRIES_PER_FILE):
            part.write_bytes(changed(published, at))
            code, said = check(file, "--key", vkey, "--log", log)

            # Then it fails, and says where
            assert code == 1, (part, at)
            assert "NOT PROVED" in said
            where = part.relative_to(log).as_posix()
            assert where in said or "checkpoint" in said or "entry" in said or "tile" in said, (where, said)
        part.write_bytes(published)
    assert check(file, "--key", vkey, "--log", log)[0] == 0

    # When another log's key is given
    other = vkey[:-6] + "AAAA" + vkey[-2:]

    # Then it fails, too
    assert check(file, "--key", other)[0] == 1


def copy_of_installation(demo: ServedDemo, folder: Path) -> Path:
    """A copy of the demonstration's data, made while it runs."""
    data = demo.folder / "staydown"
    folder.mkdir()
    for name in ("ledger.key", "secret_key"):
        shutil.copy(data / name, folder / name)
    with (
        sqlite3.connect(f"file:{data / 'staydown.sqlite3'}?mode=ro", uri=True) as source,
        sqlite3.connect(folder / "staydown.sqlite3") as target,
    ):
        source.backup(target)
    return folder


@pytest.mark.parametrize("column", ["event", "salt", "commitment"])
def test_installation_that_changes_its_ledger_convicts_itself(
    demo: ServedDemo, tmp_path: Path, picture: Path, column: str
) -> None:
    # Given the demonstration's ledger, with something in it, which is sound
    with Visitor(demo.url) as alice:
        registered(alice, picture.read_bytes())
    sound = run_staydown("ledger", "verify", data=demo.folder / "staydown")
    assert sound.returncode == 0, sound.stderr
    assert "The log is sound" in sound.stdout

    # When one byte of one row is changed in a copy
    copy = copy_of_installation(demo, tmp_path / "copy")
    with sqlite3.connect(copy / "staydown.sqlite3") as database:
        table = "ledger_ledgerentry"
        query = f'SELECT "index", {column} FROM {table} WHERE {column} IS NOT NULL ORDER BY "index"'
        index, value = database.execute(query).fetchone()
        raw = bytes(value, "utf-8") if isinstance(value, str) else bytes(value)
        turned = changed(raw, raw.index(b"20") if column == "event" else len(raw) // 2)
        stored = turned.decode() if isinstance(value, str) else turned
        database.execute(f'UPDATE {table} SET {column} = ? WHERE "index" = ?', (stored, index))

    # Then the copy says that it was changed, and where
    damaged = run_staydown("ledger", "verify", data=copy)
    assert damaged.returncode == 1, damaged.stdout
    assert f"damaged at entry {index}" in damaged.stderr
