"""The edge bank: fetched, verified, searched without the network, and never worse than what was held before.

Covers: staydown.client.edge, staydown.client.edge_folder.
"""

import asyncio
import hashlib
import io
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from staydown.client import (
    AsyncStaydown,
    ClientMisconfigured,
    EdgeBankEmpty,
    EdgeBankExpired,
    EdgeFileRefused,
    EdgeManifestRefused,
    EdgeMediaNotReadable,
    RequestRefused,
    Staydown,
    Unreachable,
)
from staydown.client.edge import EdgeBank
from staydown.fingerprint import query_image
from staydown.fingerprint.terms import Algorithm, Digests, Fingerprint, MediaFingerprints
from staydown.fingerprint.video_terms import FrameFingerprint, VideoFingerprints
from tests.doubles.edge_publisher import EdgePublisher
from tests.doubles.staydown_server import StaydownDouble

NOW = datetime(2026, 3, 7, 20, 30, tzinfo=UTC)
CODE = bytes(range(32))
NEAR = bytes([CODE[0] ^ 0xFF, CODE[1] ^ 0x0F]) + CODE[2:]  # 12 bits off
FAR = bytes(255 - one for one in CODE)
CONFIRMED, UNCONFIRMED = hashlib.sha256(b"confirmed").digest(), hashlib.sha256(b"unconfirmed").digest()


def media(code: bytes = FAR, *, sha256: bytes = bytes(32), quality: int = 90) -> MediaFingerprints:
    fingerprint = Fingerprint(Algorithm.PDQ, code, quality)
    return MediaFingerprints("image", Digests(sha256.hex(), "ab" * 16), 9, 9, (fingerprint,))


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def double() -> StaydownDouble:
    return StaydownDouble()


@pytest.fixture
def publisher(double: StaydownDouble) -> EdgePublisher:
    return EdgePublisher(double)


@pytest.fixture
def client(double: StaydownDouble) -> Staydown:
    return Staydown(double.origin, double.token, transport=double.transport(), timeout_ms=300)


@pytest.fixture
def open_bank(publisher: EdgePublisher, clock: Clock, tmp_path: Path) -> Callable[..., EdgeBank]:
    """The edge bank of one folder, as each process opens it."""

    def opened(**options: Any) -> EdgeBank:
        return EdgeBank(tmp_path / "edge", public_key=publisher.public_key, now=clock, **options)

    return opened


def publish_first(publisher: EdgePublisher) -> None:
    publisher.publish([CODE], [(CONFIRMED, True), (UNCONFIRMED, False)], sequence=5, at=NOW)


def test_fetched_bank_answers_with_the_distance_and_at_most_holds_what_is_near(
    publisher: EdgePublisher, client: Staydown, open_bank: Callable[..., EdgeBank]
) -> None:
    # Given
    publish_first(publisher)
    bank = open_bank()

    # When
    assert bank.refresh(client) is True

    # Then
    def answered(upload: MediaFingerprints) -> tuple[str, str | None, int | None]:
        found = bank.check(upload)
        return found.action.value, found.kind, found.distance_bits

    assert answered(media(NEAR)) == ("hold", "near", 12)
    assert answered(media(CODE)) == ("hold", "near", 0)
    assert answered(media(sha256=CONFIRMED)) == ("block", "exact", 0)
    assert answered(media(CODE, sha256=UNCONFIRMED)) == ("hold", "exact", 0)
    assert answered(media(FAR)) == ("allow", None, None)
    assert answered(media(CODE, quality=49)) == ("allow", None, None)


def test_frames_of_a_video_are_looked_up_but_for_turned_ones(
    publisher: EdgePublisher, client: Staydown, open_bank: Callable[..., EdgeBank]
) -> None:
    # Given
    publish_first(publisher)
    bank = open_bank()
    bank.refresh(client)

    def video(derivation: str) -> VideoFingerprints:
        frame = FrameFingerprint(1.0, Fingerprint(Algorithm.PDQ, CODE, 90, derivation))
        return VideoFingerprints(
            digests=Digests("ab" * 32, "ab" * 16),
            duration_seconds=2.0,
            width=9,
            height=9,
            frames=(frame,),
            looked_at=1,
            broke_off=False,
        )

    # Then
    assert bank.check(video("full")).kind == "near"
    assert bank.check(video("fH")).kind is None


def test_bank_works_after_a_restart_with_the_network_gone(
    publisher: EdgePublisher, double: StaydownDouble, client: Staydown, open_bank: Callable[..., EdgeBank]
) -> None:
    # Given
    publish_first(publisher)
    open_bank().refresh(client)
    double.is_down = True

    # When
    restarted = open_bank()

    # Then
    assert restarted.check(media(NEAR)).kind == "near"
    with pytest.raises(Unreachable):
        restarted.refresh(client)
    assert restarted.check(media(NEAR)).kind == "near"


def test_nothing_is_fetched_twice(
    publisher: EdgePublisher, double: StaydownDouble, client: Staydown, open_bank: Callable[..., EdgeBank]
) -> None:
    # Given
    publish_first(publisher)
    open_bank().refresh(client)
    double.requests.clear()

    # When, in another process of the folder
    was_new = open_bank().refresh(client)

    # Then
    assert was_new is False
    assert [one.path for one in double.requests] == ["/api/v1/edge/manifest"]


def test_renewed_manifest_of_the_same_files_fetches_no_file(
    publisher: EdgePublisher,
    double: StaydownDouble,
    client: Staydown,
    open_bank: Callable[..., EdgeBank],
    clock: Clock,
) -> None:
    # Given
    publish_first(publisher)
    bank = open_bank()
    bank.refresh(client)
    clock.now = NOW + timedelta(hours=25)
    with pytest.raises(EdgeBankExpired):
        bank.check(media())
    double.requests.clear()

    # When
    publisher.publish([CODE], [(CONFIRMED, True), (UNCONFIRMED, False)], sequence=5, at=clock.now)
    was_new = bank.refresh(client)

    # Then
    assert was_new is True
    assert [one.path for one in double.requests] == ["/api/v1/edge/manifest"]
    assert not bank.check(media()).is_expired


def test_other_processes_see_a_new_bank_at_their_next_check(
    publisher: EdgePublisher, client: Staydown, open_bank: Callable[..., EdgeBank], tmp_path: Path
) -> None:
    # Given
    publish_first(publisher)
    one, other = open_bank(), open_bank()
    one.refresh(client)
    assert other.check(media(NEAR)).kind == "near"

    # When the entry is withdrawn
    publisher.publish([FAR], sequence=6, at=NOW + timedelta(minutes=5))
    one.refresh(client)

    # Then it is gone everywhere, and so are its files
    assert other.check(media(NEAR)).kind is None
    assert len(list((tmp_path / "edge").glob("codes-*"))) == 1


def test_check_does_not_wait_for_another_thread_that_verifies_a_new_bank(
    publisher: EdgePublisher, client: Staydown, open_bank: Callable[..., EdgeBank]
) -> None:
    # Given a bank in use, a newer one in the folder, and a thread that is at it
    publish_first(publisher)
    bank = open_bank()
    bank.refresh(client)
    publisher.publish([FAR], sequence=6, at=NOW)
    open_bank().refresh(client)

    # When
    with bank._loading:
        meanwhile = bank.check(media(NEAR)).kind
    afterwards = bank.check(media(NEAR)).kind

    # Then
    assert (meanwhile, afterwards) == ("near", None)


def test_bank_that_was_never_fetched_says_so(open_bank: Callable[..., EdgeBank]) -> None:
    with pytest.raises(EdgeBankEmpty):
        open_bank().check(media())


def test_expired_bank_is_refused_or_used_and_marked_by_choice(
    publisher: EdgePublisher, client: Staydown, open_bank: Callable[..., EdgeBank], clock: Clock
) -> None:
    # Given
    publish_first(publisher)
    open_bank().refresh(client)

    # When
    clock.now = NOW + timedelta(hours=24)

    # Then
    with pytest.raises(EdgeBankExpired):
        open_bank().check(media(CODE))
    found = open_bank(if_expired="use").check(media(CODE))
    assert (found.kind, found.is_expired, found.made_at) == ("near", True, NOW)


def damaged_codes(double: StaydownDouble, publisher: EdgePublisher) -> str:
    name = publisher.publish([FAR], sequence=6, at=NOW).codes.name
    content = bytearray(double.edge[name])
    content[len(content) // 2] ^= 1
    double.edge[name] = bytes(content)
    return f"{name} was refused: it has not the digest"


def cut_digests(double: StaydownDouble, publisher: EdgePublisher) -> str:
    name = publisher.publish([FAR], [(CONFIRMED, True)], sequence=6, at=NOW).digests.name
    double.edge[name] = double.edge[name][:-1]
    return f"{name} was refused: it has not the size"


def signed_rubbish(double: StaydownDouble, publisher: EdgePublisher) -> str:
    manifest = publisher.publish([FAR], sequence=6, at=NOW)
    rubbish = b"not an index at all"
    sha256 = hashlib.sha256(rubbish).hexdigest()
    text = manifest.text().replace(manifest.codes.sha256, sha256)
    text = text.replace(f'"size_bytes": {manifest.codes.size_bytes}', f'"size_bytes": {len(rubbish)}')
    double.edge[manifest.codes.name] = rubbish
    publisher.sign(text)
    return f"{manifest.codes.name} was refused: it could not be opened"


def missing_file(double: StaydownDouble, publisher: EdgePublisher) -> str:
    del double.edge[publisher.publish([FAR], sequence=6, at=NOW).codes.name]
    return "404"


def other_key(double: StaydownDouble, publisher: EdgePublisher) -> str:
    EdgePublisher(double).publish([FAR], sequence=6, at=NOW)
    return "not signed by this key"


def changed_manifest(double: StaydownDouble, publisher: EdgePublisher) -> str:
    publisher.publish([FAR], sequence=6, at=NOW)
    double.edge["manifest"] = double.edge["manifest"].replace(b'"sequence": 6', b'"sequence": 7')
    return "not signed by this key"


def not_a_note(double: StaydownDouble, publisher: EdgePublisher) -> str:
    double.edge["manifest"] = b"<html>\xff"
    return "not UTF-8"


def sequence_back(double: StaydownDouble, publisher: EdgePublisher) -> str:
    publisher.publish([FAR], sequence=4, at=NOW + timedelta(hours=1))
    return "older than the one that is held"


def time_back(double: StaydownDouble, publisher: EdgePublisher) -> str:
    publisher.publish([FAR], sequence=6, at=NOW - timedelta(hours=1))
    return "older than the one that is held"


def expired(double: StaydownDouble, publisher: EdgePublisher) -> str:
    publisher.publish([FAR], sequence=6, at=NOW, life=timedelta(0))
    return "it has expired"


TRICKS = [
    damaged_codes,
    cut_digests,
    signed_rubbish,
    missing_file,
    other_key,
    changed_manifest,
    not_a_note,
    sequence_back,
    time_back,
    expired,
]


@pytest.mark.parametrize("trick", TRICKS)
def test_forged_damaged_or_old_bank_is_refused_by_name_and_the_held_one_goes_on(
    publisher: EdgePublisher,
    double: StaydownDouble,
    client: Staydown,
    open_bank: Callable[..., EdgeBank],
    tmp_path: Path,
    trick: Callable[[StaydownDouble, EdgePublisher], str],
) -> None:
    # Given
    publish_first(publisher)
    bank = open_bank()
    bank.refresh(client)
    told = trick(double, publisher)

    # When
    with pytest.raises((EdgeManifestRefused, EdgeFileRefused, RequestRefused), match=told):
        bank.refresh(client)

    # Then the same bank answers, here and after a restart, and nothing half is left
    assert bank.check(media(NEAR)).kind == "near"
    assert open_bank().check(media(NEAR)).kind == "near"
    assert not list((tmp_path / "edge").glob("*.new"))


def test_file_damaged_on_the_own_disk_is_named_and_fetched_anew(
    publisher: EdgePublisher, client: Staydown, open_bank: Callable[..., EdgeBank], tmp_path: Path
) -> None:
    # Given
    publish_first(publisher)
    open_bank().refresh(client)
    [path] = (tmp_path / "edge").glob("codes-*")
    path.write_bytes(path.read_bytes()[:-1])

    # Then
    with pytest.raises(EdgeFileRefused, match=path.name):
        open_bank().check(media())
    assert open_bank().refresh(client) is True
    assert open_bank().check(media(NEAR)).kind == "near"


def test_older_bank_is_refused_even_when_the_held_files_are_damaged(
    publisher: EdgePublisher,
    client: Staydown,
    open_bank: Callable[..., EdgeBank],
    double: StaydownDouble,
    tmp_path: Path,
) -> None:
    # Given a signed bank of yesterday that somebody kept
    publisher.publish([FAR], sequence=4, at=NOW - timedelta(hours=1))
    yesterday = dict(double.edge)
    publish_first(publisher)
    open_bank().refresh(client)
    for path in (tmp_path / "edge").glob("codes-*"):
        path.unlink()

    # When
    double.edge.clear()
    double.edge.update(yesterday)

    # Then
    with pytest.raises(EdgeManifestRefused, match="older"):
        open_bank().refresh(client)


def test_new_bank_damaged_in_the_folder_leaves_a_running_process_with_the_old_one(
    publisher: EdgePublisher,
    client: Staydown,
    open_bank: Callable[..., EdgeBank],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    # Given
    publish_first(publisher)
    bank = open_bank()
    bank.refresh(client)

    # When something else writes over the manifest
    (tmp_path / "edge" / "manifest.note").write_text("not a note")

    # Then
    with caplog.at_level(logging.ERROR, logger="staydown.client"):
        assert [bank.check(media(NEAR)).kind for _ in range(3)] == ["near"] * 3
    assert caplog.text.count("a new edge bank was refused") == 1


@pytest.mark.parametrize("options", [{"public_key": "rubbish"}, {"if_expired": "guess"}])
def test_settings_that_cannot_work_are_refused(
    publisher: EdgePublisher, tmp_path: Path, options: dict[str, Any]
) -> None:
    with pytest.raises(ClientMisconfigured):
        EdgeBank(tmp_path, **{"public_key": publisher.public_key} | options)


# --- in place of the server


def a_picture() -> bytes:
    """A landscape of waves; nothing in it is flat."""
    x, y = np.meshgrid(np.arange(160), np.arange(120))
    waves = 128 + 60 * np.sin(x / 7.0 + y / 19.0) + 60 * np.cos(y / 5.0 - x / 31.0)
    packed = io.BytesIO()
    Image.fromarray(waves.clip(0, 255).astype(np.uint8)).convert("RGB").save(packed, "PNG")
    return packed.getvalue()


@pytest.fixture
def unreachable(
    publisher: EdgePublisher, double: StaydownDouble, client: Staydown, open_bank: Callable[..., EdgeBank]
) -> EdgeBank:
    """An edge bank that knows the picture's code, and a server that is gone."""
    code = query_image(a_picture()).whole()[0].code
    publisher.publish([code], [(CONFIRMED, True)], sequence=5, at=NOW)
    bank = open_bank()
    bank.refresh(client)
    double.is_down = True
    return bank


def test_edge_answers_instead_of_the_blind_wish_when_the_server_is_gone(
    unreachable: EdgeBank, double: StaydownDouble, caplog: pytest.LogCaptureFixture
) -> None:
    # Given
    staydown = Staydown(
        double.origin,
        double.token,
        transport=double.transport(),
        timeout_ms=200,
        on_unreachable="allow",
        edge=unreachable,
    )

    # When
    with caplog.at_level(logging.WARNING, logger="staydown.client"):
        near = staydown.check(a_picture(), content_id="post-1")
        of_file = staydown.check(io.BytesIO(a_picture()))
        exact = staydown.check(b"confirmed")
        by_code = staydown.gate(media(FAR))

    # Then
    assert [one.action.value for one in (near, of_file, exact, by_code)] == ["hold", "hold", "block", "allow"]
    assert all((one.degraded, one.degraded_reason) == (True, "edge") for one in (near, exact, by_code))
    assert "the edge bank's action: hold" in caplog.text
    unreachable.close()


def test_asynchronous_client_asks_the_edge_too(unreachable: EdgeBank, double: StaydownDouble) -> None:
    async def talk() -> Any:
        async with AsyncStaydown(
            double.origin, double.token, transport=double.transport(), timeout_ms=200, edge=unreachable
        ) as staydown:
            return await staydown.check(a_picture())

    result = asyncio.run(talk())

    assert (result.action.value, result.degraded_reason) == ("hold", "edge")
    unreachable.close()


def test_edge_that_cannot_answer_leaves_the_declared_wish(
    unreachable: EdgeBank, double: StaydownDouble, clock: Clock
) -> None:
    # Given
    options: dict[str, Any] = {"transport": double.transport(), "timeout_ms": 200, "edge": unreachable}
    holding = Staydown(double.origin, double.token, on_unreachable="hold", **options)
    raising = Staydown(double.origin, double.token, **options)

    # When it is no picture, and when the bank has expired
    unreadable = holding.check(b"no picture at all")
    clock.now = NOW + timedelta(days=2)
    expired = holding.check(media(CODE))

    # Then
    for result in (unreadable, expired):
        assert (result.action.value, result.degraded_reason) == ("hold", "connection-failed")
    with pytest.raises(Unreachable):
        raising.check(media(CODE))
    unreachable.close()


def test_what_cannot_be_read_here_is_named(unreachable: EdgeBank) -> None:
    with pytest.raises(EdgeMediaNotReadable):
        unreachable.answer(b"no picture at all")
    unreachable.close()


SHARING = """
import os, sys
from datetime import datetime
from staydown.client.edge import EdgeBank
from staydown.fingerprint.terms import Algorithm, Digests, Fingerprint, MediaFingerprints
code = bytes(range(32))
upload = MediaFingerprints("image", Digests("", ""), 9, 9, (Fingerprint(Algorithm.PDQ, code, 90),))
bank = EdgeBank(sys.argv[1], public_key=sys.argv[2], now=lambda: datetime.fromisoformat(sys.argv[3]))
assert bank.check(upload).kind == "near"
maps = open("/proc/self/maps").read()
[line] = {line for line in maps.splitlines() if "codes-" in line and " r--" in line}
assert line.split()[1].startswith("r--"), line
print(line.split()[4])
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/maps"), reason="needs Linux's list of mappings")
def test_processes_of_a_folder_map_the_same_file(
    publisher: EdgePublisher, client: Staydown, open_bank: Callable[..., EdgeBank], tmp_path: Path
) -> None:
    # Given
    publish_first(publisher)
    open_bank().refresh(client)
    [path] = (tmp_path / "edge").glob("codes-*")

    # When
    arguments = [str(tmp_path / "edge"), publisher.public_key, NOW.isoformat()]
    inodes = {
        subprocess.run(
            [sys.executable, "-c", SHARING, *arguments], capture_output=True, text=True, check=True
        ).stdout.strip()
        for _ in range(2)
    }

    # Then
    assert inodes == {str(path.stat().st_ino)}
