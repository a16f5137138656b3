"""A published log that anybody can recompute, and that says where it was changed."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from staydown.cli.log_folder import check_folder
from staydown.ledger.checkpoint import Signer
from staydown.ledger.errors import LogDamaged, ProofDoesNotMatch
from staydown.ledger.terms import Checkpoint
from tests.staydown.cli.published_log import ORIGIN, SIGNER, VKEY, MadeLog, made_entries


@pytest.mark.parametrize("size", [1, 7, 256, 300, 513])
def test_a_published_log_adds_up_to_every_checkpoint_it_ever_signed(tmp_path: Path, size: int) -> None:
    # Given a published log
    entries = made_entries(size)
    folder = MadeLog(entries).publish(tmp_path)

    for held in {0, 1, size // 2, size - 1, size}:
        # When it is recomputed against an earlier checkpoint, then it is the same log
        past = MadeLog(entries[:held]).signed.checkpoint
        assert check_folder(folder, vkey=VKEY, held=past).size == size


@pytest.mark.parametrize("size", [5, 257])
def test_every_changed_byte_of_a_published_log_is_found_in_its_file(tmp_path: Path, size: int) -> None:
    # Given a published log and a checkpoint from it
    log = MadeLog(made_entries(size))
    folder = log.publish(tmp_path)
    stride = 1 if size < 10 else 331

    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        content = file.read_bytes()
        name = str(file.relative_to(folder))
        for place in [*range(0, len(content), stride), len(content) - 1]:
            # When one byte of one file is another
            file.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])

            # Then that file is named
            with pytest.raises(LogDamaged) as damage:
                check_folder(folder, vkey=VKEY, held=log.signed.checkpoint)
            assert name in damage.value.where, (place, str(damage.value))
        for wrong in (content[:-1], content + b"\x00", b""):
            file.write_bytes(wrong)
            with pytest.raises(LogDamaged) as damage:
                check_folder(folder, vkey=VKEY, held=log.signed.checkpoint)
            assert name in damage.value.where
        file.unlink()
        if name != "vkey":
            with pytest.raises(LogDamaged, match="cannot be read"):
                check_folder(folder, vkey=VKEY, held=log.signed.checkpoint)
        file.write_bytes(content)
    check_folder(folder, vkey=VKEY, held=log.signed.checkpoint)


def test_a_changed_entry_is_named_by_its_number(tmp_path: Path) -> None:
    # Given a published log past one full tile, of which entry 258 was changed
    log = MadeLog(made_entries(300))
    folder = log.publish(tmp_path)
    bundle = folder / "tile" / "entries" / "001.p" / "44"
    content = bytearray(bundle.read_bytes())
    content[2 * 34 + 5] ^= 1
    bundle.write_bytes(content)

    # When it is recomputed, then that entry is named
    with pytest.raises(
        LogDamaged, match=r"001.p/44, entry 2 of the file \(entry 258 of the log\), was changed"
    ):
        check_folder(folder, vkey=VKEY, held=log.signed.checkpoint)


def test_a_changed_entry_with_its_tile_made_to_fit_is_narrowed_down(tmp_path: Path) -> None:
    # Given a log of which an entry and the tile over it were changed together
    log = MadeLog(made_entries(300))
    folder = log.publish(tmp_path)
    entries = list(log.entries)
    entries[3] = bytes(32)
    other = MadeLog(entries).publish(tmp_path / "other")
    for name in ("tile/entries/000", "tile/0/000"):
        (folder / name).write_bytes((other / name).read_bytes())

    # When it is recomputed, then the tile above tells where
    with pytest.raises(LogDamaged, match="entries 0 to 255"):
        check_folder(folder, vkey=VKEY, held=log.signed.checkpoint)

    # And with every tile made to fit, the signature tells that it was rewritten
    name = "tile/1/000.p/1"
    (folder / name).write_bytes((other / name).read_bytes())
    with pytest.raises(LogDamaged, match="rewritten"):
        check_folder(folder, vkey=VKEY, held=log.signed.checkpoint)


def test_a_log_rewritten_and_signed_anew_contradicts_what_was_held(tmp_path: Path) -> None:
    # Given a checkpoint that Alice holds, and a log that its operator rewrote and signed with the same key
    held = MadeLog(made_entries(6)).signed.checkpoint
    entries = made_entries(20)
    entries[2] = bytes(32)
    folder = MadeLog(entries).publish(tmp_path)

    # When it is recomputed, then it adds up but is not the log that signed hers
    with pytest.raises(ProofDoesNotMatch):
        check_folder(folder, vkey=VKEY, held=held)


def test_a_log_that_is_older_than_the_receipt_says_so(tmp_path: Path) -> None:
    # Given an old copy of the log, when it is held against a newer receipt, then that is what is said
    folder = MadeLog(made_entries(4)).publish(tmp_path)
    with pytest.raises(LogDamaged, match="older"):
        check_folder(folder, vkey=VKEY, held=MadeLog(made_entries(6)).signed.checkpoint)


def test_a_log_of_another_signer_or_another_name_is_refused(tmp_path: Path) -> None:
    # Given a folder signed by Charlie, when it is checked with the log's key, then it is refused
    charlie = Signer(Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33))))
    log = MadeLog(made_entries(4), signer=charlie)
    folder = log.publish(tmp_path)
    with pytest.raises(LogDamaged, match="vkey"):
        check_folder(folder, vkey=VKEY, held=log.signed.checkpoint)
    (folder / "vkey").unlink()
    with pytest.raises(LogDamaged, match="not signed"):
        check_folder(folder, vkey=VKEY, held=log.signed.checkpoint)

    # And a checkpoint of another log by the same signer is not this log's
    MadeLog(made_entries(4)).publish(tmp_path)
    with pytest.raises(LogDamaged, match="another log"):
        check_folder(folder, vkey=SIGNER.vkey(ORIGIN), held=Checkpoint("other.example", 1, bytes(32)))
